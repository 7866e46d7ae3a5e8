"""How much of each pixel a shape covers, as an exact area: no samples, no smoothing.

A row of pixels is cut at every pixel border x. W(x), the area of the shape in the row and left of x, has a closed form;
pixel j covers W(j + 1) - W(j). Coordinates are pixels, y down.
"""

import numpy as np


def polygon_coverage(vertices: np.ndarray, pixels: int) -> np.ndarray:
    """(m, pixels, pixels) of m polygons (m, corners, 2), convex or not, in either sense of rotation.

    By Green's theorem W(x) is a sum over edges, each with the integral of min(its x, the border x) over its part of
    the row: the signed height of that part times the mean of min.
    """
    borders = np.arange(pixels + 1.0)
    area = np.zeros((len(vertices), pixels, pixels + 1))
    for start, end in zip(np.moveaxis(vertices, 1, 0), np.moveaxis(np.roll(vertices, -1, axis=1), 1, 0), strict=True):
        (x0, y0), (x1, y1) = start.T[..., None], end.T[..., None]  # (m, 1)
        rise = np.where(y1 == y0, 1, y1 - y0)
        enter, leave = (np.clip(y, borders[:-1], borders[1:]) for y in (y0, y1))  # (m, rows)
        ends = [x0 + (x1 - x0) * (y - y0) / rise for y in (enter, leave)]
        low, high = np.minimum(*ends)[..., None], np.maximum(*ends)[..., None]  # (m, rows, 1)
        # The mean of min(u, x) for u uniform in [low, high]: up to x it is u itself, beyond it is x.
        cut = np.clip(borders, low, high)
        share = np.where(high > low, (cut - low) / np.where(high > low, high - low, 1), borders >= low)
        area += (leave - enter)[..., None] * (share * (low + cut) / 2 + (1 - share) * borders)
    return np.clip(np.abs(np.diff(area, axis=2)), 0, 1)


def circle_coverage(centre: np.ndarray, radius: np.ndarray, pixels: int) -> np.ndarray:
    """(m, pixels, pixels) of m circles; centre: (m, 2), radius: (m,).

    F(x, y), the area of the unit circle left of x and above y: where a line at height v is longer than the cut, which
    is |v| < c = sqrt(1 - x^2), it counts from its left end to x; elsewhere it counts whole (x > 0) or not at all.
    With S(v) the integral of sqrt(1 - v^2), F is x (b + c) + S(b) + S(c) for b = y clipped to [-c, c], plus, for x > 0,
    twice the integral over the part of [-1, y] outside of [-c, c]. A pixel is a difference of four F.
    """
    borders = np.arange(pixels + 1.0)
    x, y = (np.clip((borders - centre[:, i, None]) / radius[:, None], -1, 1) for i in (0, 1))  # (m, borders)
    c = np.sqrt(1 - x**2)
    x, y, c = x[:, None, :], y[:, :, None], c[:, None, :]
    whole_y, whole_c = _primitive(y), _primitive(c)
    cut = np.where(y < -c, -whole_c, np.where(y > c, whole_c, whole_y))  # S(b)
    area = x * (np.clip(y, -c, c) + c) + cut + whole_c
    # S(-1) to S(min(y, -c)), and S(c) to S(max(y, c))
    outside = np.minimum(whole_y, -whole_c) + np.pi / 4 + np.maximum(whole_y, whole_c) - whole_c
    area += np.where(x > 0, 2 * outside, 0)
    return np.clip(radius[:, None, None] ** 2 * np.diff(np.diff(area, axis=1), axis=2), 0, 1)


def _primitive(v: np.ndarray) -> np.ndarray:
    """S(v) = integral from 0 to v of sqrt(1 - u^2) du; S(1) = pi / 4."""
    return (v * np.sqrt(1 - v**2) + np.arcsin(v)) / 2
