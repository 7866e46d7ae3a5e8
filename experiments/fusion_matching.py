"""Who notices that two colours were exchanged: two towers, or a matching head, and what are its wrong pairs?

Pictures of two objects, captions such as "red circle blue square", the objects in random order. Asked is whether the
true caption scores higher than the same with the colours exchanged, on new pictures; chance is one half.
towers: contrastive learning of two encoders, scored by the cosine
random: the same, and a matching head on cross-attention whose wrong pairs are drawn evenly from the batch
hard: the same, drawn by the contrastive similarity
batches "mixed": as they come;  "apart": no batch holds both arrangements of the same colours and shapes
epochs 20: a run of its own, whose learning rate falls twice as slowly
"""

import numpy as np
import torch
from torch import nn

from mmcourse.alignment.torch import MultiPositiveInfoNCE, hard_negatives, image_text_matching
from mmcourse.data.scenes import COLOURS, SHAPES, scenes_by_hand
from mmcourse.encoders.torch import Embedding, TransformerEncoder
from mmcourse.fusion.torch import CrossAttention
from mmcourse.training import seed_everything

CONFIG = {
    "methods": ["towers", "random", "hard"],
    "seeds": {"mixed": 5, "apart": 3},
    "train": 2000,
    "test": 500,
    "size": 24,
    "dim": 48,
    "heads": 4,
    "epochs": 10,
    "patient": {"epochs": 20, "seeds": 3},
    "evaluate_every": 2,
    "batch_size": 64,
    "learning_rate": 5e-3,
    "weight_decay": 1e-2,
}


def points(config):
    sweeps = [(batches, config["epochs"], seeds) for batches, seeds in config["seeds"].items()]
    sweeps.append(("mixed", config["patient"]["epochs"], config["patient"]["seeds"]))
    return [
        {"batches": batches, "epochs": epochs, "method": method, "seed": seed}
        for batches, epochs, seeds in sweeps
        for seed in range(seeds)
        for method in config["methods"]
    ]


def run(point, config):
    seed_everything(point["seed"])
    train, test = two_objects(config["train"], 0, config["size"]), two_objects(config["test"], 1, config["size"])
    model, rng = Matcher(config["dim"], config["heads"]), np.random.default_rng(point["seed"])
    rates = {"lr": config["learning_rate"], "weight_decay": config["weight_decay"]}
    optimizer = torch.optim.AdamW(model.parameters(), **rates)
    steps = point["epochs"] * (config["train"] // config["batch_size"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config["learning_rate"], total_steps=steps, pct_start=0.2)
    result = {}
    for epoch in range(1, point["epochs"] + 1):
        for rows in batches_of(train, config["batch_size"], point["batches"] == "apart", rng):
            loss = loss_of(model, train, rows, point["method"], rng)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if epoch % config["evaluate_every"] == 0:
            result |= {f"{name}_{epoch}": value for name, value in evaluate(model, test, point["method"]).items()}
    return result


def two_objects(count, seed, size):
    """Pictures of two objects, and their colours and shapes: (count, 3, size, size), (count, 2), (count, 2)."""
    rng = np.random.default_rng(seed)
    colours, shapes = (np.array([rng.permutation(n)[:2] for _ in range(count)]) for n in (len(COLOURS), len(SHAPES)))
    names = list(COLOURS), list(SHAPES)
    scenes = []
    for colour, shape in zip(colours, shapes, strict=True):
        places = rng.uniform(0.2, 0.8, (2, 2))
        while np.linalg.norm(places[0] - places[1]) < 0.4:
            places = rng.uniform(0.2, 0.8, (2, 2))
        told = zip(colour, shape, places, strict=True)
        scenes.append([{"colour": names[0][c], "shape": names[1][s], "position": tuple(p)} for c, s, p in told])
    return torch.tensor(scenes_by_hand(scenes).images(size)), colours, shapes


def captions(colours, shapes, turned=None):
    """Ids of four words: colour, shape, colour, shape; where turned the second object comes first."""
    ids = np.stack([colours[:, 0], len(COLOURS) + shapes[:, 0], colours[:, 1], len(COLOURS) + shapes[:, 1]], axis=1)
    return torch.tensor(ids if turned is None else np.where(turned[:, None], ids[:, [2, 3, 0, 1]], ids))


def groups_of(colours, shapes):
    """A number for each set of two objects."""
    objects = np.sort(len(SHAPES) * colours + shapes, axis=1)
    return torch.tensor(len(COLOURS) * len(SHAPES) * objects[:, 0] + objects[:, 1])


def batches_of(data, size, apart, rng):
    """Rows of full batches in a new order. apart: of the two arrangements of the same words, one in a batch."""
    _, colours, shapes = data
    order = rng.permutation(len(colours))
    if not apart:
        return order[: len(order) // size * size].reshape(-1, size)
    words = np.concatenate([np.sort(colours, axis=1), np.sort(shapes, axis=1)], axis=1)
    bag = np.unique(words, axis=0, return_inverse=True)[1].ravel()
    arrangement = (colours[:, 0] < colours[:, 1]) == (shapes[:, 0] < shapes[:, 1])
    side = (arrangement ^ (rng.random(bag.max() + 1) < 0.5)[bag])[order]
    halves = [order[side == half] for half in (False, True)]
    batches = np.concatenate([rows[: len(rows) // size * size].reshape(-1, size) for rows in halves])
    return batches[rng.permutation(len(batches))]


class Matcher(nn.Module):
    """Two towers over patches and words, and a head that lets the words read the patches."""

    def __init__(self, dim, heads):
        super().__init__()
        self.patches = nn.Sequential(
            nn.Conv2d(3, dim // 2, 5, stride=2, padding=2), nn.BatchNorm2d(dim // 2), nn.ReLU(),
            nn.Conv2d(dim // 2, dim, 3, stride=2, padding=1), nn.BatchNorm2d(dim), nn.ReLU(),
            nn.Conv2d(dim, dim, 3, padding=1), nn.BatchNorm2d(dim), nn.Flatten(2),
        )  # fmt: skip
        self.words = Embedding(len(COLOURS) + len(SHAPES), out_dim=dim)
        self.positions = nn.Parameter(0.3 * torch.randn(4, dim))
        self.text = TransformerEncoder(dim, layers=1, heads=heads, hidden_size=2 * dim)
        self.image_vector, self.text_vector = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.contrast = MultiPositiveInfoNCE(scale=10.0)
        self.cross, self.norm = CrossAttention(dim, heads=heads), nn.LayerNorm(dim)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, 1))

    def encode(self, pictures, ids):
        """Patches (batch, n, dim), words (batch, 4, dim)."""
        return self.patches(pictures).transpose(1, 2), self.text(self.words(ids) + self.positions)

    def vectors(self, patches, words):
        """One vector for each picture and caption."""
        return self.image_vector(patches.relu().mean(dim=1)), self.text_vector(words.mean(dim=1))

    def match(self, patches, words):
        """The logit of "they belong together": (batch,)."""
        asked = self.norm(words)
        return self.head(asked + self.cross(asked, patches)).mean(dim=1)[:, 0]


def loss_of(model, data, rows, method, rng):
    """The contrastive loss of a batch, and with a matching head its loss on true pairs and as many wrong ones twice."""
    pictures, colours, shapes = data
    ids = captions(colours[rows], shapes[rows], rng.random(len(rows)) < 0.5)
    groups = groups_of(colours[rows], shapes[rows])
    patches, words = model.encode(pictures[rows], ids)
    image, text = model.vectors(patches, words)
    loss = model.contrast(image, text, groups)
    if method == "towers":
        return loss
    scale = model.contrast.scale() if method == "hard" else 0.0
    uniform = torch.tensor(rng.random((2, len(rows))))
    texts, images = hard_negatives(image, text, scale=scale, uniform=uniform, groups=groups)
    logits = model.match(torch.cat([patches, patches, patches[images]]), torch.cat([words, words[texts], words]))
    return loss + image_text_matching(logits, torch.arange(len(logits)) < len(rows))


@torch.no_grad()
def evaluate(model, data, method):
    """Shares of pictures whose own caption scores higher than the exchanged one, and than another picture's."""
    pictures, colours, shapes = data
    model.eval()
    scores = {}
    for name, ids in {
        "own": captions(colours, shapes),
        "exchanged": captions(colours[:, ::-1], shapes),
        "other": captions(np.roll(colours, 1, axis=0), np.roll(shapes, 1, axis=0)),
    }.items():
        patches, words = model.encode(pictures, ids)
        cosine = torch.cosine_similarity(*model.vectors(patches, words))
        scores[name] = (cosine, cosine if method == "towers" else model.match(patches, words))
    model.train()
    result = {name: float((scores["own"][1] > scores[name][1]).double().mean()) for name in ("exchanged", "other")}
    return result | {"exchanged_towers": float((scores["own"][0] > scores["exchanged"][0]).double().mean())}
