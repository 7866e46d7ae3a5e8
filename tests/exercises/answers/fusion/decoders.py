"""Answers to the exercises on decoders that the checks must tell apart."""

import numpy as np

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ------------------------------------------------------------------------------------------------ caption_loss


def costs(logits, words):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_p, words[..., None], axis=-1)[..., 0]


@another("caption_loss")
def word_by_word(logits, ids):
    found = []
    for row, words in zip(logits, ids, strict=True):
        for scores, word in zip(row, words[1:], strict=True):
            if word != 0:
                top = scores.max()
                found.append(top + np.log(np.exp(scores - top).sum()) - scores[word])
    return sum(found) / len(found)


@wrong("caption_loss", hint="the word that was just read")
def not_shifted(logits, ids):
    said = ids[:, :-1]
    return costs(logits, said)[said != 0].mean()


@wrong("caption_loss", hint="You count the padding")
def padding_counted(logits, ids):
    return costs(logits, ids[:, 1:]).mean()


@wrong("caption_loss", hint="You divide by all places")
def divided_by_all_places(logits, ids):
    said = ids[:, 1:]
    return (costs(logits, said) * (said != 0)).mean()


@wrong("caption_loss", hint="the mean of each caption")
def mean_of_means(logits, ids):
    said = ids[:, 1:]
    return np.mean([c[w != 0].mean() for c, w in zip(costs(logits, said), said, strict=True)])


@wrong("caption_loss", hint="You sum")
def summed(logits, ids):
    said = ids[:, 1:]
    return costs(logits, said)[said != 0].sum()


@wrong("caption_loss", hint="The sign")
def negative(logits, ids):
    said = ids[:, 1:]
    return -costs(logits, said)[said != 0].mean()


@wrong("caption_loss", hint="NaN times zero")
def masked_by_multiplying(logits, ids):
    said = ids[:, 1:]
    present = said != 0
    return (costs(logits, said) * present).sum() / present.sum()


@wrong("caption_loss", hint="largest logit")
def overflowing(logits, ids):
    said = ids[:, 1:]
    rows, words = logits[said != 0], said[said != 0]
    with np.errstate(over="ignore"):
        return (np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(rows)), words]).mean()


# -------------------------------------------------------------------------------------------------------- beam


def search(next_log_p, end, width, max_length, *, rank=lambda total, gain: total, ended_stay=True, stop_at_first=False):
    beams = [((), 0.0, 0.0)]
    for _ in range(max_length):
        longer = []
        for words, total, ranked in beams:
            if words and words[-1] == end:
                longer += [(words, total, ranked)] if ended_stay else []
            else:
                gains = next_log_p(words)
                longer += [((*words, w), total + g, rank(total + g, g)) for w, g in enumerate(gains)]
        if not longer:
            break
        beams = sorted(longer, key=lambda beam: -beam[2])[:width]
        done = [beam for beam in beams if beam[0][-1] == end]
        if stop_at_first and done:
            beams = done
            break
    words, total, _ = max(beams, key=lambda beam: beam[1])
    return words, total


@another("beam")
def with_arrays(next_log_p, end, width, max_length):
    words, totals = [[]], np.zeros(1)
    for _ in range(max_length):
        options, scores = [], []
        for beginning, total in zip(words, totals, strict=True):
            if beginning[-1:] == [end]:
                options.append(beginning)
                scores.append(total)
                continue
            gains = next_log_p(tuple(beginning))
            options += [[*beginning, word] for word in range(len(gains))]
            scores += list(total + gains)
        keep = np.argsort(scores)[::-1][:width]
        words, totals = [options[i] for i in keep], np.array(scores)[keep]
    return words[0], totals[0]


@wrong("beam", hint="Each beginning keeps its own best word")
def each_for_itself(next_log_p, end, width, max_length):
    first = next_log_p(())
    beams = [((int(w),), first[w]) for w in np.argsort(-first)[:width]]
    for _ in range(max_length - 1):
        longer = []
        for words, total in beams:
            if words[-1] == end:
                longer.append((words, total))
            else:
                gains = next_log_p(words)
                longer.append(((*words, int(gains.argmax())), total + gains.max()))
        beams = longer
    return max(beams, key=lambda beam: beam[1])


@wrong("beam", hint="Captions that ended are lost")
def ended_lost(next_log_p, end, width, max_length):
    return search(next_log_p, end, width, max_length, ended_stay=False)


@wrong("beam", hint="You put captions that ended aside")
def ended_aside(next_log_p, end, width, max_length):
    beams, done = [((), 0.0)], []
    for _ in range(max_length):
        longer = [((*words, w), total + g) for words, total in beams for w, g in enumerate(next_log_p(words))]
        best = sorted(longer, key=lambda beam: -beam[1])[:width]
        done += [beam for beam in best if beam[0][-1] == end]
        beams = [beam for beam in best if beam[0][-1] != end]
    return max(done + beams, key=lambda beam: beam[1])


@wrong("beam", hint="You stop when the first caption has ended")
def first_to_end(next_log_p, end, width, max_length):
    return search(next_log_p, end, width, max_length, stop_at_first=True)


@wrong("beam", hint="You rank by the last word alone")
def ranked_by_the_last(next_log_p, end, width, max_length):
    return search(next_log_p, end, width, max_length, rank=lambda total, gain: gain)


@wrong("beam", hint="You keep the worst")
def the_worst(next_log_p, end, width, max_length):
    return search(next_log_p, end, width, max_length, rank=lambda total, gain: -total)


@wrong("beam", hint="do not extend it")
def past_the_end(next_log_p, end, width, max_length):
    beams = [((), 0.0)]
    for _ in range(max_length):
        longer = [((*words, w), total + g) for words, total in beams for w, g in enumerate(next_log_p(words))]
        beams = sorted(longer, key=lambda beam: -beam[1])[:width]
    words = beams[0][0]
    return (*words[:-1], end, words[-1]), beams[0][1]


@wrong("beam", hint="You return a probability")
def as_a_probability(next_log_p, end, width, max_length):
    words, total = search(next_log_p, end, width, max_length)
    return words, np.exp(total)
