"""Which augmentations leave the label right, and how much too good does a test look that preprocessing has seen?

augmentation: characters of three fonts, drawn carelessly, read in the fourth; what copies of the training pictures add
amount: the mirror alone, with fewer and with more training pictures
leakage: five-fold estimates of accuracy beside the truth on fresh rows, for three ways to look at the test rows
"""

import cv2
import numpy as np
import torch

from mmcourse.data import glyphs
from mmcourse.encoders.torch import ConvolutionalEncoder
from mmcourse.training import seed_everything

ALPHABETS = {"another letter": "bdpq", "itself": "AHIMOTUVWXY", "no letter": "BCDEFGJKLNPQRSZ"}
STYLES = ("sans", "bold", "serif", "mono")
CARELESS = {"shift": 1.5, "scale": 0.15, "turn": 10.0}
CONFIG = {
    "alphabets": ALPHABETS,
    "pictures": 3,  # of each character in each training font
    "amounts": [1, 3, 10],
    "test_pictures": 30,
    "copies": 10,  # of each training picture, where an augmentation draws at random
    "seeds": 10,
    "network_seeds": 3,
    "network_steps": 200,
    "leakage_seeds": 50,
    "rows": [20, 50, 100, 300, 1000],
    "noise_columns": 1000,
    "selected": 20,
    "folds": 5,
    "fresh": 2000,
}
RANDOM = {
    "shift": {"shift": 2.0},
    "resize": {"scale": 0.2},
    "turn by up to 15°": {"turn": 15.0},
    "turn by any angle": {"turn": 180.0},
    "cut to 60%": {"shift": 5.0, "zoom": 1 / 0.6},
}
EXACT = {"mirror": np.s_[:, :, ::-1], "upside down": np.s_[:, ::-1]}
EXCHANGED = "mirror, label too"
NETWORK = ("none", "shift", "mirror", EXCHANGED)
LEAKS = ("standardise", "select", "split", "split, coin labels")


def points(config):
    runs = []
    for reader, seeds in (("nearest neighbour", "seeds"), ("network", "network_seeds")):
        for alphabet in config["alphabets"]:
            for augmentation in ("none", *RANDOM, *EXACT, EXCHANGED):
                exchangeable = alphabet == "another letter" or augmentation != EXCHANGED
                if exchangeable and (reader != "network" or augmentation in NETWORK):
                    setting = {"reader": reader, "alphabet": alphabet, "augmentation": augmentation}
                    runs += [
                        {"sweep": "augmentation", **setting, "font": font, "seed": seed}
                        for font in STYLES
                        for seed in range(config[seeds])
                    ]
    amounts = [
        {"sweep": "amount", "alphabet": alphabet, "augmentation": augmentation, "pictures": pictures, "seed": seed}
        for alphabet in config["alphabets"]
        for augmentation in ("none", "mirror")
        for pictures in config["amounts"]
        for seed in range(config["seeds"])
    ]
    leakage = [
        {"sweep": "leakage", "leak": leak, "rows": rows, "seed": seed}
        for leak in LEAKS
        for rows in config["rows"]
        for seed in range(config["leakage_seeds"])
    ]
    return runs + amounts + leakage


def run(point, config):
    if point["sweep"] == "leakage":
        return leakage(point, config)
    if point["sweep"] == "amount":
        changed = config | {"pictures": point["pictures"]}
        setting = point | {"reader": "nearest neighbour"}
        return {"accuracy": np.mean([read(setting | {"font": font}, changed) for font in STYLES])}
    return {"accuracy": read(point, config)}


# ----------------------------------------------------------------------------------------------- augmentation


def moved(images, rng, *, turn=0.0, scale=0.0, shift=0.0, zoom=1.0):
    """Every picture turned (degrees), resized (by e^scale at most) and shifted (pixels), each at random."""
    size = images.shape[1]
    middle = ((size - 1) / 2, (size - 1) / 2)
    out = np.empty_like(images)
    for row, image in enumerate(images):
        change = cv2.getRotationMatrix2D(middle, rng.uniform(-turn, turn), zoom * np.exp(rng.uniform(-scale, scale)))
        change[:, 2] += rng.uniform(-shift, shift, size=2)
        out[row] = cv2.warpAffine(image, change, (size, size))
    return out


def drawn(characters, style, count, rng):
    """count careless pictures of each character in a style, and their labels."""
    found = glyphs((style,))
    row_of = {character: row for row, character in enumerate(found.characters)}
    images = found.images[[row_of[character] for character in characters]]
    return moved(np.repeat(images, count, axis=0), rng, **CARELESS), np.repeat(np.arange(len(characters)), count)


def augmented(images, labels, characters, augmentation, copies, rng):
    """The pictures and their changed copies."""
    if augmentation == "none":
        return images, labels
    if augmentation in RANDOM:
        more = moved(np.repeat(images, copies, axis=0), rng, **RANDOM[augmentation])
        return np.concatenate([images, more]), np.concatenate([labels, np.repeat(labels, copies)])
    more_labels = labels
    if augmentation == EXCHANGED:
        partner = [characters.index({"b": "d", "d": "b", "p": "q", "q": "p"}[c]) for c in characters]
        more_labels = np.array(partner)[labels]
    more = images[EXACT["mirror" if augmentation == EXCHANGED else augmentation]]
    return np.concatenate([images, more]), np.concatenate([labels, more_labels])


def read(point, config):
    """Accuracy on the font that no training picture has."""
    characters = list(config["alphabets"][point["alphabet"]])
    rng = np.random.default_rng([point["seed"], STYLES.index(point["font"])])
    parts = [drawn(characters, style, config["pictures"], rng) for style in STYLES if style != point["font"]]
    images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    test, truth = drawn(characters, point["font"], config["test_pictures"], rng)
    images, labels = augmented(images, labels, characters, point["augmentation"], config["copies"], rng)
    if point["reader"] == "network":
        answers = network(images, labels, test, len(characters), point["seed"], config["network_steps"])
    else:
        answers = nearest(images, labels, test)
    return float((answers == truth).mean())


def nearest(rows, labels, asked):
    """The label of the nearest row."""
    a, b = rows.reshape(len(rows), -1), asked.reshape(len(asked), -1)
    return labels[((a**2).sum(axis=1) - 2 * b @ a.T).argmin(axis=1)]


def network(images, labels, asked, classes, seed, steps):
    """The answers of a small convolutional network, trained for some steps on these pictures."""
    seed_everything(seed)
    model = ConvolutionalEncoder((12, 24, 48), size=images.shape[1], out_dim=classes)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    x, y = torch.tensor(images), torch.tensor(labels)
    for _ in range(steps):
        rows = torch.randint(len(x), (48,))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        return model(torch.tensor(asked)).argmax(dim=1).numpy()


# ---------------------------------------------------------------------------------------------------- leakage


def leakage(point, config):
    """The estimate with the leak, the one without, and how good the leaky models really are."""
    rng = np.random.default_rng([point["seed"], LEAKS.index(point["leak"])])
    if point["leak"] == "select":
        x, labels, fresh, truth = coins(point["rows"], rng, config)
        group = np.arange(len(x))
    else:
        x, labels, group, fresh, truth = capitals(point, rng, config)
    names, member = np.unique(group, return_inverse=True)
    folds = min(config["folds"], len(names))
    by_group = rng.permutation(len(names))[member] % folds
    by_row = rng.permutation(len(x)) % folds
    leaky_folds = by_row if point["leak"].startswith("split") else by_group
    leaky, really = np.mean(
        [estimate(x, labels, leaky_folds == k, fresh, truth, point, config, leak=True) for k in range(folds)], axis=0
    )
    honest, _ = np.mean(
        [estimate(x, labels, by_group == k, fresh, truth, point, config, leak=False) for k in range(folds)], axis=0
    )
    return {"leaky": leaky, "honest": honest, "really": really}


def estimate(x, labels, held_out, fresh, truth, point, config, leak):
    """Accuracy of the nearest neighbour on the rows held out, and on fresh ones."""
    train, asked, new = x[~held_out], x[held_out], fresh
    seen = np.ones(len(x), dtype=bool) if leak else ~held_out  # what preprocessing looks at
    if point["leak"] == "standardise":
        mean, deviation = x[seen].mean(axis=0), x[seen].std(axis=0)
        deviation[deviation == 0] = 1
        train, asked, new = ((part - mean) / deviation for part in (train, asked, new))
    if point["leak"] == "select":
        best = correlated(x[seen], labels[seen])[: config["selected"]]
        train, asked, new = (part[:, best] for part in (train, asked, new))
    answers = nearest(train, labels[~held_out], np.concatenate([asked, new]))
    return (answers[: len(asked)] == labels[held_out]).mean(), (answers[len(asked) :] == truth).mean()


def correlated(x, labels):
    """Columns, those that go with the labels first."""
    centred = x - x.mean(axis=0)
    return np.argsort(-np.abs(centred.T @ (labels - labels.mean())) / np.sqrt((centred**2).sum(axis=0)))


def coins(rows, rng, config):
    """Columns of noise, and labels by a coin: nothing can be learned."""
    x = rng.normal(size=(rows + config["fresh"], config["noise_columns"])).astype(np.float32)
    labels = rng.integers(2, size=len(x))
    return x[:rows], labels[:rows], x[rows:], labels[rows:]


def capitals(point, rng, config):
    """Pictures of letters in four fonts: a capital or a small one? Fresh rows show other characters."""
    data = letters()
    labels = np.array([" CAPITAL LETTER " in name for name in data.names]).astype(int)
    x = data.images.reshape(len(data), -1)
    groups = rng.permutation(np.unique(data.group))
    if point["leak"] == "split, coin labels":
        labels = rng.integers(2, size=groups.max() + 1)[data.group]  # one coin for all pictures of a character
    ours = np.isin(data.group, groups[: len(groups) * 3 // 4])
    fresh = rng.permutation(np.flatnonzero(~ours))[: config["fresh"]]
    rows = rng.permutation(np.flatnonzero(ours))
    if point["leak"] == "standardise":  # one picture of a character, so that rows are independent
        rows = rows[np.sort(np.unique(data.group[rows], return_index=True)[1])]
    else:  # all pictures of as many characters as it takes
        rows = rows[np.argsort(np.argsort(groups)[np.searchsorted(np.sort(groups), data.group[rows])], kind="stable")]
    rows = rows[: point["rows"]]
    return x[rows], labels[rows], data.group[rows], x[fresh], labels[fresh]


def letters():
    data = glyphs(STYLES)
    return data.take([" CAPITAL LETTER " in name or " SMALL LETTER " in name for name in data.names])
