"""What do decoders say of pictures that they have not seen, beside the caption of the nearest picture?

glyphs: names of Latin letters from pictures in three fonts; asked about a fourth font, about combinations of letter and
    marks that no training picture shows, and about both; three decoders and the nearest neighbour in pixels
scenes: one or two coloured shapes; asked about new places, and about combinations of colour and shape held out
orders: two shapes, named in either order by chance; words that see the words before them, and words that do not
"""

import re

import numpy as np
import torch

from mmcourse.data import CaptionTokens, glyphs, letter_and_marks, scenes, vocabulary
from mmcourse.decoders.torch import Captioner, FeatureMap, RecurrentDecoder, TransformerDecoder, VisualTokenDecoder
from mmcourse.training import caption, fit_captions, seed_everything

CONFIG = {
    "seeds": 3,
    "names": "LATIN (SMALL|CAPITAL) LETTER [A-Z]( WITH .*)?",
    "fonts": ["sans", "bold", "serif"],
    "held_out_font": "mono",
    "held_out_names": 60,
    "copies": 3,
    "scenes": 4500,
    "scene_test": 500,
    "size": 32,
    "widths": [16, 32, 48],
    "dim": 48,
    "hidden_size": 96,
    "glyph_training": {"epochs": 12, "learning_rate": 4e-3},
    "scene_training": {"epochs": 10, "learning_rate": 4e-3},
    "order_training": {"epochs": 14, "learning_rate": 4e-3},
}
LENGTH = 12  # words of a caption with its end token


def points(config):
    seeds = range(config["seeds"])
    models = ("nearest picture", "recurrent", "cross-attention", "visual tokens")
    glyph = [{"sweep": "glyphs", "model": model, "seed": seed} for seed in seeds for model in models]
    scene = [
        {"sweep": "scenes", "model": model, "seed": seed} for seed in seeds for model in models if "rec" not in model
    ]
    orders = [
        {"sweep": "orders", "model": model, "seed": s} for s in seeds for model in ("word by word", "all at once")
    ]
    return glyph + scene + orders


def run(point, config):
    return {"glyphs": name_glyphs, "scenes": describe_scenes, "orders": either_order}[point["sweep"]](point, config)


class AllAtOnce(Captioner):
    """Every word from the picture and its place alone: what was said before is hidden."""

    def forward(self, images, ids, mask=None):
        return super().forward(images, torch.full_like(ids, self.decoder.count - 2), mask)


def build(model, config, *, count, size, channels, captioner=Captioner):
    """An untrained captioner of one kind; all have the same feature map."""
    flat = model == "recurrent"
    places = FeatureMap(config["widths"], size=size, channels=channels, flat=flat, check_values=False)
    own = {"dim": config["dim"], "hidden_size": config["hidden_size"], "check_values": False}
    if flat:
        return captioner(places, RecurrentDecoder(count, vector_dim=places.places * places.dim, **own))
    transformer = own | {"layers": 2, "heads": 4}
    if model == "visual tokens":
        plain = TransformerDecoder(count, length=LENGTH + places.places, **transformer)
        return captioner(places, VisualTokenDecoder(plain, patch_dim=places.dim, check_values=False))
    return captioner(places, TransformerDecoder(count, length=LENGTH, memory_dim=places.dim, **transformer))


def nearest(images, captions, asked):
    """The caption of the training picture that is nearest in pixels."""
    known, new = images.reshape(len(images), -1), asked.reshape(len(asked), -1)
    distances = (known**2).sum(axis=1) - 2 * new @ known.T
    return [captions[row] for row in distances.argmin(axis=1)]


def shares(name, said, true):
    """Of captions that match exactly; of those whose letter, and whose marks, are right."""
    parts = [(letter_and_marks(a), letter_and_marks(b)) for a, b in zip(said, true, strict=True)]
    found = {
        "": [a == b for a, b in zip(said, true, strict=True)],
        "_letter": [a[0] == b[0] for a, b in parts],
        "_marks": [a[1] == b[1] for a, b in parts],
    }
    return {name + kind: float(np.mean(values)) for kind, values in found.items()}


def captioned(point, config, images, captions, tests, training, *, channels, tokens, copies=1):
    """Shares on every test, as `shares` names them.  tests: {name: (images, captions)}"""
    seed_everything(point["seed"])
    if point["model"] == "nearest picture":
        images = images[: len(images) // copies]  # moved copies make the nearest picture a worse guess
        said = {name: nearest(images, captions, asked) for name, (asked, _) in tests.items()}
        return {key: value for name in tests for key, value in shares(name, said[name], tests[name][1]).items()}
    model = build(point["model"], config, count=tokens.count, size=images.shape[-1], channels=channels)
    ids = tokens.encode(captions)
    fit_captions(model, images, ids, seed=point["seed"], device="cpu", progress=False, **training)
    said = {name: caption(model, asked, tokens, max_length=LENGTH)[0] for name, (asked, _) in tests.items()}
    return {key: value for name in tests for key, value in shares(name, said[name], tests[name][1]).items()}


def name_glyphs(point, config):
    every = glyphs((*config["fonts"], config["held_out_font"]))
    some = every.take([i for i, name in enumerate(every.names) if re.fullmatch(config["names"], name)])
    known, unseen = some.split(point["seed"], held_out=config["held_out_names"])
    other = [np.array(part.styles) == config["held_out_font"] for part in (known, unseen)]
    train = known.take(~other[0])
    parts = {"font": known.take(other[0]), "name": unseen.take(~other[1]), "both": unseen.take(other[1])}
    rng = np.random.default_rng(point["seed"])
    images = np.concatenate([train.images, *(train.jittered(rng).images for _ in range(config["copies"] - 1))])
    tests = {name: (part.images[:, None], part.names) for name, part in parts.items()}
    tokens = CaptionTokens(vocabulary(train.names))
    captions = train.names * config["copies"]
    return captioned(
        point,
        config,
        images[:, None],
        captions,
        tests,
        config["glyph_training"],
        channels=1,
        tokens=tokens,
        copies=config["copies"],
    )


def small_world(seed, config, objects):
    """Scenes of large shapes at rest."""
    colours, shapes = ("red", "yellow", "green", "blue"), ("circle", "square", "triangle")
    return scenes(
        config["scenes"], seed=seed, objects=objects, colours=colours, shapes=shapes, sizes=("large",), moving=0.0
    )


def describe_scenes(point, config):
    known, unseen = small_world(point["seed"], config, (1, 2)).split(point["seed"], held_out=2)
    train, places = known.take(slice(config["scene_test"], None)), known.take(slice(config["scene_test"]))
    parts = {"place": places, "combination": unseen.take(slice(config["scene_test"]))}
    tests = {name: (part.images(config["size"]), part.captions(about=())) for name, part in parts.items()}
    captions = train.captions(about=())
    tokens = CaptionTokens(vocabulary(captions))
    images = train.images(config["size"])
    return captioned(point, config, images, captions, tests, config["scene_training"], channels=3, tokens=tokens)


def either_order(point, config):
    """Share of captions that are right in one order or the other, and of those that mix the two."""
    world = small_world(point["seed"], config, (2, 2)).take(slice(2500))
    pairs = [text.removeprefix("there is ").split(" and ") for text in world.captions(about=())]
    turned = np.random.default_rng(point["seed"]).random(len(pairs)) < 0.5
    captions = [" and ".join(pair[::-1] if back else pair) for pair, back in zip(pairs, turned, strict=True)]
    tokens, images = CaptionTokens(vocabulary(captions)), world.images(config["size"])
    seed_everything(point["seed"])
    kind = Captioner if point["model"] == "word by word" else AllAtOnce
    model = build("cross-attention", config, count=tokens.count, size=config["size"], channels=3, captioner=kind)
    rows, test, ids = slice(500, None), slice(500), tokens.encode(captions)
    fit_captions(
        model, images[rows], ids[rows], seed=point["seed"], device="cpu", progress=False, **config["order_training"]
    )
    if kind is Captioner:
        said = caption(model, images[test], tokens, max_length=LENGTH)[0]
    else:
        model.eval()
        with torch.no_grad():
            starts = torch.full((500, ids.shape[1] - 1), tokens.start)
            said = tokens.decode(model(torch.tensor(images[test]), starts).argmax(dim=2).numpy())
    true = [{" and ".join(pair), " and ".join(pair[::-1])} for pair in pairs[:500]]
    return {"right": float(np.mean([text in both for text, both in zip(said, true, strict=True)]))}
