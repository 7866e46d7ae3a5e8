"""What does a summary of a sequence forget, and who finds the object that a question asks about?

recall: a sequence of (name, value) pairs, and one name; which value? Items are summed up by their mean, by attention
    with a learned query, which does not know the question, or with the question as query; against the length
patience, width: means of eight items with five times the steps, and with a summary four times as wide
family: eight items by a crossmodal Transformer, and by a bottleneck of one token in two and in three layers
pictures: scenes of three objects, and "what shape is the red object?"; the picture is 64 vectors of a small network
    that was trained on scenes of one object and stays as it is
"""

from functools import cache

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from mmcourse.data import WordTokens, scenes, vocabulary
from mmcourse.data.scenes import SHAPES
from mmcourse.encoders.torch import TransformerEncoder
from mmcourse.fusion.torch import AttentionPooling, BottleneckTransformer, CrossAttention, CrossmodalTransformer
from mmcourse.training import seed_everything

CONFIG = {
    "seeds": 3,
    "recall": {"names": 16, "values": 4, "width": 32, "steps": 800, "batch": 128, "learning_rate": 1e-2},
    "lengths": [1, 2, 4, 8, 16],
    "patience": 5,
    "wide": 128,
    "family": {"learning_rate": 3e-3},
    "pictures": {"scenes": 3000, "width": 32, "steps": 900, "batch": 32, "learning_rate": 5e-3, "weight_decay": 1e-2},
    "picture_encoder": {"scenes": 3000, "steps": 450, "batch": 48, "learning_rate": 5e-3},
}
POOLS = ("mean", "learned query", "question as query")
FAMILY = ("crossmodal", "bottleneck of two layers", "bottleneck of three layers")
FUSIONS = ("picture alone", "means", "learned queries", "cross-attention", "joined")


def points(config):
    seeds = range(config["seeds"])
    recall = [
        {"sweep": "recall", "pool": pool, "length": length, "seed": seed}
        for length in config["lengths"]
        for pool in POOLS
        for seed in seeds
    ]
    more = [{"sweep": sweep, "pool": "mean", "length": 8, "seed": s} for sweep in ("patience", "width") for s in seeds]
    family = [{"sweep": "family", "pool": pool, "length": 8, "seed": seed} for pool in FAMILY for seed in seeds]
    pictures = [{"sweep": "pictures", "fusion": fusion, "seed": seed} for fusion in FUSIONS for seed in seeds]
    return recall + more + family + pictures


def train(model, draw, seed, *, steps, learning_rate, weight_decay=0.0, **_):
    """AdamW, whose rate rises over the first steps and falls over the second half."""
    generator = torch.Generator().manual_seed(seed + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: min(1, (i + 1) / 30, 2 * (steps - i) / steps))
    for _ in range(steps):
        *inputs, labels = draw(generator)
        loss = cross_entropy(model(*inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()


@torch.no_grad()
def right(model, *inputs_and_labels):
    *inputs, labels = inputs_and_labels
    return (model(*inputs).argmax(dim=1) == labels).double().mean().item()


# Recall


def items_and_question(count, length, generator, names, values):
    """Items (count, length, names + values), the question (count, names), and the value asked for (count,)."""
    named = torch.rand(count, names, generator=generator).argsort(dim=1)[:, :length]
    valued = torch.randint(values, (count, length), generator=generator)
    asked, rows = torch.randint(length, (count,), generator=generator), torch.arange(count)
    items = torch.cat([one_hot(named, names), one_hot(valued, values)], dim=2).float()
    return items, one_hot(named[rows, asked], names).float(), valued[rows, asked]


class Recall(nn.Module):
    def __init__(self, pool, names, values, width):
        super().__init__()
        self.item = nn.Sequential(nn.Linear(names + values, 128), nn.ReLU(), nn.Linear(128, width))
        self.question = nn.Linear(names, width)
        self.pool = pool
        if pool == "learned query":
            self.attention = AttentionPooling(width)
        if pool == "question as query":
            self.attention = CrossAttention(width, heads=1)
        if pool in FAMILY:
            dims = {"list": width, "question": width}
            sizes = {"dim": width, "heads": 1, "hidden_size": 2 * width, "out_dim": 1}
            if pool == "crossmodal":
                self.attention = CrossmodalTransformer(dims, layers=1, **sizes)
            else:
                layers = 3 if pool.endswith("three layers") else 2
                self.attention = BottleneckTransformer(dims, layers=layers, tokens=1, **sizes)
        self.head = nn.Sequential(nn.Linear(2 * width, 128), nn.ReLU(), nn.Linear(128, values))

    def forward(self, items, question):
        x, question = self.item(items), self.question(question)
        if self.pool == "mean":
            summary = x.mean(dim=1)
        elif self.pool == "learned query":
            summary = self.attention(x)[:, 0]
        elif self.pool in FAMILY:
            summary = self.attention.streams({"list": x, "question": question[:, None]})["question"][:, 0]
        else:
            summary = self.attention(question[:, None], x)[:, 0]
        return self.head(torch.cat([summary, question], dim=1))


def run_recall(point, config):
    options = dict(config["recall"])
    if point["sweep"] == "patience":
        options["steps"] *= config["patience"]
    if point["sweep"] == "width":
        options["width"] = config["wide"]
    if point["sweep"] == "family":
        options |= config["family"]
    names, values = options["names"], options["values"]
    seed_everything(point["seed"])
    model = Recall(point["pool"], names, values, options["width"])
    train(
        model,
        lambda generator: items_and_question(options["batch"], point["length"], generator, names, values),
        point["seed"],
        **options,
    )
    test = items_and_question(4000, point["length"], torch.Generator().manual_seed(10_000), names, values)
    return {"accuracy": right(model, *test)}


# Pictures


@cache
def picture_encoder(seed, scene_count, steps, batch, learning_rate):
    """A network (n, 3, 32, 32) -> (n, 64, 32), trained to tell shape and colour of a single object."""
    world = scenes(scene_count, seed=100 + seed, objects=(1, 1), sizes=("large",), moving=0.0)
    images = torch.tensor(world.images(32))
    shape, colour = torch.tensor(world.shape[:, 0]), torch.tensor(world.colour[:, 0])
    seed_everything(seed)
    encoder = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.ReLU(),
    )  # fmt: skip
    heads = nn.Linear(32, 4 + 6)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *heads.parameters()], lr=learning_rate)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(len(images), (batch,), generator=generator)
        told = heads(encoder(images[rows]).amax(dim=(2, 3)))
        loss = cross_entropy(told[:, :4], shape[rows]) + cross_entropy(told[:, 4:], colour[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder


@cache
def asked(seed, train_count, test_count, encoder_settings):
    """Picture vectors (n, 64, 32) of deviation one, words (n, 6) and answers, for training and test; how many words."""
    world = scenes(
        train_count + test_count, seed=seed, objects=(3, 3), all_different=True, sizes=("large",), moving=0.0
    )
    questions = world.questions(("shape",), seed=seed)
    encoder = picture_encoder(seed, *encoder_settings)
    with torch.no_grad():
        vectors = encoder(torch.tensor(world.images(32))).flatten(2).transpose(1, 2)
    vectors = vectors / vectors[:train_count].std()
    words = vocabulary(questions.text)
    ids = torch.tensor(WordTokens(words).encode(questions.text))
    answers = torch.tensor([SHAPES.index(answer) for answer in questions.answer])
    parts = slice(train_count), slice(train_count, None)
    return *((vectors[part], ids[part], answers[part]) for part in parts), len(words)


class Answer(nn.Module):
    """Words and picture vectors with positions, a fusion, and a head of two layers."""

    def __init__(self, fusion, words, width):
        super().__init__()
        self.words = nn.Embedding(words + 1, width)
        self.word_positions = nn.Parameter(torch.randn(6, width) * 0.02)
        self.picture_positions = nn.Parameter(torch.randn(64, width) * 0.02)
        self.fusion = fusion
        if fusion in ("picture alone", "learned queries"):
            self.attention = AttentionPooling(width, count=4, heads=4)
        if fusion == "cross-attention":
            self.attention = CrossAttention(width, heads=4)
        if fusion == "joined":
            self.transformer = TransformerEncoder(width, layers=2, heads=4, hidden_size=2 * width)
        read = {"picture alone": 4, "learned queries": 5, "joined": 1}.get(fusion, 2) * width
        self.head = nn.Sequential(nn.Linear(read, 64), nn.ReLU(), nn.Linear(64, len(SHAPES)))

    def forward(self, pictures, ids):
        x, words = pictures + self.picture_positions, self.words(ids) + self.word_positions
        if self.fusion == "joined":
            return self.head(self.transformer(torch.cat([x, words], dim=1)).mean(dim=1))
        if self.fusion == "means":
            seen = x.mean(dim=1)
        elif self.fusion == "cross-attention":
            seen = self.attention(words, x).mean(dim=1)
        else:
            seen = self.attention(x).flatten(1)
        return self.head(seen if self.fusion == "picture alone" else torch.cat([seen, words.mean(dim=1)], dim=1))


def run_pictures(point, config):
    options = config["pictures"]
    encoder = config["picture_encoder"]
    settings = encoder["scenes"], encoder["steps"], encoder["batch"], encoder["learning_rate"]
    training, test, words = asked(point["seed"], options["scenes"], 1000, settings)

    def draw(generator):
        rows = torch.randint(len(training[0]), (options["batch"],), generator=generator)
        return tuple(array[rows] for array in training)

    seed_everything(point["seed"])
    model = Answer(point["fusion"], words, options["width"])
    train(model, draw, point["seed"], **options)
    return {"accuracy": right(model, *test)}


def run(point, config):
    return run_pictures(point, config) if point["sweep"] == "pictures" else run_recall(point, config)
