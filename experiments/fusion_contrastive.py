"""Do two encoders that met on named characters find the name of a combination they have never seen?

Pictures of characters in four styles; held out are letters with marks whose letter and whose marks are known from other
characters. A picture asks for its name among all names, those of training included; names of one group are joint right
answers.
recipe: several splits and seeds of the recipe
variants: one thing changed at a time, on one split; a name with a comma changes one thing more
baselines: what can be done without trained encoders; "..._among_held_out" also tells them which names are new
"""

import time

import numpy as np
import torch

from mmcourse.alignment.torch import InfoNCE, MultiPositiveInfoNCE, SigLIP
from mmcourse.data import WordTokens, glyphs, letter_and_marks, words
from mmcourse.data.glyph_names import is_marked_letter
from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords, WordTransformer
from mmcourse.training import clustered_interval, embed, fit_pairs, hits_at, modality_gap, seed_everything

CONFIG = {
    "splits": 3,
    "seeds": 3,
    "styles": ["sans", "bold", "serif", "mono"],
    "size": 20,
    "font_size": 16,
    "training": {"epochs": 6, "batch_size": 256, "weight_decay": 0.05},
    "recipe": {
        "loss": "MultiPositiveInfoNCE",
        "loss_options": {},
        "text": "MeanOfWords",
        "pool": "flatten",
        "jitter": False,
        "learning_rate": 3e-3,
    },
    "variants": {
        "one right answer": {"loss": "InfoNCE"},
        "sigmoid as published": {"loss": "SigLIP"},
        "sigmoid, other start": {"loss": "SigLIP", "loss_options": {"scale": 14, "bias": -7}},
        "Transformer": {"text": "WordTransformer"},
        "Transformer, a third of the rate": {"text": "WordTransformer", "learning_rate": 1e-3},
        "mean pooling": {"pool": "mean"},
        "jitter": {"jitter": True},
    },
    "ridge": 0.1,  # strengths of ridge regressions: from word counts to vectors of names
    "pixel_ridge": 1,  # from pixels to words
    "feature_ridge": 10,  # from untrained features to words
    "neighbours": 10,
}
LOSSES = {"InfoNCE": InfoNCE, "MultiPositiveInfoNCE": MultiPositiveInfoNCE, "SigLIP": SigLIP}
TEXT_ENCODERS = {"MeanOfWords": MeanOfWords, "WordTransformer": WordTransformer}
ROWS = 1000  # pictures at a time
EACH = 8  # of so many training pictures one asks, for time and memory


def points(config):
    seeds = range(config["seeds"])
    recipe = [{"sweep": "recipe", "split": split, "seed": seed} for split in range(config["splits"]) for seed in seeds]
    baselines = [{"sweep": "baselines", "split": split} for split in range(config["splits"])]
    variants = [
        {"sweep": "variants", "variant": variant, "split": 0, "seed": seed}
        for seed in seeds
        for variant in config["variants"]
    ]
    return baselines + recipe + variants


def run(point, config):
    everything = glyphs(config["styles"], size=config["size"], font_size=config["font_size"])
    train, test = everything.split(point["split"])
    names = everything.one_per_character()
    asked = {
        "queries": len(test),
        "characters": len(set(test.characters)),
        "names": len(names),
        "chance": float(joint(test, names).mean()),
    }
    if point["sweep"] == "baselines":
        return asked | baselines(train, test, names, config)
    chosen = config["recipe"] | config["variants"].get(point.get("variant"), {})
    tokens = WordTokens(train.vocabulary)
    seed_everything(point["seed"])
    image = ConvolutionalEncoder(size=config["size"], pool=chosen["pool"])
    text = TEXT_ENCODERS[chosen["text"]](len(tokens))
    loss = LOSSES[chosen["loss"]](**chosen["loss_options"])
    training, pictures, texts, groups = dict(config["training"]), train.images, tokens.encode(train.names), train.group
    if chosen["jitter"]:  # each epoch another copy: as many steps, and no picture twice
        copies, training["epochs"] = training["epochs"], 1
        rng = np.random.default_rng(point["seed"])
        pictures = np.concatenate([train.jittered(rng).images for _ in range(copies)])
        texts, groups = np.tile(texts, (copies, 1)), np.tile(groups, copies)
    begun = time.process_time()
    history = fit_pairs(
        image,
        text,
        loss,
        pictures,
        texts,
        groups,
        learning_rate=chosen["learning_rate"],
        seed=point["seed"],
        progress=False,
        **training,
    )
    seconds = time.process_time() - begun
    vectors = {
        "train": embed(image, train.images),
        "test": embed(image, test.images),
        "names": embed(text, tokens.encode(names.names)),
    }
    return (
        asked
        | {"last_loss": history.loss[-1], "scale": history.scale[-1], "cpu_seconds": round(seconds, 1)}
        | ({"bias": loss.bias.item()} if chosen["loss"] == "SigLIP" else {})
        | held_out(vectors, test, names)
        | seen(vectors, train, names)
        | why(vectors, train, test, names, config["ridge"])
    )


def joint(queries, candidates):
    """(queries, candidates) bool: of one group, so right."""
    return queries.group[:, None] == candidates.group


def new_names(test, names):
    """(names,) bool: held out."""
    return np.isin(names.characters, test.characters)


def held_out(vectors, test, names):
    """What the held-out pictures find, and what the held-out names find among all pictures."""
    similarity, right = vectors["test"] @ vectors["names"].T, joint(test, names)
    hits = {k: hits_at(similarity, right, k) for k in (1, 5)}
    characters, styles = np.array(test.characters), np.array(test.styles)
    result = {}
    for k, found in hits.items():
        result |= with_interval(f"recall{k}", found, characters)
        result |= with_interval(f"recall{k}_sans", found[styles == "sans"], characters[styles == "sans"])
        for style in ("bold", "serif", "mono"):
            result[f"recall{k}_{style}"] = found[styles == style].mean()
    new = new_names(test, names)
    for k in (1, 5):
        result[f"recall{k}_among_held_out"] = hits_at(similarity[:, new], right[:, new], k).mean()

    pictures = np.concatenate([vectors["train"], vectors["test"]])
    # Of the training pictures none is right: groups are on one side of the split.
    answers = np.zeros((new.sum(), len(pictures)), dtype=bool)
    answers[:, len(vectors["train"]) :] = joint(names.take(new), test)
    for k in (1, 5):
        result[f"name_to_picture{k}"] = hits_at(vectors["names"][new] @ pictures.T, answers, k).mean()
    return result | {
        "modality_gap": modality_gap(vectors["test"], vectors["names"][new]),
        "cosine_held_out": similarity[right].mean(),
    }


def with_interval(name, hits, clusters):
    interval = clustered_interval(hits, clusters)
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}


def seen(vectors, train, names):
    """The same questions about pictures of training; "marked" are those like the held-out ones, letters with marks."""
    asking = train.take(slice(None, None, EACH))
    similarity, right = vectors["train"][::EACH] @ vectors["names"].T, joint(asking, names)
    marked = np.array([is_marked_letter(name) for name in asking.names])
    result = {"cosine_train": similarity[right].mean()}
    for k in (1, 5):
        hits = hits_at(similarity, right, k)
        result |= {f"train_recall{k}": hits.mean(), f"train_marked_recall{k}": hits[marked].mean()}
    return result


def why(vectors, train, test, names, ridge):
    """Which half of a wrong answer is wrong, and whether the encoder of names carries over to new combinations.

    seen_instead: the share of held-out pictures that answer with a name of training
    letter_right, marks_right: shares of answers with the right letter, the right marks
    text_from_words: R^2 of the vectors of held-out names, as a sum of word vectors fitted to those of training names
    recall1_names_as_sums: recall1 with those sums in place of what the encoder says of the held-out names
    """
    new, right = new_names(test, names), joint(test, names)
    answers = (vectors["test"] @ vectors["names"].T).argmax(axis=1)
    parts = [letter_and_marks(name) for name in names.names]
    wanted = [[parts[j] for j in np.flatnonzero(row)] for row in right]
    letters = [parts[answer][0] in {base for base, _ in some} for answer, some in zip(answers, wanted, strict=True)]
    marks = [parts[answer][1] in {marks for _, marks in some} for answer, some in zip(answers, wanted, strict=True)]

    counts, text = word_counts(names.names, train.vocabulary), vectors["names"]
    sums = ridge_regression(counts[~new], text[~new], counts[new], ridge)
    spread = ((text[new] - text[new].mean(axis=0)) ** 2).sum()
    swapped = text.copy()
    swapped[new] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return {
        "seen_instead": (~new[answers]).mean(),
        "letter_right": np.mean(letters),
        "marks_right": np.mean(marks),
        "text_from_words": 1 - ((text[new] - sums) ** 2).sum() / spread,
        "recall1_names_as_sums": hits_at(vectors["test"] @ swapped.T, right, 1).mean(),
    }


def word_counts(names, vocabulary):
    """(names, words): how often each word occurs."""
    column = {word: number for number, word in enumerate(vocabulary)}
    counts = np.zeros((len(names), len(vocabulary)))
    for row, name in zip(counts, names, strict=True):
        for word in words(name):
            row[column[word]] += 1
    return counts


def baselines(train, test, names, config):
    """Names ranked without a trained encoder.

    nearest: the nearest training picture that has the name; no new name can win
    parts: each name with marks as if it were new, letter and mark each by the nearest picture of another name with it
    neighbours: the words that the nearest training pictures share
    linear: the words that a linear map from pixels predicts (ridge regression)
    untrained: the same from what an encoder's blocks say before any training
    In the last three rare words weigh more, as log(names / names with the word).
    """
    pixels = {part: some.images.reshape(len(some), -1) for part, some in (("train", train), ("test", test))}
    near = unit(pixels["test"]) @ unit(pixels["train"]).T
    counts = word_counts(names.names, train.vocabulary)
    weighed = unit(counts * np.log(len(names) / np.maximum((counts > 0).sum(axis=0), 1)))
    row_of = {character: row for row, character in enumerate(names.characters)}
    shown = weighed[[row_of[character] for character in train.characters]]

    closest = np.argpartition(-near, config["neighbours"], axis=1)[:, : config["neighbours"]]
    by_name = nearest_of_each(near, train.characters, names.characters)
    features = untrained_features(train, test, config["size"])
    scores = {
        "nearest": by_name,
        "parts": from_parts(by_name, names.names),
        "neighbours": shown[closest].mean(axis=1) @ weighed.T,
        "linear": ridge_regression(pixels["train"], shown, pixels["test"], config["pixel_ridge"]) @ weighed.T,
        "untrained": ridge_regression(features[0], shown, features[1], config["feature_ridge"]) @ weighed.T,
    }
    new, right, result = new_names(test, names), joint(test, names), {}
    for baseline, similarity in scores.items():
        for k in (1, 5):
            result[f"{baseline}_recall{k}"] = hits_at(similarity, right, k).mean()
            result[f"{baseline}_recall{k}_among_held_out"] = hits_at(similarity[:, new], right[:, new], k).mean()
    return result


def untrained_features(train, test, size):
    """(train, features) and (test, features) of random convolutions, centred, with a mean spread of 1."""
    seed_everything(0)
    blocks = ConvolutionalEncoder(size=size).blocks.eval()
    features = []
    with torch.no_grad():
        for images in (train.images, test.images):
            parts = torch.tensor(images)[:, None].split(ROWS)
            features.append(torch.cat([blocks(part).flatten(1) for part in parts]).numpy())
    middle, spread = features[0].mean(axis=0), features[0].std(axis=0).mean()
    return [(part - middle) / spread for part in features]


def ridge_regression(x, y, asking, strength):
    """What asking W + b says, W and b fitted to the pairs x, y."""
    middle = x.mean(axis=0), y.mean(axis=0)
    centred = x - middle[0]
    squares = (centred.T @ centred).astype(np.float64) + strength * np.eye(x.shape[1])
    kernel = np.linalg.solve(squares, centred.T @ (y - middle[1]))
    return (asking - middle[0]) @ kernel + middle[1]


def unit(rows):
    rows = rows.astype(np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def nearest_of_each(near, shown, characters):
    """(test, characters): similarity of the nearest training picture of each character, -1 where there is none."""
    best = np.full((len(near), len(characters)), -1.0)
    column = {character: number for number, character in enumerate(characters)}
    for picture, character in enumerate(shown):
        best[:, column[character]] = np.maximum(best[:, column[character]], near[:, picture])
    return best


def from_parts(by_name, names):
    """(test, names): nearest letter plus nearest mark (the mean of several), both of other names; -2 without marks."""
    parts = [letter_and_marks(name) for name in names]
    with_part = {}
    for column, (base, marks) in enumerate(parts):
        for part in (("letter", base), *(("mark", mark) for mark in marks)):
            with_part.setdefault(part, []).append(column)
    scores = np.full(by_name.shape, -2.0)
    for column, (base, marks) in enumerate(parts):
        if not marks:
            continue
        nearest = []
        for part in (("letter", base), *(("mark", mark) for mark in marks)):
            others = [other for other in with_part[part] if other != column]
            nearest.append(by_name[:, others].max(axis=1, initial=-1.0))
        scores[:, column] = nearest[0] + np.mean(nearest[1:], axis=0)
    return scores
