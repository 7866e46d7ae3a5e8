"""Answers to the exercises on contrastive learning that the checks must tell apart."""

from collections import Counter
from functools import cache
from itertools import groupby

import numpy as np
import torch
from torch.nn import functional

from mmcourse.alignment.numpy import info_nce
from mmcourse.alignment.torch import InfoNCE
from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords
from mmcourse.training import embed, fit_pairs, recall_at, seed_everything
from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another


def unit(rows, axis=1):
    return rows / np.linalg.norm(rows, axis=axis, keepdims=True)


def single(*arrays):
    return [torch.tensor(array, dtype=torch.float32) for array in arrays]


# ------------------------------------------------------------------------------------------------- cosine_table


@another("cosine_table")
def by_a_loop(image, text):
    return [[x @ t / np.sqrt(x @ x * (t @ t)) for t in text] for x in image]


@another("cosine_table")
def by_torch_in_single_precision(image, text):
    x, t = single(image, text)
    return functional.cosine_similarity(x[:, None], t[None], dim=2)


@wrong("cosine_table", hint="These are scalar products")
def scalar_products(image, text):
    return image @ text.T


@wrong("cosine_table", hint="one of the two lengths")
def names_not_divided(image, text):
    return unit(image) @ text.T


@wrong("cosine_table", hint="a root is missing")
def squared_lengths(image, text):
    return image @ text.T / np.outer((image**2).sum(axis=1), (text**2).sum(axis=1))


@wrong("cosine_table", hint="It is turned over")
def names_in_rows(image, text):
    return unit(text) @ unit(image).T


@wrong("cosine_table", hint="You compare row i with row i alone")
def pairs_only(image, text):
    return (unit(image) * unit(text)).sum(axis=1)


@wrong("cosine_table", hint="You compare the columns")
def columns_compared(image, text):
    return unit(image).T @ unit(text)


@wrong("cosine_table", hint="You take the lengths of columns")
def lengths_of_columns(image, text):
    return unit(image, axis=0) @ unit(text, axis=0).T


@wrong("cosine_table", hint="You take one length for the whole array")
def one_length_for_all(image, text):
    return image / np.linalg.norm(image) @ (text / np.linalg.norm(text)).T


@wrong("cosine_table", hint="The lengths meet the wrong rows")
def wrong_broadcast(image, text):
    return image @ text.T / (np.linalg.norm(image, axis=1) * np.linalg.norm(text, axis=1)[:, None])


@wrong("cosine_table", hint="which makes a correlation")
def correlations(image, text):
    return np.corrcoef(image, text)[: len(image), len(image) :]


@wrong("cosine_table", hint="You dropped the sign")
def without_the_sign(image, text):
    return np.abs(by_a_loop(image, text))


@wrong("cosine_table", hint="turned it into a distance")
def distance(image, text):
    return 1 - unit(image) @ unit(text).T


@wrong("cosine_table", hint="added to the lengths")
def with_an_epsilon(image, text):
    x, t = (rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6) for rows in (image, text))
    return x @ t.T


@wrong("cosine_table", hint="not of one for both")
def as_many_names_as_pictures(image, text):
    table = np.zeros((len(text), len(text)))
    table[: len(image)] = unit(image) @ unit(text).T
    return table


# --------------------------------------------------------------------------------------------- contrastive_loss


def sides(image, text, scale):
    """Log probabilities of the names for each picture, and of the pictures for each name."""
    logits = scale * unit(image) @ unit(text).T
    return [stable(logits), stable(logits.T)]


def stable(logits):
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def naive_softmax(logits, axis=1):
    powers = np.exp(logits)
    return powers / powers.sum(axis=axis, keepdims=True)


def shifted_softmax(logits):
    return naive_softmax(logits - logits.max(axis=1, keepdims=True))


def mean_of_both(image, text, scale, chance):
    """-log of the diagonal of what `chance` makes of logits, over both directions."""
    logits = scale * unit(image) @ unit(text).T
    return -np.mean([np.log(np.diag(chance(table))) for table in (logits, logits.T)])


@another("contrastive_loss")
def by_logaddexp(image, text, scale):
    return -np.mean([np.diag(side) for side in sides(image, text, scale)])


@another("contrastive_loss")
def by_cross_entropy_in_single_precision(image, text, scale):
    x, t = (functional.normalize(rows, dim=1) for rows in single(image, text))
    logits, right = scale * x @ t.T, torch.arange(len(x))
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


@wrong("contrastive_loss", hint="each picture looks for its name. Let each name")
def names_not_asked(image, text, scale):
    return -np.diag(sides(image, text, scale)[0]).mean()


@wrong("contrastive_loss", hint="each name looks for its picture. Let each picture")
def pictures_not_asked(image, text, scale):
    return -np.diag(sides(image, text, scale)[1]).mean()


@wrong("contrastive_loss", hint="You add the two directions")
def sum_of_directions(image, text, scale):
    return 2 * by_logaddexp(image, text, scale)


@wrong("contrastive_loss", hint="You add the rows of the batch")
def sum_over_the_batch(image, text, scale):
    return len(image) * by_logaddexp(image, text, scale)


@wrong("contrastive_loss", hint="The sign is turned")
def log_likelihood(image, text, scale):
    return -by_logaddexp(image, text, scale)


@wrong("contrastive_loss", hint="You multiply scalar products")
def not_normalised(image, text, scale):
    logits = scale * image @ text.T
    return -np.mean([np.diag(stable(table)) for table in (logits, logits.T)])


@wrong("contrastive_loss", hint="The scale has no influence")
def scale_forgotten(image, text, scale):
    return by_logaddexp(image, text, 1.0)


@wrong("contrastive_loss", hint="You divide by the scale")
def as_a_temperature(image, text, scale):
    return by_logaddexp(image, text, 1 / scale)


@wrong("contrastive_loss", hint="You compare distances")
def distances(image, text, scale):
    return by_logaddexp(-image, text, scale)


@wrong("contrastive_loss", hint="These are the two directions")
def two_numbers(image, text, scale):
    return tuple(-np.diag(side).mean() for side in sides(image, text, scale))


@wrong("contrastive_loss", hint="softmax of a softmax")
def softmax_twice(image, text, scale):
    return -np.mean([np.diag(stable(np.exp(side))) for side in sides(image, text, scale)])


@wrong("contrastive_loss", hint="right answer out of the denominator")
def only_wrong_answers_below(image, text, scale):
    logits = scale * unit(image) @ unit(text).T
    wrong = np.where(np.eye(len(logits), dtype=bool), -np.inf, logits)
    below = [np.logaddexp.reduce(wrong, axis=axis) for axis in (0, 1)]
    return np.mean([side - np.diag(logits) for side in below])


@wrong("contrastive_loss", hint="runs over the whole table")
def softmax_of_the_table(image, text, scale):
    logits = scale * unit(image) @ unit(text).T
    return np.mean(np.logaddexp.reduce(logits, axis=None) - np.diag(logits))


@wrong("contrastive_loss", hint="The log comes too late")
def log_of_the_mean(image, text, scale):
    return -np.log(np.mean([np.exp(np.diag(side)) for side in sides(image, text, scale)]))


@wrong("contrastive_loss", hint="You average -log p over the whole table")
def mean_of_the_table(image, text, scale):
    return -np.mean(sides(image, text, scale))


@wrong("contrastive_loss", hint="Nats are wanted")
def in_bits(image, text, scale):
    return by_logaddexp(image, text, scale) / np.log(2)


@wrong("contrastive_loss", hint="one number for each row")
def one_loss_a_row(image, text, scale):
    return -np.mean([np.diag(side) for side in sides(image, text, scale)], axis=0)


@wrong("contrastive_loss", hint="exp(1000) is infinite")
def overflowing_loss(image, text, scale):
    return mean_of_both(image, text, scale, naive_softmax)


@wrong("contrastive_loss", hint="Never form the probability")
def log_of_a_softmax(image, text, scale):
    return mean_of_both(image, text, scale, shifted_softmax)


@wrong("contrastive_loss", hint="Which maximum do you take away")
def one_maximum_for_all(image, text, scale):
    logits = scale * unit(image) @ unit(text).T
    top = logits.max()
    return np.mean([top + np.log(np.exp(table - top).sum(axis=1)) - np.diag(logits) for table in (logits, logits.T)])


@wrong("contrastive_loss", hint="Is anything cut off")
def with_a_least_probability(image, text, scale):
    return mean_of_both(image, text, scale, lambda table: shifted_softmax(table) + 1e-12)


# --------------------------------------------------------------------------------------------------- least_loss


def counted(names):
    counts = Counter(names)
    return np.array([counts[name] for name in names])


@another("least_loss")
def over_the_names(names):
    _, counts = np.unique(names, return_counts=True)
    return float((counts * np.log(counts)).sum() / counts.sum())


@another("least_loss")
def by_a_table_in_single_precision(names):
    same = torch.tensor([[a == b for b in names] for a in names]).float()
    return same.sum(dim=1).log().mean()


@wrong("least_loss", hint="That is log B, the loss without any opinion")
def no_opinion(names):
    return np.log(len(names))


@wrong("least_loss", hint="mean over the different names")
def mean_over_names(names):
    return np.log(list(Counter(names).values())).mean()


@wrong("least_loss", hint="a name that m members have must come in m times")
def each_name_once(names):
    return np.log(list(Counter(names).values())).sum() / len(names)


@wrong("least_loss", hint="alone whose name repeats")
def repeated_ones_only(names):
    counts = counted(names)
    return np.log(counts[counts > 1]).mean() if (counts > 1).any() else 0.0


@wrong("least_loss", hint="You take the log of a mean")
def log_of_the_mean_count(names):
    return np.log(counted(names).mean())


@wrong("least_loss", hint="The log is missing")
def mean_count(names):
    return counted(names).mean()


@wrong("least_loss", hint="That is the entropy of the names")
def entropy(names):
    shares = np.array(list(Counter(names).values())) / len(names)
    return -(shares * np.log(shares)).sum()


@wrong("least_loss", hint="You halve it")
def one_direction_costs_nothing(names):
    return over_the_names(names) / 2


@wrong("least_loss", hint="You count the others alone")
def without_itself(names):
    return np.log(np.maximum(counted(names) - 1, 1)).mean()


@wrong("least_loss", hint="You count neighbours")
def neighbours_only(names):
    return sum(n * np.log(n) for n in (len(list(run)) for _, run in groupby(names))) / len(names)


@wrong("least_loss", hint="contain one another")
def parts_of_names(names):
    return np.mean([np.log(sum(name in other for other in names)) for name in names])


@wrong("least_loss", hint="You add up")
def sum_over_members(names):
    return np.log(counted(names)).sum()


@wrong("least_loss", hint="The sign is turned")
def log_of_the_share(names):
    return np.log(1 / counted(names)).mean()


# --------------------------------------------------------------------------------------------------- joint_loss


def joint(image, text, groups, scale, reduce):
    """Mean of -reduce(log p, same) over both directions. reduce: (table, booleans) to one log a row."""
    same = groups[:, None] == groups
    return -np.mean([reduce(side, same) for side in sides(image, text, scale)])


def log_sum(table, mask):
    return np.logaddexp.reduce(np.where(mask, table, -np.inf), axis=1)


@another("joint_loss")
def joint_by_logaddexp(image, text, groups, scale):
    return joint(image, text, groups, scale, log_sum)


@another("joint_loss")
def joint_in_single_precision(image, text, groups, scale):
    x, t = (functional.normalize(rows, dim=1) for rows in single(image, text))
    same = torch.tensor(groups[:, None] == groups)
    halves = [(scale * z).log_softmax(dim=1).masked_fill(~same, -torch.inf).logsumexp(1) for z in (x @ t.T, t @ x.T)]
    return -torch.stack(halves).mean()


@wrong("joint_loss", hint="The groups have no influence")
def groups_forgotten(image, text, groups, scale):
    return by_logaddexp(image, text, scale)


@wrong("joint_loss", hint="asks for all of them alike")
def all_of_them(image, text, groups, scale):
    return joint(image, text, groups, scale, lambda side, same: (side * same).sum(axis=1) / same.sum(axis=1))


@wrong("joint_loss", hint="You take the mean of the probabilities")
def mean_probability(image, text, groups, scale):
    return joint(image, text, groups, scale, lambda side, same: log_sum(side, same) - np.log(same.sum(axis=1)))


@wrong("joint_loss", hint="other members of the group out of the table")
def others_dropped(image, text, groups, scale):
    def own_among_wrong(side, same):
        own = np.eye(len(same), dtype=bool)
        return np.diag(side) - log_sum(side, ~same | own)

    return joint(image, text, groups, scale, own_among_wrong)


@wrong("joint_loss", hint="own pair is missing")
def without_its_own(image, text, groups, scale):
    def mates(side, same):
        mask = same & ~np.eye(len(same), dtype=bool)
        return log_sum(side, mask)[mask.any(axis=1)].sum() / len(same)

    return joint(image, text, groups, scale, mates)


@wrong("joint_loss", hint="right answers out of the denominator")
def wrong_ones_below(image, text, groups, scale):
    return joint(image, text, groups, scale, lambda side, same: log_sum(side, same) - log_sum(side, ~same))


@wrong("joint_loss", hint="You take the best of the right answers")
def best_of_them(image, text, groups, scale):
    return joint(image, text, groups, scale, lambda side, same: np.where(same, side, -np.inf).max(axis=1))


@wrong("joint_loss", hint="each picture looks for its name. Let each name")
def joint_in_one_direction(image, text, groups, scale):
    side = sides(image, text, scale)[0]
    return -log_sum(side, groups[:, None] == groups).mean()


@wrong("joint_loss", hint="Never form the probability")
def sum_of_a_softmax(image, text, groups, scale):
    logits, same = scale * unit(image) @ unit(text).T, groups[:, None] == groups
    return -np.mean([np.log((shifted_softmax(table) * same).sum(axis=1)) for table in (logits, logits.T)])


@wrong("joint_loss", hint="exp(1000) is infinite")
def overflowing_sums(image, text, groups, scale):
    powers, same = np.exp(scale * unit(image) @ unit(text).T), groups[:, None] == groups
    return -np.mean([np.log((p * same).sum(axis=1) / p.sum(axis=1)) for p in (powers, powers.T)])


# -------------------------------------------------------------------------------------------------- recall_at_k


def placed(similarity):
    return np.argsort(np.argsort(-similarity, axis=1, kind="stable"), axis=1)


@another("recall_at_k")
def row_by_row(similarity, right, k):
    found = 0
    for row, mask in zip(similarity, right, strict=True):
        found += (row[~mask] >= row[mask].max()).sum() < k
    return found / len(right)


@another("recall_at_k")
def recall_in_single_precision(similarity, right, k):
    sim, mask = torch.tensor(similarity).float(), torch.tensor(right)
    best = sim.masked_fill(~mask, -torch.inf).amax(dim=1, keepdim=True)
    return ((sim >= best) & ~mask).sum(dim=1).lt(k).float().mean()


@wrong("recall_at_k", hint="the place in the row decides")
def by_sorting(similarity, right, k):
    first = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(right, first, axis=1).any(axis=1).mean()


@wrong("recall_at_k", hint="Ties count for you")
def only_what_is_more(similarity, right, k):
    best = np.where(right, similarity, -np.inf).max(axis=1, keepdims=True)
    return ((similarity > best).sum(axis=1) < k).mean()


@wrong("recall_at_k", hint="Only wrong ones stand in its way")
def right_ones_ahead(similarity, right, k):
    best = np.where(right, similarity, -np.inf).max(axis=1, keepdims=True)
    return ((similarity >= best).sum(axis=1) <= k).mean()


@wrong("recall_at_k", hint="You take the least similar ones")
def least_similar(similarity, right, k):
    return row_by_row(-similarity, right, k)


@wrong("recall_at_k", hint="That is a number of queries")
def number_of_queries(similarity, right, k):
    return row_by_row(similarity, right, k) * len(right)


@wrong("recall_at_k", hint="That is a percentage")
def percentage(similarity, right, k):
    return 100 * row_by_row(similarity, right, k)


@wrong("recall_at_k", hint="You go down the columns")
def down_the_columns(similarity, right, k):
    first = np.argsort(-similarity, axis=0)[:k]
    return np.take_along_axis(right, first, axis=0).any(axis=0).mean()


@wrong("recall_at_k", hint="one candidate more")
def k_and_one(similarity, right, k):
    return row_by_row(similarity, right, k + 1)


@wrong("recall_at_k", hint="one candidate too few")
def k_less_one(similarity, right, k):
    return row_by_row(similarity, right, k - 1)


@wrong("recall_at_k", hint="k has no influence")
def first_place_only(similarity, right, k):
    return right[np.arange(len(right)), similarity.argmax(axis=1)].mean()


@wrong("recall_at_k", hint="A similarity may be negative")
def zero_for_the_wrong_ones(similarity, right, k):
    best = (similarity * right).max(axis=1, keepdims=True)
    return ((~right & (similarity >= best)).sum(axis=1) < k).mean()


@wrong("recall_at_k", hint="You look at the diagonal")
def on_the_diagonal(similarity, right, k):
    return (np.diag(placed(similarity)) < k).mean()


@wrong("recall_at_k", hint="You ask for all right answers")
def all_right_answers(similarity, right, k):
    return (np.where(right, placed(similarity), -1).max(axis=1) < k).mean()


@wrong("recall_at_k", hint="the share of right answers that are found")
def share_of_right_answers(similarity, right, k):
    found = right & (placed(similarity) < k)
    return (found.sum(axis=1) / right.sum(axis=1)).mean()


@wrong("recall_at_k", hint="You count right answers. A query with two")
def count_of_right_answers(similarity, right, k):
    return (right & (placed(similarity) < k)).sum() / len(right)


@wrong("recall_at_k", hint="one right answer of each row")
def first_right_answer(similarity, right, k):
    return (placed(similarity)[np.arange(len(right)), right.argmax(axis=1)] < k).mean()


# -------------------------------------------------------------------------------------------------- batch_study

WORSE = "the lower loss belongs to the worse model"
SIZES = {"small": 16, "large": 64}
CASES = {}  # the arrays that came, by their bytes: one training serves all answers


@cache
def trained(case, size, seed):
    images, texts = CASES[case]
    seed_everything(seed)
    pictures, names = ConvolutionalEncoder((4, 8), out_dim=16, pool="mean"), MeanOfWords(int(texts.max()), out_dim=16)
    loss = InfoNCE()
    fit_pairs(
        pictures, names, loss, images, texts, epochs=144 * size // len(images), batch_size=size, learning_rate=1e-2,
        seed=seed, device="cpu", progress=False,
    )  # fmt: skip
    return embed(pictures, images), embed(names, texts), loss.scale().item()


def train_pair(images, texts, size, seed):
    case = hash((images.tobytes(), texts.tobytes()))
    CASES[case] = images, texts
    return trained(case, size, seed)


def of_batches(x, t, scale, size, rng):
    picks = [rng.choice(len(x), size, replace=False) for _ in range(200)]
    return np.mean([info_nce(x[rows], t[rows], scale=scale) for rows in picks])


def own_batches(x, t, scale, size, seed):
    return of_batches(x, t, scale, size, np.random.default_rng(seed))


def found_at(k, turned=False):
    def recall(x, t, groups):
        return recall_at(t @ x.T if turned else x @ t.T, groups[:, None] == groups, k)

    return recall


first_is_right = found_at(1)


def study(loss=own_batches, recall=first_is_right, conclusion=WORSE, sizes=SIZES, seed_of=lambda seed: seed):
    """batch_study with one thing done in another way."""

    def batch_study(images, texts, groups, seeds):
        result = {"conclusion": conclusion}
        for name, size in sizes.items():
            runs = [(seed, train_pair(images, texts, size, seed_of(seed))) for seed in seeds]
            result[name] = {
                "loss": [loss(*run, size, seed) for seed, run in runs],
                "recall": [recall(*run[:2], groups) for _, run in runs],
            }
        return result

    return batch_study


@another("batch_study")
def in_single_precision_from_its_own_generator(images, texts, groups, seeds):
    def loss(x, t, scale, size, seed):
        x, t = single(x, t)
        rng = torch.Generator().manual_seed(seed)
        logits = [scale * x[p] @ t[p].T for p in (torch.randperm(len(x), generator=rng)[:size] for _ in range(300))]
        right = torch.arange(size)
        return np.mean([functional.cross_entropy(z, right) + functional.cross_entropy(z.T, right) for z in logits]) / 2

    def recall(x, t, groups):
        return (groups[(x @ t.T).argmax(axis=1)] == groups).mean()

    return study(loss=loss, recall=recall, conclusion=f"{WORSE.capitalize()}.")(images, texts, groups, seeds)


ONE_FOR_ALL = np.random.default_rng(0)

answers.wrong("batch_study", hint="must come from that seed alone")(
    study(loss=lambda x, t, scale, size, seed: of_batches(x, t, scale, size, ONE_FOR_ALL))
)
answers.wrong("batch_study", hint="Does train_small_pair get the seed")(
    study(loss=lambda x, t, scale, size, seed: own_batches(x, t, scale, size, 0), seed_of=lambda seed: 0)
)
answers.wrong("batch_study", hint="You measure over all rows at once")(
    study(loss=lambda x, t, scale, size, seed: info_nce(x, t, scale=scale))
)
answers.wrong("batch_study", hint="with batches of the other size")(
    study(loss=lambda x, t, scale, size, seed: own_batches(x, t, scale, 64, seed))
)
answers.wrong("batch_study", hint="The scale is missing")(
    study(loss=lambda x, t, scale, size, seed: own_batches(x, t, 1.0, size, seed))
)
answers.wrong("batch_study", hint="You add the rows of a batch")(
    study(loss=lambda x, t, scale, size, seed: size * own_batches(x, t, scale, size, seed))
)
answers.wrong("batch_study", hint="all rows of a group are right")(
    study(recall=lambda x, t, groups: recall_at(x @ t.T, np.eye(len(x), dtype=bool), 1))
)
answers.wrong("batch_study", hint="Let each picture look for its name")(study(recall=found_at(1, turned=True)))
answers.wrong("batch_study", hint="further than the first place")(study(recall=found_at(5)))
answers.wrong("batch_study", hint="Which of the two has the lower mean loss")(
    study(conclusion="the lower loss belongs to the better model")
)
answers.wrong("batch_study", hint="word by word")(study(conclusion="larger batches are better"))
answers.wrong("batch_study", hint="no mean, no pairs")(
    lambda images, texts, groups, seeds: {name: {"loss": 0.7, "recall": 0.8} for name in SIZES} | {"conclusion": WORSE}
)
