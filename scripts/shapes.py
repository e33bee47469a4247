"""What the network in the box learns besides MNIST: digits as other hands write them, and things that are not digits.

Digits: 0 with a slash, 1 and 7 as in Europe, digits that lean to the left, digits drawn with strokes and digits in
print. The rest: letters, drawn and in print, signs, shapes, outlines with parts, scribbles, textures, blanks, parts and
heaps of digits. Houses and faces are not among them, nor are the fonts that `benchmarks/doubt.py` measures with.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from outlines import CIRCLE, SKETCHES, STROKES, Strokes, by_hand, composition, curve, strokes_in
from PIL import Image, ImageDraw, ImageFont
from strokes import inked

from deltarule.data.ink.normalization import INK_SIDE, SIDE, center, ink_image

NO_DIGIT = 10  # the class of what is not a digit, while the network learns
FONTS = ("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic")
FONTS += ("DejaVuSansMono", "DejaVuSansMono-Oblique", "cmtt10", "cmss10")  # Matplotlib brings them
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYabcdefhijkmnprtuvwxy"  # less O, I, l, S, Z, B, g, q, which may be digits
SIGNS = "?!&%@#$+=*<>{}[]~^:;€£§¶ΑΓΔΛΞΠΣΨΩαβγεζηλμνξπτχψωБДЖИЙЛЦШЩЪЫЮЯ←↑→↓∀∃∇∈∏∑√∞∩∪∫≈≠≤≥★☆♠♣♥♦♪"
Gray = NDArray[np.uint8]


def image_of(strokes: Strokes, pen: float) -> Gray:
    """Strokes as MNIST would have them, (28, 28), drawn with a round pen of that width in pixels."""
    every = np.concatenate(strokes)
    low, span = every.min(axis=0), np.ptp(every, axis=0)
    scale = (INK_SIDE - pen) / max(float(span.max()), 1e-9)
    width, height = np.ceil(np.minimum(span * scale + pen, INK_SIDE)).astype(int)
    return center(inked([(stroke - low) * scale + pen / 2.0 for stroke in strokes], (height, width), pen / 2.0))


def pen(rng: np.random.Generator) -> float:
    """The width of a pen, in pixels: MNIST's are 1.6 to 3.9."""
    return float(np.clip(rng.lognormal(np.log(2.4), 0.28), 1.1, 4.5))


def drawn(kind: str, name: str, rng: np.random.Generator, lean: float = 0.0) -> Gray:
    """One of the drawings in `shapes.json`, by its kind and name, as a hand draws it."""
    return image_of(by_hand(strokes_in(str(rng.choice(STROKES[kind][name]))), rng, lean), pen(rng))


def font(name: str, size: int = 72) -> ImageFont.FreeTypeFont:
    """A font that Matplotlib brings."""
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def printed(text: str, face: ImageFont.FreeTypeFont) -> Gray | None:
    """A text in print, as the normalizer reads it, (28, 28); None where the font has no such glyph."""
    if face.getmask(text).getbbox() is None or (
        ord(text[0]) > 127 and bytes(face.getmask(text)) == bytes(face.getmask("\uffff"))
    ):
        return None
    canvas = Image.new("L", (160, 160))
    ImageDraw.Draw(canvas).text((80, 80), text, font=face, fill=255, anchor="mm")
    return ink_image(np.asarray(canvas)).image


def normal(ink: NDArray[Any]) -> Gray:
    """Ink (height, width) as MNIST would have it; what is blank stays blank."""
    image = ink_image(np.pad(ink.astype(np.uint8), 4)).image
    return np.zeros((SIDE, SIDE), np.uint8) if image is None else image


def lean_left(image: Gray, degrees: float, turned: float) -> Gray:
    """A digit that leans to the left: by turning it for the share `turned` of the degrees, the rest by slanting it."""
    angle, slant = np.radians(degrees * turned), np.tan(np.radians(degrees * (1.0 - turned)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    (xx, xy), (yx, yy) = np.array([[1.0, -slant], [0.0, 1.0]]) @ turn  # from an output pixel to its place in the input
    moved = (xx, xy, 84.0 * (1.0 - xx - xy), yx, yy, 84.0 * (1.0 - yx - yy))
    big = Image.fromarray(np.pad(image, 14)).resize((168, 168), Image.Resampling.BICUBIC)
    return normal(np.asarray(big.transform(big.size, Image.Transform.AFFINE, moved, Image.Resampling.BICUBIC)))


def with_line(image: Gray, ends: NDArray[np.float64], width: float) -> Gray:
    """An image with a line from ends[0] to ends[1], (x, y) in shares of the box around its ink."""
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    low, span = np.array([columns[0], rows[0]]), np.array([np.ptp(columns), np.ptp(rows)]) + 1.0
    line = inked([low + 8 + span * ends], (SIDE + 16, SIDE + 16), width / 2.0)
    return normal(np.maximum(np.pad(image, 8), line))


def slashed(zero: Gray, rng: np.random.Generator, backwards: float = 0.1) -> Gray:
    """A 0 with a slash through it; `backwards`: how often it goes from above left to below right."""
    if rng.random() < 0.6:
        reach, tilt = rng.uniform(0.32, 0.62), rng.uniform(0.4, 1.05)
        ends = 0.5 + reach * np.array([[-tilt, 1.0], [tilt, -1.0]])
    else:
        beyond, tilt = rng.uniform(-0.15, 0.25, 2), rng.uniform(0.0, 0.25)
        ends = np.array([[-beyond[0] + tilt, 1.0 + beyond[1] * 0.5], [1.0 + beyond[0] - tilt, -beyond[1] * 0.5]])
    if rng.random() < backwards:
        ends = ends[:, [0]] * [1, 0] + (1.0 - ends[:, [1]]) * [0, 1]
    return with_line(zero, ends + rng.normal(0.0, 0.03, (2, 2)), pen(rng) * 0.9)


def crossed(seven: Gray, rng: np.random.Generator) -> Gray:
    """A 7 with a bar."""
    height, left, right = rng.uniform(0.42, 0.6), rng.uniform(0.1, 0.4), rng.uniform(0.75, 1.05)
    return with_line(seven, np.array([[left, height + rng.normal(0, 0.04)], [right, height]]), pen(rng) * 0.9)


def other_digits(images: Gray, labels: NDArray[np.int64], rng: np.random.Generator) -> Iterator[tuple[Gray, int]]:
    """Digits as other hands write them, endlessly, in turn: an image and which digit it is."""
    of = {digit: images[labels == digit] for digit in range(10)}

    def any_of(digit: int) -> Gray:
        return np.asarray(rng.choice(of[digit]))

    while True:
        for _ in range(18):
            yield slashed(any_of(0), rng), 0
        for _ in range(5):
            yield slashed(drawn("digits", "0", rng, lean=rng.uniform(-0.3, 0.3)), rng), 0
        for digit in 4 * (0, 8, 0, 1, 8, 2, 3, 4, 5, 6, 7, 9):
            yield lean_left(any_of(digit), rng.uniform(3.0, 33.0), float(rng.choice([0.0, 0.5, 1.0]))), digit
        yield crossed(any_of(7), rng), 7
        for digit in (0, 1, 8):
            yield drawn("digits", str(digit), rng, lean=rng.uniform(0.1, 0.6)), digit
        for _ in range(3):
            yield drawn("digits", "european 1", rng, lean=rng.uniform(-0.2, 0.1)), 1
        yield drawn("digits", "european 7", rng), 7
        for digit in range(10):
            yield drawn("digits", str(digit), rng), digit
            image = printed(str(digit), font(str(rng.choice(FONTS))))
            assert image is not None
            yield image, digit


def scribble(rng: np.random.Generator) -> Gray:
    """A line that goes where it wants: a curve or corners through random points, or loops."""
    n_points = int(rng.integers(5, 16))
    points = rng.uniform(0.0, 1.0, (n_points, 2)) * [rng.uniform(0.5, 1.5), 1.0]
    kind = rng.integers(4)
    if kind == 0:
        return image_of([points], pen(rng))
    if kind == 1:  # loops, as of a spring
        t = np.linspace(0.0, 2.0 * np.pi * rng.uniform(2.0, 6.0), 120)
        points = np.stack([t * rng.uniform(0.05, 0.3) + np.cos(t), rng.uniform(0.6, 2.0) * np.sin(t)], axis=1)
        return image_of(by_hand([points], rng), pen(rng))
    if kind == 2:  # zigzag
        points = np.stack([np.arange(n_points) * rng.uniform(0.1, 0.5), np.arange(n_points) % 2], axis=1).astype(float)
        return image_of(by_hand([points[:, [1, 0]] if rng.random() < 0.3 else points], rng), pen(rng))
    n_strokes = int(rng.integers(1, 4))
    return image_of([curve(part) for part in np.array_split(points, n_strokes) if len(part) > 1], pen(rng))


def figure(rng: np.random.Generator) -> Gray:
    """A polygon or a star of random corners, or lines and circles at random places."""
    kind, n_corners = rng.integers(4), int(rng.integers(3, 9))
    angles = rng.uniform(0.0, 2.0 * np.pi) + 2.0 * np.pi * np.arange(n_corners + 1) / n_corners
    round_about = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if kind == 0 and n_corners < 6:
        return image_of(by_hand([round_about * rng.uniform(0.4, 1.0, 2)], rng), pen(rng))
    if kind == 1:
        jump = 2 if n_corners > 4 else 1
        return image_of(by_hand([round_about[np.arange(n_corners + 1) * jump % n_corners]], rng), pen(rng))
    if kind == 2:
        spokes = [np.array([[0.0, 0.0], end]) for end in round_about[:-1]]
        return image_of(by_hand(spokes, rng), pen(rng))
    parts = [CIRCLE * rng.uniform(0.1, 0.5) + rng.uniform(0.0, 1.5, 2) for _ in range(rng.integers(1, 4))]
    parts += [rng.uniform(0.0, 1.5, (2, 2)) for _ in range(rng.integers(1, 5))]
    return image_of(by_hand(parts, rng), pen(rng))


def sketch(make: Callable[[np.random.Generator], Strokes], rng: np.random.Generator) -> Gray:
    """Strokes put together at random, drawn with a pen so thin that the parts stay apart."""
    return image_of(by_hand(make(rng), rng), float(np.clip(pen(rng) * 0.8, 1.1, 3.4)))


def texture(rng: np.random.Generator) -> Gray:
    """A pattern over all of the image or in its middle: noise, spots, stripes, checks, a slope, or a filled shape."""
    rows, columns = np.indices((SIDE, SIDE)) / SIDE - 0.5
    turned = rows * np.cos(angle := rng.uniform(0, np.pi)) + columns * np.sin(angle)
    across = columns * np.cos(angle) - rows * np.sin(angle)
    waves, noise = rng.uniform(15.0, 60.0), rng.random((SIDE, SIDE))
    coarse = np.kron(rng.random((7, 7)), np.ones((4, 4)))
    patterns = [
        noise,
        noise > rng.uniform(0.1, 0.95),
        coarse,
        coarse > 0.5,
        np.sin(turned * waves) > 0,
        np.sin(turned * waves) * np.sin(across * waves) > 0,
        turned + 0.5,
        (np.abs(turned) < rng.uniform(0.2, 0.45)) & (np.abs(across) < rng.uniform(0.2, 0.45)),
        turned**2 + across**2 * rng.uniform(1.0, 3.0) < rng.uniform(0.06, 0.2),
        (turned > across * rng.uniform(0.3, 2.0)) & (turned < 0.35),
    ]
    pattern = np.clip(patterns[rng.integers(len(patterns))], 0.0, 1.0).astype(float)
    framed = pattern * (np.maximum(np.abs(rows), np.abs(columns)) < rng.choice([0.36, 0.36, 1.0]))
    level = 255.0 * framed * rng.uniform(0.5, 1.0)
    return (255.0 - level if rng.random() < 0.1 else level).astype(np.uint8)


def blank(rng: np.random.Generator) -> Gray:
    """Nothing: an even ground, black to gray, with or without noise, or a few specks."""
    ground = np.full((SIDE, SIDE), rng.choice([0.0, rng.uniform(0.0, 255.0)]))
    ground += rng.normal(0.0, rng.choice([0.0, rng.uniform(0.0, 20.0)]), ground.shape)
    for _ in range(int(rng.choice([0, 0, 1, 2, 4]))):
        row, column = rng.integers(3, 25, 2)
        ground[row : row + 2, column : column + 2] = rng.uniform(0.0, 255.0)
    return np.clip(ground, 0.0, 255.0).astype(np.uint8)


def heap(images: Gray, rng: np.random.Generator) -> Gray:
    """Two or three digits side by side, above one another or on top of one another."""
    n_digits = int(rng.choice([2, 2, 2, 3]))
    some = [image[4:24, np.flatnonzero(image.any(axis=0))] for image in rng.choice(images, n_digits)]
    if rng.random() < 0.25:
        one, other = (np.pad(image, 12) for image in rng.choice(images, 2))
        return normal(np.maximum(one, np.roll(other, rng.integers(-7, 8, 2), (0, 1))))
    is_tall = rng.random() < 0.15
    width = max(part.shape[1] for part in some)
    parts = []
    for part in some:
        gap = int(rng.integers(0, 7))
        if is_tall:
            part = np.pad(part, [(0, gap), (0, width - part.shape[1])])
        else:
            part = np.pad(np.roll(part, rng.integers(-2, 3), axis=0), [(0, 0), (0, gap)])
        parts.append(part)
    return normal(np.concatenate(parts, axis=0 if is_tall else 1))


def turned_digit(of: dict[int, Gray], rng: np.random.Generator) -> Gray:
    """A 2, 3, 4, 5 or 7 that lies on its side, or a 3, 4 or 7 in the mirror."""
    if rng.random() < 0.6:
        return center_again(np.rot90(rng.choice(of[int(rng.choice([2, 3, 4, 5, 7]))]), rng.choice([1, 3])))
    return center_again(rng.choice(of[int(rng.choice([3, 4, 7]))])[:, ::-1])


def center_again(image: Gray) -> Gray:
    """An image whose ink is moved to where MNIST has it."""
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return center(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][:INK_SIDE, :INK_SIDE])


def no_digits(images: Gray, labels: NDArray[np.int64], rng: np.random.Generator) -> Iterator[Gray]:
    """Things that are not digits, endlessly, in turn."""
    of = {digit: images[labels == digit] for digit in range(10)}

    def in_print(texts: str) -> Gray:
        image = None
        while image is None:
            image = printed(str(rng.choice(list(texts))), font(str(rng.choice(FONTS))))
        return image

    def any_drawn(kind: str) -> Gray:
        return drawn(kind, str(rng.choice(list(STROKES[kind]))), rng, lean=rng.normal(0.0, 0.1))

    makers: list[tuple[int, Callable[[], Gray]]] = [
        (8, lambda: in_print(LETTERS)),
        (9, lambda: any_drawn("letters")),
        (2, lambda: in_print(SIGNS)),
        (4, lambda: any_drawn("shapes")),
        (6, lambda: image_of(by_hand(composition(rng), rng), pen(rng) * 0.85)),
        *((8, partial(sketch, make, rng)) for make in SKETCHES),
        (3, lambda: scribble(rng)),
        (3, lambda: figure(rng)),
        (2, lambda: texture(rng)),
        (5, lambda: blank(rng)),
        (3, lambda: heap(images, rng)),
        (2, lambda: turned_digit(of, rng)),
    ]
    while True:
        for times, make in makers:
            for _ in range(times):
                yield make()
