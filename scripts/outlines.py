"""Strokes: those of a text, the same as a hand draws them, and outlines with parts that belong to no named thing.

What is not a digit is mostly made of outlines with something in them, at their edge or through them, often alike on
both sides. These are put together at random: none of the rules knows of a house or a face.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n_points, 2): x to the right, y downwards
Strokes = list[Points]
STROKES = json.loads(Path(__file__).with_name("shapes.json").read_text(encoding="utf-8"))
ROUND = np.linspace(0.0, 2.0 * np.pi, 30)
CIRCLE = np.stack([np.cos(ROUND), np.sin(ROUND)], axis=1)
SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]])
MOST_CORNERS = 7  # of a polygon


def strokes_in(text: str) -> Strokes:
    """Strokes from a text: "0,0 2,6|1,3 2,3" is a line and a bar; a stroke that ends in "~" is a curve."""
    strokes = []
    for stroke in text.split("|"):
        points = np.array([point.split(",") for point in stroke.rstrip("~").split()], np.float64)
        strokes.append(curve(points) if stroke.endswith("~") else points)
    return strokes


def curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth line through points (Catmull and Rom's spline), eight steps from each to the next."""
    p = np.concatenate([points[:1], points, points[-1:]])
    s = np.linspace(0.0, 1.0, 9)[:-1, np.newaxis, np.newaxis]
    before, start, end, after = p[:-3], p[1:-2], p[2:-1], p[3:]
    bent = 2 * start + (end - before) * s + (2 * before - 5 * start + 4 * end - after) * s**2
    bent = (bent + (3 * start - before - 3 * end + after) * s**3) / 2.0
    return np.concatenate([bent.swapaxes(0, 1).reshape(-1, 2), points[-1:]])


def by_hand(strokes: Strokes, rng: np.random.Generator, lean: float = 0.0) -> Strokes:
    """The strokes as a hand draws them: every point a little off, all of it turned, slanted, stretched and bent.

    lean: how far the top is to the left of the bottom, in heights.
    """
    every = np.concatenate(strokes)
    low, span = every.min(axis=0), float(np.ptp(every, axis=0).max())
    turn, slant, stretch = rng.normal(0.0, (0.07, 0.08, 0.12))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[np.exp(stretch), slant + lean], [0.0, 1.0]])
    bend, phase = rng.normal(0.0, 0.03, (2, 2)), rng.uniform(0.0, 6.0, 2)
    drawn = []
    for stroke in strokes:
        points = (stroke - low) / span + rng.normal(0.0, 0.012, stroke.shape) + rng.normal(0.0, 0.02, 2)
        fine = np.linspace(0, len(points) - 1, 3 * len(points))
        points = np.stack([np.interp(fine, range(len(points)), axis) for axis in points.T], axis=1)
        drawn.append((points + np.sin(4.0 * points + phase) @ bend) @ matrix.T)
    return drawn


def composition(rng: np.random.Generator) -> Strokes:
    """Three to five outlines, arcs and lines, each beside, above or within an earlier one, or crossing it."""
    apex = np.array([[rng.uniform(-1.0, 1.0), -1.0], [1.0, 1.0], [-1.0, 1.0]])
    parts, place, size = [], np.zeros(2), np.ones(2)
    for k in range(int(rng.integers(3, 6))):
        bent = CIRCLE[: int(rng.integers(8, 22))] @ np.linalg.qr(rng.normal(size=(2, 2)))[0]
        outlines = [CIRCLE, SQUARE, apex[[0, 1, 2, 0]], apex[[1, 0, 2]], bent, rng.uniform(-1.0, 1.0, (2, 2))]
        outline = outlines[rng.choice(len(outlines), p=[0.2, 0.25, 0.15, 0.1, 0.15, 0.15])]
        if k:
            side = rng.choice([-1.0, 1.0])
            new = size * rng.uniform(0.2, 1.1, 2)
            step = [(size + new) * [side, 0.0], (size + new) * [0.0, side], rng.uniform(-1.0, 1.0, 2) * size]
            place, size = place + step[rng.integers(3)], new
            if rng.random() < 0.3:
                place, size = np.zeros(2), rng.uniform(0.3, 0.8, 2)
        else:
            size = rng.uniform(0.5, 1.3, 2)
        parts.append(place + outline * size)
    return parts


def polygon(rng: np.random.Generator, n_corners: int) -> Points:
    """A closed line through random corners around the origin."""
    angles = (np.arange(n_corners) + rng.uniform(0.0, 0.7, n_corners)) * 2.0 * np.pi / n_corners + rng.uniform(0.0, 6.3)
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(0.6, 1.2, (n_corners, 1))
    return np.concatenate([corners, corners[:1]])


def outline(rng: np.random.Generator) -> Points:
    """A circle, a square, a polygon, or a closed curve."""
    corners = polygon(rng, int(rng.integers(3, MOST_CORNERS + 1)))
    return [CIRCLE, SQUARE, corners, curve(corners), polygon(rng, int(rng.integers(3, 6)))][rng.integers(5)]


def mark(rng: np.random.Generator) -> Points:
    """A small part: round or square, open or closed, a line, an angle, a T; upright, in a mirror or turned."""
    angle, tee = [[-1.0, -1.0], [0.0, 1.0], [1.0, -1.0]], [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    arc = CIRCLE[: int(rng.integers(8, 20))]
    marks = [CIRCLE, arc, np.array([[-1.0, 0.0], [1.0, 0.0]]), SQUARE[[3, 0, 1, 2]], SQUARE]
    chosen = [*marks, np.array(angle), np.array(tee)][rng.integers(7)]
    return chosen @ np.linalg.qr(rng.normal(size=(2, 2)))[0] if rng.random() < 0.4 else chosen * rng.choice([-1, 1], 2)


def fill_outline(rng: np.random.Generator) -> Strokes:
    """An outline with two to five marks in it, the last of five beside it."""
    parts = [outline(rng)]
    for k in range(int(rng.integers(2, 6))):
        place = rng.uniform(-0.6, 0.6, 2) if k < 4 else rng.choice([-1.2, 1.2], 2) * rng.uniform(0.3, 1.0, 2)
        parts.append(place + mark(rng) * rng.uniform(0.1, 0.38, 2))
    return scale_parts(parts, rng)


def scale_parts(parts: Strokes, rng: np.random.Generator) -> Strokes:
    """Parts of another width and height."""
    size = rng.uniform(0.6, 1.3, 2)
    return [part * size for part in parts]


def attach_marks(rng: np.random.Generator) -> Strokes:
    """An outline with one to three marks at its edge, inside or outside; a round one has two or more."""
    edge = outline(rng)
    is_round, parts = len(edge) > MOST_CORNERS + 1, [edge]
    for _ in range(int(rng.integers(1 + is_round, 4))):
        k, share = int(rng.integers(len(edge) - 1)), rng.uniform(0.2, 0.8)
        place = edge[k] * (1.0 - share) + edge[k + 1] * share
        inward = -place * rng.uniform(0.2, 0.5) if rng.random() < 0.6 else place * rng.uniform(0.1, 0.5)
        parts.append(place + inward + mark(rng) * rng.uniform(0.12, 0.5, 2))
    return scale_parts(parts, rng)


def divide_outline(rng: np.random.Generator) -> Strokes:
    """An outline cut by two to four lines, some of which end within it, or are upright or level."""
    edge = outline(rng)
    n, parts = len(edge) - 1, [edge]
    apart = max(1, n // 4)
    for _ in range(int(rng.integers(2, 5))):
        k, share = int(rng.integers(n)), rng.uniform(0.1, 0.9, 2)
        opposite = (k + int(rng.integers(apart, n - apart + 1))) % n
        start, end = (edge[j] * (1.0 - s) + edge[j + 1] * s for j, s in zip((k, opposite), share, strict=True))
        way = rng.random()
        if way < 0.4:
            end = start + (end - start) * rng.uniform(0.4, 0.8)
        elif way < 0.6:
            end = np.where(rng.random() < 0.5, [end[0], start[1]], [start[0], end[1]])
        if np.hypot(*(end - start)) < 0.5:  # it would lie on the edge
            end = -start * rng.uniform(0.3, 0.9)
        parts.append(np.stack([start, end]))
    return scale_parts(parts, rng)


def mirror_parts(rng: np.random.Generator) -> Strokes:
    """Lines, marks and outlines that are alike on both sides."""
    parts, width = list[Points](), rng.uniform(0.5, 1.1)
    for _ in range(int(rng.integers(3, 6))):
        place = np.array([rng.uniform(0.1, 1.0) * width, rng.uniform(-1.0, 1.0)])
        middle, other = [0.0, rng.uniform(-1.0, 1.0)], [rng.uniform(0.0, 1.0) * width, rng.uniform(-1.0, 1.0)]
        lines = [np.array([middle, place]), np.array([middle, place, place + rng.normal(0.0, 0.5, 2)])]
        sides = [place + mark(rng) * rng.uniform(0.1, 0.4, 2), *lines, np.array([place, other])]
        kind = rng.integers(len(sides) + 1)
        if kind == len(sides):
            whole = outline(rng) if rng.random() < 0.3 else [CIRCLE, SQUARE][rng.integers(2)]
            parts.append(whole * rng.uniform(0.2, 1.0, 2) + [0.0, rng.uniform(-0.6, 0.6)])
        else:
            parts += [sides[kind], sides[kind] * [-1.0, 1.0]]
    return parts


def join_points(rng: np.random.Generator) -> Strokes:
    """Straight lines that meet at angles: a random tree through points, and some lines more."""
    n = int(rng.integers(5, 9))
    points = rng.uniform(-1.0, 1.0, (n, 2)) * [rng.uniform(0.6, 1.2), 1.0]
    points[:4] += [[-0.5, 0.0], [0.5, 0.0], [0.0, -0.5], [0.0, 0.5]]
    if rng.random() < 0.5:
        points = np.round(points * 2.0) / 2.0 + rng.normal(0.0, 0.03, points.shape)
    parts = [points[[rng.integers(k), k]] for k in range(1, n)]
    return parts + [points[rng.choice(n, 2, replace=False)] for _ in range(int(rng.integers(0, 3)))]


def frame_sign(rng: np.random.Generator) -> Strokes:
    """A letter or a digit within an outline."""
    kind = str(rng.choice(["letters", "digits"]))
    strokes = strokes_in(str(rng.choice(STROKES[kind][rng.choice(list(STROKES[kind]))])))
    every = np.concatenate(strokes)
    middle, size = (every.min(axis=0) + every.max(axis=0)) / 2.0, rng.uniform(0.7, 1.0) / np.ptp(every, axis=0).max()
    place = rng.normal(0.0, 0.06, 2)
    return scale_parts([outline(rng), *((stroke - middle) * size + place for stroke in strokes)], rng)


def stack_outlines(rng: np.random.Generator) -> Strokes:
    """Two or three outlines above or beside one another, with at most one mark in each; the first has corners."""
    parts, y, width = list[Points](), 0.0, rng.uniform(0.5, 1.0)
    for k in range(int(rng.integers(2, 4))):
        cornered = [SQUARE, polygon(rng, 3), polygon(rng, 4)]
        outlines = [*cornered, CIRCLE, CIRCLE[:16], curve(polygon(rng, int(rng.integers(3, MOST_CORNERS + 1))))]
        size = np.array([width * rng.uniform(0.5, 1.3), rng.uniform(0.15, 0.5)])
        parts.append(outlines[rng.integers(6 if k else 3)] * size + [rng.normal(0.0, 0.1), y + size[1]])
        if rng.random() < 0.6:
            parts.append(mark(rng) * size * [0.3, 0.4] + [rng.uniform(-0.4, 0.4) * size[0], y + size[1]])
        y += 2.0 * size[1]
    return [part[:, ::-1] for part in parts] if rng.random() < 0.3 else parts


SKETCHES: tuple[Callable[[np.random.Generator], Strokes], ...]
SKETCHES = (fill_outline, attach_marks, divide_outline, mirror_parts, join_points, frame_sign, stack_outlines)
