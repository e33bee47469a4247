"""Draws docs/drawings.png, the film strip of docs/drawings.md: python scripts/drawings_figure.py."""

import math
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
from strokes import ink_strokes

from deltarule.data.ink.normalization import InkImage, ink_image
from deltarule.files.model_file import PRETRAINED, load

mpl.use("Agg")
import matplotlib.pyplot as plt

FIGURE = Path(__file__).parents[1] / "docs" / "drawings.png"
PAD = 280


def three() -> list[list[tuple[float, float]]]:
    """The strokes of a three, drawn small and off the middle of a pad."""
    arcs = [(150, 70, 30, 27, -150, 90), (150, 127, 33, 30, -90, 150)]
    angles = [np.radians(np.linspace(begin, end, 30)) for *_, begin, end in arcs]
    return [
        [
            (x + width * math.cos(angle), y + height * math.sin(angle))
            for (x, y, width, height, *_), turn in zip(arcs, angles, strict=True)
            for angle in turn
        ]
    ]


def drawn(strokes: list[list[tuple[float, float]]], width: float) -> np.ndarray:
    """Where a pen has been on a pad, (280, 280) of True and False."""
    rows, columns = np.indices((PAD, PAD))
    points = np.concatenate([np.linspace(*pair, 40) for path in strokes for pair in pairwise(path)])
    near = np.zeros((PAD, PAD), bool)
    for x, y in points:
        near |= (columns - x) ** 2 + (rows - y) ** 2 <= (width / 2) ** 2
    return near


def photo() -> np.ndarray:
    """A five in pencil on paper that a lamp lights from one side, with the grain of a camera."""
    five = [
        [(170.0, 80.0), (112.0, 84.0), (108.0, 130.0), (150.0, 124.0), (172.0, 150.0), (160.0, 188.0), (105.0, 196.0)]
    ]
    rows, columns = np.indices((PAD, PAD)) / PAD
    light = 70 + 160 * np.exp(-3 * ((columns - 0.9) ** 2 + (rows - 0.1) ** 2))
    grain = np.random.default_rng(0).normal(0.0, 3.0, (PAD, PAD))
    return np.clip(light + grain - 40 * drawn(five, 9), 0, 255).astype(np.uint8)


def main() -> None:
    """Three ways to the same 28x28 pixels, a row each."""
    board = np.where(drawn([[(60.0, 60.0), (120.0, 55.0), (85.0, 170.0)]], 16), 230, 25).astype(np.uint8)
    rows: list[tuple[str, np.ndarray, InkImage]] = [
        ("strokes on a pad", 255 - 255 * drawn(three(), 6).astype(np.uint8), ink_strokes(three())),
        ("a photo of paper", photo(), ink_image(photo())),
        ("chalk on a board", board, ink_image(board)),
    ]
    model = load(PRETRAINED)
    figure, axes = plt.subplots(len(rows), 5, figsize=(7.5, 4.8), layout="constrained")
    for line, (title, picture, reading) in zip(axes, rows, strict=True):
        assert reading.image is not None
        answer = model.probabilities(reading.image[np.newaxis])[0]
        said = f"{answer.argmax()}, {100 * answer.max():.1f} %"
        names = [title, *reading.stages]
        names[-1] += f": {said}"
        for axis, name, pixels in zip(line, names, [picture, *reading.stages.values()], strict=True):
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axis.set_title(name, fontsize=8)
            axis.set_axis_off()
    figure.savefig(FIGURE, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
