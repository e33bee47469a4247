"""Whether digits cropped to the ink, whose strokes are 4 to 20 % of their size, are read as with paper around them.

    python benchmarks/drawn_digits.py

No image of MNIST is in it: ten digits as one person draws them, bent, turned and stretched at random, inked with a
round pen, in both polarities, with margins of 0 to 10 % of the size around the ink; and the same with 60 %. Then
pictures of one digit (its strokes broken, in a box, on ruled paper) and of two or more side by side: how many are taken
for one, and for several.

Asked: within 1 point of the digits with paper around; 99 % of single digits taken as one, 90 % of several doubted.
"""

import argparse
import sys
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from measuring import RESULTS, Row, write_rows
from PIL import Image, ImageDraw, ImageFilter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from handwriting import DIGITS

from deltarule.data.ink.normalization import ink_image
from deltarule.data.ink.pictures import read_picture
from deltarule.files.model_file import PRETRAINED, load
from deltarule.nn.arrays import Array

WIDTHS = (0.04, 0.08, 0.12, 0.16, 0.20)
MARGINS = (0.0, 0.02, 0.04, 0.10)
ROOM = 0.6  # paper around a digit that is not cropped
FINER = 3  # times as large is drawn, and then averaged down

Line = list[tuple[float, float]]


def strokes_of(digit: int, rng: np.random.Generator) -> list[Array]:
    """The strokes of a digit, (n, 2) each, the longer side 1: bent, turned and stretched at random."""
    turn, shear, stretch = rng.normal(0.0, 0.10), rng.normal(0.0, 0.12), rng.normal(0.0, 0.12)
    bend = rng.normal(0.0, 0.025, size=(2, 2, 2))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [
        [np.exp(stretch), shear],
        [0, 1],
    ]
    strokes = []
    for stroke in DIGITS[digit]:
        points = np.array(stroke, float) / 140.0 - 1.0
        fine = np.linspace(0, len(points) - 1, 12 * len(points))
        points = np.stack([np.interp(fine, range(len(points)), axis) for axis in points.T], axis=1)
        waves = np.stack([np.sin(2.0 * points + phase) for phase in (0.0, 1.6)], axis=2)
        strokes.append((points + np.einsum("nak,abk->nb", waves, bend)) @ matrix.T)
    every = np.concatenate(strokes)
    low, span = every.min(axis=0), np.ptp(every, axis=0).max()
    return [(stroke - low) / span for stroke in strokes]


def drawn(strokes: list[Array], size: int, width: float, gap: float = 0.0) -> Array:
    """Ink 0 to 255, cropped, of strokes; `gap`: the share of each that is left out in the middle."""
    pen = max(width * size, 1.0) * FINER
    side = round(FINER * size * (1.0 - width))
    high = [(stroke * side + pen / 2.0 + FINER) for stroke in strokes]
    most = np.concatenate(high).max(axis=0) + pen / 2.0 + FINER
    canvas = Image.new("L", tuple(int(-(-each // FINER) * FINER) for each in most))
    draw = ImageDraw.Draw(canvas)
    for points in high:
        keep = len(points)
        parts = (
            [points] if not gap else [points[: round(keep * (0.5 - gap / 2))], points[round(keep * (0.5 + gap / 2)) :]]
        )
        for part in parts:
            for (x, y), (u, v) in pairwise(part):
                draw.line((x, y, u, v), fill=255, width=round(pen))
            for x, y in part:
                draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    ink = np.asarray(canvas.resize((canvas.width // FINER, canvas.height // FINER), Image.Resampling.BOX))
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 40) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def on_paper(ink: Array, margin: float, rng: np.random.Generator, *, dark: bool) -> Array:
    """A photo of ink with a margin around it, in one polarity: soft edges, light from one side, grain, JPEG."""
    padded = np.pad(ink, round(margin * max(ink.shape)))
    soft = Image.fromarray(padded).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.012 * max(ink.shape))))
    rows, columns = np.indices(padded.shape) / max(padded.shape)
    light = rng.uniform(0.0, 40.0) * (rows * rng.uniform(-1, 1) + columns * rng.uniform(-1, 1))
    level = (
        np.asarray(soft) * rng.uniform(0.5, 0.75) + 40.0 + light + rng.normal(0.0, rng.uniform(0.0, 4.0), padded.shape)
    )
    gray = np.clip(level, 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(255 - gray if dark else gray).save(file, "JPEG", quality=int(rng.integers(70, 96)))
    return read_picture(file.getvalue())


def single(rng: np.random.Generator) -> Array:
    """A picture of one digit: plain, its strokes broken, in a box, or on ruled paper."""
    kind = rng.choice(["plain", "broken", "box", "ruled"])
    width = rng.uniform(0.04, 0.16)
    strokes = strokes_of(rng.integers(10), rng)
    ink = drawn(strokes, int(rng.integers(40, 200)), width, gap=rng.uniform(0.04, 0.12) if kind == "broken" else 0.0)
    ink = np.pad(ink, round(0.3 * max(ink.shape))).copy()
    line = max(1, round(0.5 * width * max(ink.shape) / 1.6))
    if kind == "box":
        ink[:line] = ink[-line:] = 255
        ink[:, :line] = ink[:, -line:] = 255
    if kind == "ruled":
        ink[:: max(8, len(ink) // 5)] = 140
    return on_paper(ink, 0.1, rng, dark=bool(rng.integers(2)))


def several(rng: np.random.Generator) -> Array:
    """A picture of two to five digits side by side, a gap of 15 to 60 % of their height between them."""
    width, size = rng.uniform(0.04, 0.16), int(rng.integers(40, 160))
    inks = [drawn(strokes_of(digit, rng), size, width) for digit in rng.integers(10, size=rng.integers(2, 6))]
    height = max(map(len, inks))
    row = []
    for ink in inks:
        top = int(rng.integers(0, height - len(ink) + 1))
        row += [
            np.pad(ink, ((top, height - len(ink) - top), (0, 0))),
            np.zeros((height, round(rng.uniform(0.15, 0.6) * size)), np.uint8),
        ]
    return on_paper(np.concatenate(row[:-1], axis=1), 0.3, rng, dark=bool(rng.integers(2)))


def read_rate(n: int, width: float, margin: float, *, dark: bool) -> float:
    """The accuracy of the bundled network on n drawings, the same ones for every margin and polarity."""
    model = load(PRETRAINED)
    images, digits = [], []
    for k in range(n):
        rng = np.random.default_rng([k, round(1000 * width)])
        ink = drawn(strokes_of(k % 10, rng), int(rng.integers(60, 300)), width)
        image = ink_image(on_paper(ink, margin, rng, dark=dark)).image
        images.append(np.zeros((28, 28), np.uint8) if image is None else image)
        digits.append(k % 10)
    return float((model.predict(np.stack(images)) == digits).mean())


def measure(n: int) -> list[Row]:
    """All figures, a row each."""
    rows: list[Row] = []
    for width in WIDTHS:
        apart = {dark: read_rate(n, width, ROOM, dark=dark) for dark in (False, True)}
        for margin in MARGINS:
            rates = {dark: read_rate(n, width, margin, dark=dark) for dark in (False, True)}
            workload = f"strokes of {width:.0%}, margin {margin:.0%}"
            lost = max(100 * (apart[dark] - rate) for dark, rate in rates.items())
            row = {"benchmark": "drawn_digits", "workload": workload, "peer": "with paper around"}
            rows.append(row | {"accuracy": min(rates.values()), "points_lost": lost})
    doubted = {"one digit": single, "several digits": several}
    for name, make in doubted.items():
        flagged = np.mean([ink_image(make(np.random.default_rng([1, k]))).shows_several for k in range(4 * n)])
        rows.append({"benchmark": "drawn_digits", "workload": name, "peer": "", "doubted": float(flagged)})
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100, help="drawings for each width, margin and polarity")
    parser.add_argument("--json", type=Path, default=RESULTS / "drawn_digits.json")
    asked = parser.parse_args()
    found = measure(asked.examples)
    for row in found:
        print({name: value for name, value in row.items() if name not in ("benchmark", "peer")})
    write_rows(asked.json, found)
