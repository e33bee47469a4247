"""tests/playground/ink.json: what data/ink makes of 200 pictures and 200 drawings, for ink.js to be held to.

The pictures are made of the bundled digits by a generator of whole numbers that tests/playground/ink.test.js repeats;
of what is read, image and stages, the file keeps the first 8 hexadecimal digits of its SHA-256. Where MNIST is at hand,
tests/playground/test_ink.py does the same with 200 of its test images.
"""

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from strokes import ink_strokes

from deltarule.data.catalog import load
from deltarule.data.ink.normalization import InkImage, ink_image

GOLDEN = Path(__file__).parents[1] / "tests" / "playground" / "ink.json"
N_DIGITS, N_PICTURES, N_DRAWINGS, N_BARS = 50, 200, 200, 12


class Draws:
    """Whole numbers that look random: Lehmer's generator, exact in the numbers of JavaScript, too."""

    def __init__(self, seed: int) -> None:
        self.state = seed + 1

    def below(self, limit: int) -> int:
        """From 0 to limit - 1."""
        self.state = self.state * 48271 % 2147483647
        return self.state % limit


def enlarged(digit: np.ndarray, side: int) -> np.ndarray:
    """A 28x28 digit with `side` pixels a side, interpolated in sixteenths of a pixel."""
    at = np.clip((2 * np.arange(side) + 1) * 28 * 8 // side - 8, 0, 27 * 16)
    low, part = at // 16, at % 16
    high = np.minimum(low + 1, 27)
    whole = digit.astype(np.int64)
    rows = whole[low] * (16 - part)[:, np.newaxis] + whole[high] * part[:, np.newaxis]
    return (rows[:, low] * (16 - part) + rows[:, high] * part + 128) // 256


def picture(digits: np.ndarray, seed: int) -> np.ndarray:
    """One digit of some size, somewhere, in either polarity, at times on paper in uneven light."""
    draws = Draws(seed)
    digit = digits[seed % len(digits)]
    canvas = (28, 280, 280, 280, 280, 280, 280, 560)[draws.below(8)]
    side = canvas * (30 + draws.below(71)) // 100 if canvas > 28 else 28
    ink = np.zeros((canvas, canvas), np.int64)
    top, left = draws.below(canvas - side + 1), draws.below(canvas - side + 1)
    ink[top : top + side, left : left + side] = enlarged(digit, side)
    y, x = np.indices(ink.shape)
    if canvas > 28 and draws.below(20) == 0:
        grain = (7 * x + 13 * y + x * y % 11 * 5) % 9 - 4
        ink = 255 - (130 + 60 * x // canvas + 40 * y // canvas - ink * 90 // 255 + grain)
    gray = (255 - ink if draws.below(2) else ink).astype(np.uint8)
    if draws.below(8) == 0:  # cropped to where the digit was
        gray = gray[top + side // 5 : top + side - side // 5, left + side // 5 : left + side - side // 5]
    return gray


def drawing(seed: int) -> list[list[list[float]]]:
    """One to three strokes that wander about a pad of 280 pixels."""
    draws = Draws(seed + 100_000)
    strokes = []
    for _ in range(1 + draws.below(3)):
        x, y = 40 + draws.below(200) / 7, 40 + draws.below(1400) / 7
        down, right = draws.below(61) - 30, draws.below(61) - 30
        points = [[x, y]]
        for _ in range(draws.below(40)):
            down, right = down + draws.below(21) - 10, right + draws.below(21) - 10
            x, y = x + right / 9, y + down / 9
            points.append([x, y])
        strokes.append(points)
    return strokes


def digest(reading: InkImage) -> str:
    """Eight digits for all that was read; "blank" where that was nothing."""
    if reading.image is None:
        return "blank"
    sizes = "".join(f"{name} {pixels.shape[1]}x{pixels.shape[0]};" for name, pixels in reading.stages.items())
    parts = [sizes.encode(), reading.image.tobytes(), *(pixels.tobytes() for pixels in reading.stages.values())]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:8]


def golden(digits: np.ndarray, n_drawings: int = N_DRAWINGS) -> dict[str, Any]:
    """The digits and the digests. digits: (n, 28, 28) uint8."""
    return {
        "digits": base64.b64encode(zlib.compress(digits.tobytes(), 9)).decode(),
        "pictures": [digest(ink_image(picture(digits, seed))) for seed in range(N_PICTURES)],
        "drawings": [digest(ink_strokes(drawing(seed))) for seed in range(n_drawings)],
        "pairs": [int(ink_strokes(pair(seed), 560).shows_several) for seed in range(n_drawings)],
        "bars": [digest(ink_image(bar(seed))) for seed in range(N_BARS)],
    }


def pair(seed: int) -> list[list[list[float]]]:
    """Two drawings side by side on a pad of 560 pixels, the second nearer or farther."""
    away = 20 * (seed % 15)
    return [*drawing(seed), *([[x + away, y] for x, y in stroke] for stroke in drawing(seed + 1))]


def bar(seed: int) -> np.ndarray:
    """A 7 on paper in uneven light, cropped so that its bar runs along the border."""
    height, pen = 90 + 10 * seed, 5 + seed % 3
    y, x = np.indices((height, height * 3 // 4))
    slope = 4 * x + 3 * y
    inked = (y < pen) | ((slope >= 3 * height - 5 * pen) & (slope < 3 * height))
    return (150 + (seed % 4) * 20 * x // height - 90 * inked + (7 * x + 13 * y) % 5).astype(np.uint8)


def bundled() -> np.ndarray:
    """Fifty of the digits that come with the package."""
    test = load("digits").test
    assert test is not None
    return test.inputs[:N_DIGITS].reshape(-1, 28, 28)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(bundled()), indent=0) + "\n", encoding="utf-8")
