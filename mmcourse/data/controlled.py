"""Vectors whose label is redundant, unique or synergistic across modalities, with the best possible accuracy known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from mmcourse.data.paired import PairedData
from mmcourse.data.presence import subset_chances
from mmcourse.errors import ModalityError, ShapeError, UnknownModalityError

Kind = Literal["redundant", "unique", "synergistic", "shared_noise", "mixed"]
_PHI = NormalDist().cdf
_QUANTITIES = ("label", "sign", "shared", "direction", "noise", "presence", "share")


@dataclass(frozen=True, eq=False)
class ControlledPairs(PairedData):
    """PairedData whose distribution is known.

    bayes_accuracy: what the best rule reaches that knows the distribution and sees all modalities
    alone: {modality: what the best rule reaches that sees only this one, guessing where it is missing}
    late_accuracy: what the product of the posteriors p(y | x_m) reaches, the best of decisions made apart
    directions: {modality: (width,) unit vector}; everything but noise lies along it
    """

    bayes_accuracy: float = 0.5
    late_accuracy: float = 0.5
    alone: dict[str, float] = field(default_factory=dict)
    directions: dict[str, np.ndarray] = field(default_factory=dict)


def controlled_pairs(
    kind: Kind,
    n: int,
    *,
    separation: Mapping[str, float],
    widths: Mapping[str, int],
    missing: Mapping[str, float] | None = None,
    synergy: float | None = None,
    seed: int,
) -> ControlledPairs:
    """n examples x_m = z_m u_m + noise: z_m a number, u_m a unit vector fixed by seed, noise normal with variance 1.

    The label y is -1 or +1 with equal chances (stored as 0 and 1). With d_m = separation[m], in the order of `widths`:
      redundant     z_m = d_m y in every modality; best accuracy Phi(sqrt(sum_m d_m^2))
      unique        z_1 = d_1 y, the others d_m s_m with random signs of their own; best Phi(d_1)
      synergistic   z_m = d_m s_m for two random signs and y = s_1 s_2; best p_1 p_2 + (1 - p_1)(1 - p_2)
      shared_noise  z_1 = d_1 y + d_2 e and z_2 = d_2 e with one normal e: the second says nothing of y, but helps to
                    cancel e; best Phi(sqrt(m' S^-1 m))
      mixed         in a share `synergy` of the examples as synergistic, in the others as redundant; the last column of
                    each modality is free of noise and tells which: 1 and -1; best: the two best, in these shares
    where p_m = Phi(d_m), m = (d_1, 0) and S = I + d_2^2 [[1, 1], [1, 1]] is the covariance of the two projections.
    redundant and unique take one or more modalities, the others exactly two; mixed needs widths of at least 2.

    missing: {modality: probability that it is missing}, independent, drawn again where nothing would be left; a missing
    row is NaN. bayes_accuracy is then the mean over what can be present: sum over subsets of P(subset) best(subset).
    Apart, the posteriors know nothing of a synergistic label (late_accuracy 1/2) and cannot cancel shared noise.
    Training and test data need the same directions: draw once and `take` the parts. A larger n only adds rows.
    numpy.random.default_rng(seed) is the very stream of the labels: randomness of your own needs another seed.
    Raises ModalityError for a separation, width or rate that does not fit, ValueError for an unknown kind or n < 1.
    """
    _check(kind, n, separation, widths, missing)
    share = _check_synergy(kind, synergy, widths)
    names, d = tuple(widths), {name: float(separation[name]) for name in widths}
    first = names[0]

    def stream(quantity: str, position: int = 0) -> np.random.Generator:
        # One for each quantity and modality: one dial more, or a larger n, changes nothing else.
        return np.random.default_rng([seed, _QUANTITIES.index(quantity), position])

    y = _signs(n, stream("label"))
    signs = {name: _signs(n, stream("sign", i)) for i, name in enumerate(names)}
    latent: dict[str, np.ndarray]
    if kind == "redundant":
        latent = {name: d[name] * y for name in names}
    elif kind == "unique":
        latent = {name: d[name] * (y if name == first else signs[name]) for name in names}
    elif kind == "synergistic":
        latent = {name: d[name] * signs[name] for name in names}
        y = signs[names[0]] * signs[names[1]]
    elif kind == "mixed":
        synergistic = stream("share").random(n) < share
        latent = {name: d[name] * np.where(synergistic, signs[name], y) for name in names}
        y = np.where(synergistic, signs[names[0]] * signs[names[1]], y)
    else:
        shared = d[names[1]] * stream("shared").standard_normal(n)
        latent = {first: d[first] * y + shared, names[1]: shared}

    telling = 1 if kind == "mixed" else 0  # columns that tell, beside the direction
    directions = {
        name: np.pad(_unit_vector(widths[name] - telling, stream("direction", i)), (0, telling))
        for i, name in enumerate(names)
    }
    features = {
        name: latent[name][:, None] * directions[name] + stream("noise", i).standard_normal((n, widths[name]))
        for i, name in enumerate(names)
    }

    if kind == "mixed":
        for rows in features.values():
            rows[:, -1] = np.where(synergistic, 1.0, -1.0)

    best, late = _best_accuracy(kind, names, d, share), _late_accuracy(kind, names, d, share)
    chances = subset_chances({name: (missing or {}).get(name, 0.0) for name in names})
    alone = {}
    for name in names:
        present = sum(chance for subset, chance in chances.items() if name in subset)
        alone[name] = present * best((name,)) + (1 - present) / 2

    mask = None
    if missing:
        subsets = stream("presence").choice(len(chances), size=n, p=list(chances.values()))
        mask = {name: np.array([name in subset for subset in chances])[subsets] for name in missing}
        for name, present_rows in mask.items():
            features[name][~present_rows] = np.nan
    return ControlledPairs(
        features,
        (y > 0).astype(np.int64),
        ("-1", "+1"),
        mask,
        bayes_accuracy=sum(chance * best(subset) for subset, chance in chances.items()),
        late_accuracy=sum(chance * late(subset) for subset, chance in chances.items()),
        alone=alone,
        directions=directions,
    )


def _best_accuracy(
    kind: Kind, names: tuple[str, ...], d: Mapping[str, float], share: float
) -> Callable[[tuple[str, ...]], float]:
    """The Bayes accuracy as a function of the modalities that are present, a tuple in the order of names."""

    def best(subset: tuple[str, ...]) -> float:
        if kind == "redundant":
            return _PHI(sqrt(sum(d[name] ** 2 for name in subset)))
        if kind == "unique":
            return _PHI(d[names[0]]) if names[0] in subset else 0.5
        if kind == "synergistic":
            if len(subset) < 2:
                return 0.5
            p, q = (_PHI(d[name]) for name in names)
            return p * q + (1 - p) * (1 - q)
        if kind == "mixed":
            parts = (_best_accuracy(part, names, d, share)(subset) for part in ("redundant", "synergistic"))
            return float(np.dot((1 - share, share), list(parts)))
        # shared_noise: restrict m and S to what is present
        mean = np.array([d[name] if name == names[0] else 0.0 for name in subset])
        covariance = np.eye(len(subset)) + d[names[1]] ** 2
        return _PHI(sqrt(mean @ np.linalg.solve(covariance, mean)))

    return best


def _late_accuracy(
    kind: Kind, names: tuple[str, ...], d: Mapping[str, float], share: float
) -> Callable[[tuple[str, ...]], float]:
    """The accuracy of the product of posteriors as a function of the modalities that are present.

    A posterior p(y | x_m) of a synergistic label is 1/2. With shared noise only the first tells anything.
    """
    best = _best_accuracy(kind, names, d, share)

    def late(subset: tuple[str, ...]) -> float:
        if kind in ("synergistic", "mixed"):
            redundant = _best_accuracy("redundant", names, d, share)(subset)
            synergistic = share if kind == "mixed" else 1.0
            return (1 - synergistic) * redundant + synergistic / 2
        if kind == "shared_noise":
            return best(names[:1]) if names[0] in subset else 0.5
        return best(subset)

    return late


def _signs(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(n) < 0.5, -1.0, 1.0)


def _unit_vector(width: int, rng: np.random.Generator) -> np.ndarray:
    vector = rng.standard_normal(width)
    return vector / np.linalg.norm(vector)


def _check(
    kind: str, n: int, separation: Mapping[str, float], widths: Mapping[str, int], missing: Mapping[str, float] | None
) -> None:
    where = "controlled_pairs"
    if kind not in get_args(Kind):
        raise ValueError(f"{where}: kind: got {kind!r}, wanted one of {', '.join(get_args(Kind))}")
    if n < 1:
        raise ValueError(f"{where}: n: got {n}, wanted at least 1")
    two_only = kind in ("synergistic", "shared_noise", "mixed")
    if not widths or (two_only and len(widths) != 2):
        wanted = "exactly 2" if two_only else "at least 1"
        raise ValueError(f"{where}: {kind}: got {len(widths)} modalities, wanted {wanted}")
    for what, values in (("separation", separation), ("missing rate", missing or {})):
        for name in values:
            if name not in widths:
                raise UnknownModalityError(name, got=f"a {what}", wanted=f"one of {', '.join(widths)}", where=where)
    for name, width in widths.items():
        if width < 1:
            raise ShapeError(name, got=f"width {width}", wanted="at least 1", where=where)
        if name not in separation:
            raise UnknownModalityError(name, got="no separation", wanted="one", where=where)
        if not 0 <= separation[name] < np.inf:
            raise ModalityError(name, got=f"separation {separation[name]}", wanted="a number >= 0", where=where)
    for name, rate in (missing or {}).items():
        if not 0 <= rate < 1:
            raise ModalityError(name, got=f"missing rate {rate}", wanted="at least 0 and below 1", where=where)


def _check_synergy(kind: str, synergy: float | None, widths: Mapping[str, int]) -> float:
    """The share of synergistic examples of mixed pairs; other kinds have none."""
    where = "controlled_pairs"
    if kind != "mixed":
        if synergy is not None:
            raise ValueError(f"{where}: synergy: got {synergy} for the kind {kind}, wanted it for mixed only")
        return 0.0
    if synergy is None or not 0 <= synergy <= 1:
        raise ValueError(f"{where}: synergy: got {synergy}, wanted a share from 0 to 1")
    for name, width in widths.items():
        if width < 2:
            raise ShapeError(name, got=f"width {width}", wanted="at least 2 for mixed", where=where)
    return float(synergy)
