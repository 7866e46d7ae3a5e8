"""The micro-world by brute force: points inside shapes, outlines as many points. No geometry of the package."""

from collections.abc import Iterator

import numpy as np

from mmcourse.data.scenes import COLOURS, SHAPES, SIZES, Scenes, scenes

COLOUR_NAMES, SIZE_NAMES = tuple(COLOURS), tuple(SIZES)


def world(n: int = 60, **options) -> Scenes:
    return scenes(n, **{"seed": 3, **options})


def inside(shape: int, radius: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether points, relative to the centre, are in the shape; written from what the shape is."""
    area = np.pi * radius**2
    match SHAPES[shape]:
        case "circle":
            return x**2 + y**2 <= radius**2
        case "square":
            return np.maximum(abs(x), abs(y)) <= np.sqrt(area) / 2
        case "diamond":
            half = np.sqrt(area / 2)  # half the diagonal of an upright square, then stretched
            return abs(x) / 0.8 + abs(y) / 1.25 <= half
        case "triangle":
            side = np.sqrt(4 * area / np.sqrt(3))
            height = side * np.sqrt(3) / 2
            return (y >= -height / 3) & (abs(x) <= (2 * height / 3 - y) / np.sqrt(3))
    raise AssertionError(shape)


def outline(shape: int, radius: float, points: int = 400) -> np.ndarray:
    """(points, 2) about the centre: along each direction the furthest point inside, by bisection."""
    angle = 2 * np.pi * (np.arange(points) + 0.25) / points
    low, high = np.zeros(points), np.full(points, 3 * radius)
    for _ in range(50):
        middle = (low + high) / 2
        within = inside(shape, radius, middle * np.cos(angle), middle * np.sin(angle))
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.column_stack([low * np.cos(angle), low * np.sin(angle)])


def objects(data: Scenes) -> Iterator[tuple[int, int]]:
    """(row, slot) of every object."""
    yield from map(tuple, np.argwhere(data.shape >= 0).tolist())


def phrase(data: Scenes, row: int, slot: int) -> str:
    return f"{COLOUR_NAMES[data.colour[row, slot]]} {SHAPES[data.shape[row, slot]]}"


def way(velocity: np.ndarray) -> str:
    """In which of the five ways it moves, by the angle."""
    if not velocity.any():
        return "at rest"
    degrees = np.degrees(np.arctan2(velocity[1], velocity[0])) % 360
    return ("right", "up", "left", "down")[int((degrees + 45) // 90) % 4]


def where(a: np.ndarray, b: np.ndarray) -> str:
    """Where a is from b, by the angle from b to a."""
    return {"right": "right of", "left": "left of", "up": "above", "down": "below"}[way(a - b)]


def permuted(data: Scenes, order: list[int]) -> Scenes:
    """The same scenes with their slots in another order."""
    fields = ("shape", "colour", "size", "material", "name", "position", "velocity")
    return data.changed(**{field: getattr(data, field)[:, order] for field in fields})
