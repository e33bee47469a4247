"""How often the network in the box calls a picture unusual: digits it should know, and things that are not digits.

    python benchmarks/doubt.py
    python benchmarks/doubt.py --sheets FOLDER  # and pictures of what it calls unusual, and of what it does not

Digits: MNIST's test images; its 0, 1 and 8 slanted to the left by 10 to 30 degrees; its 0 with a slash; digits drawn
with strokes, as on the page, upright, to the left and as a 0 with a slash; European 1 and 7, drawn. The rest is of
kinds and fonts that the network has not learned from (`scripts/shapes.py`): letters of STIX and Computer Modern, script
and Fraktur, houses, from the front and from a corner, faces, of people and of animals, things that one draws, blanks.
Each picture goes through the normalizer; a blank, in which that finds no digit, goes to the network as it is. Of the
heads of animals it knows the bare outline of a cat's.

Asked: at most 1 % of MNIST's digits, of slanted ones and of 0 with a slash; 60 % of letters, 90 % of the others; and
slashed 0 and European 1 and 7 read rightly, 95 % of each.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
sys.path.insert(0, str(Path(__file__).parent))
from drawn_digits import strokes_of
from measuring import RESULTS, Row, surroundings, write_rows
from strokes import ink_strokes

from deltarule.data.catalog import load as load_data
from deltarule.data.ink.normalization import ink_image
from deltarule.files.model_file import PRETRAINED, load
from deltarule.nn.arrays import Array

LETTERS = "ACDEFGHJKLMNPQRTUVWXYabcdefhijkmnprtuvwxy"  # less O, I, l, S, Z, B, g, q
FONTS = ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "cmr10", "cmti10", "cmb10")
SIDE = 200
Draw = Callable[[np.random.Generator], Array]


class Sketch:
    """A picture of `SIDE` pixels a side, drawn by an unsteady hand with one pen."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.width = rng, int(rng.integers(9, 24))
        self.canvas = Image.new("L", (SIDE, SIDE))
        self.draw = ImageDraw.Draw(self.canvas)

    def line(self, *points: tuple[float, float]) -> None:
        """A line through points, each off by a little."""
        moved = [tuple(np.array(point) + self.rng.normal(0.0, 2.5, 2)) for point in points]
        self.draw.line(moved, fill=255, width=self.width, joint="curve")
        for x, y in moved:
            half = self.width / 2.0
            self.draw.ellipse((x - half, y - half, x + half, y + half), fill=255)

    def arc(self, x: float, y: float, size: tuple[float, float], turn: tuple[float, float] = (0.0, 360.0)) -> None:
        """Part of an ellipse around (x, y), clockwise from the right, in degrees."""
        angles = np.radians(np.linspace(*turn, 25))
        self.line(*((x + size[0] * math.cos(angle), y + size[1] * math.sin(angle)) for angle in angles))

    def image(self) -> Array:
        """What the normalizer makes of it, dark on light."""
        return read(255 - np.asarray(self.canvas))


def read(gray: Array) -> Array:
    """The 28x28 image that the network is asked about."""
    image = ink_image(gray).image
    return np.zeros((28, 28), np.uint8) if image is None else image


def house(rng: np.random.Generator) -> Array:
    """Walls and a roof; at times a door, a window, a chimney."""
    sketch = Sketch(rng)
    left, right = rng.uniform(20, 60), rng.uniform(140, 180)
    eaves, floor, top, over = rng.uniform(80, 120), rng.uniform(160, 185), rng.uniform(15, 45), rng.uniform(0, 15)
    sketch.line((left, eaves), (left, floor), (right, floor), (right, eaves))
    sketch.line((left - over, eaves), ((left + right) / 2, top), (right + over, eaves), (left - over, eaves))
    if rng.random() < 0.6:
        x = rng.uniform(left + 20, right - 45)
        sketch.line((x, floor), (x, floor - 45), (x + 28, floor - 45), (x + 28, floor))
    if rng.random() < 0.4:
        x, y = rng.uniform(left + 20, right - 45), eaves + 15
        sketch.line((x, y), (x + 22, y), (x + 22, y + 22), (x, y + 22), (x, y))
    if rng.random() < 0.3:
        x = right - 25
        sketch.line((x, eaves - 15), (x, top), (x + 15, top), (x + 15, eaves - 5))
    return sketch.image()


def face(rng: np.random.Generator) -> Array:
    """A round, two eyes and a mouth; at times a nose, ears or hair."""
    sketch = Sketch(rng)
    sketch.width = min(sketch.width, 14)
    width, height = rng.uniform(55, 80), rng.uniform(60, 85)
    sketch.arc(100, 100, (width, height))
    for side in (-1, 1):
        x, y = 100 + side * width * 0.4, 100 - height * rng.uniform(0.2, 0.4)
        sketch.arc(x, y, (rng.uniform(1, 7),) * 2)
    mood, depth = rng.random() < 0.7, height * rng.uniform(0.1, 0.3)
    turn = (20.0, 160.0) if mood else (200.0, 340.0)
    sketch.arc(100, 100 + height * (0.3 if mood else 0.55), (width * 0.5, depth), turn)
    if rng.random() < 0.4:
        sketch.line((100, 95), (100 - 6, 110), (102, 112))
    if rng.random() < 0.3:
        for side in (-1, 1):
            sketch.arc(100 + side * (width + 8), 100, (9, 14))
    if rng.random() < 0.3:
        for x in np.linspace(-0.5, 0.5, 4):
            sketch.line((100 + width * x, 100 - height * 0.9), (100 + width * x * 1.4, 100 - height * 1.15))
    return sketch.image()


def corner_house(rng: np.random.Generator) -> Array:
    """A house seen from a corner: a gable, and to its right a long wall under a slope of roof."""
    sketch = Sketch(rng)
    sketch.width = min(sketch.width, 16)
    left, middle, right = rng.uniform(15, 35), rng.uniform(75, 100), rng.uniform(160, 190)
    eaves, floor, top, back = rng.uniform(80, 105), rng.uniform(150, 180), rng.uniform(25, 55), rng.uniform(0, 12)
    sketch.line(
        (left, eaves), (left, floor), (middle, floor), (middle, eaves), ((left + middle) / 2, top), (left, eaves)
    )
    sketch.line((middle, floor), (right, floor - back), (right, eaves - back), (middle, eaves))
    sketch.line(((left + middle) / 2, top), (right - (middle - left) / 2, top - back / 2), (right, eaves - back))
    if rng.random() < 0.5:
        x = rng.uniform(left + 8, middle - 26)
        sketch.line((x, floor), (x, floor - 35), (x + 18, floor - 35), (x + 18, floor))
    if rng.random() < 0.5:
        x, y = rng.uniform(middle + 15, right - 40), eaves + 15
        sketch.line((x, y), (x + 22, y), (x + 22, y + 20), (x, y + 20), (x, y))
    return sketch.image()


def animal_face(rng: np.random.Generator) -> Array:
    """A round or broad head with two ears, pointed, round or long; eyes, a snout, at times whiskers."""
    sketch = Sketch(rng)
    sketch.width = min(sketch.width, 14)
    width, height, y = rng.uniform(50, 70), rng.uniform(42, 60), 125.0
    sketch.arc(100, y, (width, height))
    ears = rng.integers(3)
    for side in (-1, 1):
        x = 100 + side * width * 0.65
        if ears == 0:
            sketch.line((100 + side * width * 0.9, y - height * 0.5), (x + side * 12, y - height * 1.6),
                        (100 + side * width * 0.3, y - height * 0.95))  # fmt: skip
        elif ears == 1:
            sketch.arc(x, y - height, (20, 20))
        else:
            sketch.arc(100 + side * width * 0.4, y - height * 1.5, (rng.uniform(9, 14), height * 0.6))
        sketch.arc(100 + side * width * 0.4, y - height * 0.25, (rng.uniform(1, 6),) * 2)
        if rng.random() < 0.4:
            for rise in (-8, 6):
                sketch.line((100 + side * 22, y + 18), (100 + side * (width + 18), y + 18 + rise))
    sketch.arc(100, y + height * 0.3, (rng.uniform(4, 20), rng.uniform(4, 12)))
    return sketch.image()


def thing(rng: np.random.Generator) -> Array:
    """A bicycle, scissors, glasses, a mushroom, an umbrella, a snail, a ladder, a guitar, a bell, a hat or an apple."""
    sketch = Sketch(rng)
    sketch.width = min(sketch.width, 18)
    line, arc, (a, b) = sketch.line, sketch.arc, rng.uniform(-12, 12, 2)
    kind = int(rng.integers(11))
    if kind == 0:  # a bicycle
        arc(50, 140, (34, 34)), arc(150, 140, (34, 34))
        line((50, 140), (80 + a, 85), (130 + b, 85), (150, 140)), line((80 + a, 85), (100, 140), (130 + b, 85))
    elif kind == 1:  # scissors
        line((60, 20 + a), (125, 140)), line((140, 20 + b), (75, 140))
        arc(65, 160, (20, 22)), arc(135, 160, (20, 22))
    elif kind == 2:  # glasses
        arc(55, 110, (38, 32 + a)), arc(145, 110, (38, 32 + a)), arc(100, 105, (10, 10), (180, 360))
    elif kind == 3:  # a mushroom
        (
            arc(100, 95, (75, 65 + a), (180, 360)),
            line((25, 95), (175, 95)),
            line((80, 95), (75 + b, 175), (125, 175), (120, 95)),
        )
    elif kind == 4:  # an umbrella
        arc(100, 100, (80, 70 + a), (180, 360)), line((20, 100), (180, 100)), line((100, 100), (100, 165))
        arc(85, 165, (15, 15), (0, 150))
    elif kind == 5:  # a snail
        arc(110, 95, (50, 48)), arc(110, 95, (25 + a / 2, 24)), line((165, 145), (40, 150), (20, 110 + b), (15, 95))
    elif kind == 6:  # a ladder
        line((65 + a, 15), (55, 185)), line((130 + a, 15), (145, 185))
        for y in range(45, 181, int(rng.integers(28, 45))):
            line((62, y), (138, y))
    elif kind == 7:  # a guitar
        arc(100, 145, (45 + a, 38)), arc(100, 90, (30, 26)), line((100, 65), (100 + b, 10)), arc(100, 130, (10, 10))
    elif kind == 8:  # a bell
        line((40, 150), (60, 120), (65 + a, 60)), arc(100, 60, (35 - a, 30), (180, 360))
        line((135 - a, 60), (140, 120), (160, 150), (40, 150)), arc(100, 165, (10, 8))
    elif kind == 9:  # a hat
        line((15, 150), (185, 150)), line((50 + a, 150), (60, 60 + b), (140, 60 + b), (150 - a, 150))
    else:  # an apple
        arc(75, 115, (42, 55 + a)), arc(125, 115, (42, 55 + a)), line((100, 75), (110 + b, 25)), arc(135, 35, (22, 10))
    return sketch.image()


def blank(rng: np.random.Generator) -> Array:
    """Black, gray or white, a slope of light, or grain as faint as a scanner's; to the network as it is."""
    rows, columns = np.indices((28, 28)) / 27.0
    slope = rng.uniform(-60, 60) * rows + rng.uniform(-60, 60) * columns
    grain = rng.normal(0.0, rng.uniform(1.0, 12.0), (28, 28))
    level = rng.choice([0.0, 255.0, rng.uniform(0.0, 255.0)])
    return np.clip(level + [0.0 * rows, slope, grain, slope + grain][rng.integers(4)], 0, 255).astype(np.uint8)


def letter(rng: np.random.Generator) -> Array:
    """A letter in print, upright or turned a little."""
    from matplotlib import get_data_path

    path = Path(get_data_path()) / "fonts" / "ttf" / f"{rng.choice(FONTS)}.ttf"
    canvas = Image.new("L", (SIDE, SIDE), 255)
    face = ImageFont.truetype(str(path), int(rng.integers(60, 130)))
    ImageDraw.Draw(canvas).text((100, 100), str(rng.choice(list(LETTERS))), font=face, anchor="mm")
    return read(np.asarray(canvas.rotate(rng.normal(0.0, 4.0), fillcolor=255)))


def script_letter(rng: np.random.Generator) -> Array:
    """A letter in script, in Fraktur or with doubled strokes, less those like digits."""
    from matplotlib import get_data_path

    start = int(rng.choice([0x1D4D0, 0x1D56C, 0x1D538]))  # bold script, bold Fraktur, doubled
    letters = [c for c in "ADEFGJKLMTUVWXYabdefhkmnprtuvwxy" if start != 0x1D538 or c in "ADEFGJKLMTUVWXY"]
    chosen = str(rng.choice(letters))
    point = start + ord(chosen) - (ord("A") if chosen.isupper() else ord("a") - 26)
    path = Path(get_data_path()) / "fonts" / "ttf" / "STIXGeneral.ttf"
    canvas = Image.new("L", (SIDE, SIDE), 255)
    face = ImageFont.truetype(str(path), int(rng.integers(60, 120)))
    ImageDraw.Draw(canvas).text((100, 100), chr(point), font=face, anchor="mm")
    return read(np.asarray(canvas.rotate(rng.normal(0.0, 4.0), fillcolor=255)))


def enlarged(image: Array) -> Image.Image:
    """A 28x28 image, ten times as large with room around it: 400 pixels a side, its ink within 60 and 340."""
    return Image.fromarray(np.pad(image, 6)).resize((400, 400), Image.Resampling.BICUBIC)


def leaning(image: Array, rng: np.random.Generator) -> Array:
    """An image turned to the left, or sheared, by 10 to 30 degrees."""
    degrees, big = rng.uniform(10.0, 30.0), enlarged(image)
    if rng.random() < 0.5:
        return read(np.asarray(big.rotate(degrees)))
    lean = math.tan(math.radians(degrees))
    shear = (1.0, -lean, 200.0 * lean, 0.0, 1.0, 0.0)
    return read(np.asarray(big.transform(big.size, Image.Transform.AFFINE, shear, Image.Resampling.BICUBIC)))


def slashed(image: Array, rng: np.random.Generator) -> Array:
    """A 0 with a slash from below left to above right, ending in it or a little beyond."""
    big = enlarged(image)
    left, top, right, bottom = big.point(lambda value: 255 * (value > 90)).getbbox()
    (x, y), (half, rise) = ((left + right) / 2, (top + bottom) / 2), ((right - left) / 2, (bottom - top) / 2)
    reach, tilt = rng.uniform(0.7, 1.15), rng.uniform(0.5, 1.0)
    ends = (x - half * tilt * reach, y + rise * reach, x + half * tilt * reach, y - rise * reach)
    ImageDraw.Draw(big).line(ends, fill=255, width=int(rng.integers(16, 36)))
    return read(np.asarray(big))


def on_pad(strokes: list[Array]) -> Array:
    """What the page makes of strokes."""
    image = ink_strokes([(stroke * 200.0 + 40.0).tolist() for stroke in strokes]).image
    assert image is not None
    return image


def european(digit: int, rng: np.random.Generator) -> Array:
    """A 1 whose first stroke is long, or a 7 with a bar, drawn on the page's pad."""
    off = rng.normal(0.0, 0.02, (5, 2))
    if digit == 1:
        flag = rng.uniform(0.25, 0.45)
        stem = [[0.0, rng.uniform(0.3, 0.75)], [flag, 0.0], [flag + rng.normal(0.0, 0.04), 1.0]]
        return on_pad([np.array(stem) + off[:3]])
    width = rng.uniform(0.45, 0.7)
    bar = np.array([[width * 0.2, 0.5], [width * rng.uniform(0.9, 1.1), 0.47]]) + off[3:]
    return on_pad([np.array([[0.0, 0.0], [width, 0.02], [width * rng.uniform(0.3, 0.6), 1.0]]) + off[:3], bar])


def leaning_strokes(k: int, rng: np.random.Generator) -> Array:
    """A 0, 1 or 8 on the page's pad, leaning to the left by 10 to 30 degrees."""
    lean = math.tan(math.radians(rng.uniform(10.0, 30.0)))
    return on_pad([stroke @ [[1.0, 0.0], [lean, 1.0]] for stroke in strokes_of((0, 1, 8)[k % 3], rng)])


def slashed_strokes(rng: np.random.Generator) -> Array:
    """A 0 on the page's pad and a slash through it, which ends in it or beyond."""
    strokes = strokes_of(0, rng)
    every = np.concatenate(strokes)
    low, span = every.min(axis=0), np.ptp(every, axis=0)
    reach, tilt = rng.uniform(0.35, 0.65), rng.uniform(0.5, 1.0)
    ends = np.array([[0.5 - reach * tilt, 0.5 + reach], [0.5 + reach * tilt, 0.5 - reach]])
    return on_pad([*strokes, low + span * (ends + rng.normal(0.0, 0.03, (2, 2)))])


OTHERS: dict[str, tuple[Draw, float]] = {  # and the share that is asked for, at least
    "letters, other fonts": (letter, 0.6),
    "houses": (house, 0.9),
    "faces": (face, 0.9),
    "blanks": (blank, 0.9),
    "script and Fraktur": (script_letter, 0.6),
    "houses from a corner": (corner_house, 0.9),
    "faces of animals": (animal_face, 0.9),
    "things": (thing, 0.9),
}


def groups(n: int, seed: int = 2026) -> Iterator[tuple[str, Array, Array | None, float]]:
    """Names, images (n, 28, 28), which digits they are, and the share asked for: at most for digits, at least else."""
    test = load_data("mnist", offline=True).test
    assert test is not None
    images, labels = test.inputs.reshape(-1, 28, 28), test.targets
    rng = np.random.default_rng(seed)
    yield "MNIST's test images", images, labels, 0.01
    for digit in (0, 1, 8):
        some = np.stack([leaning(image, rng) for image in images[labels == digit]])
        yield f"{digit} leaning left", some, np.full(len(some), digit), 0.01
    zeros = images[labels == 0]
    yield "0 with a slash", np.stack([slashed(image, rng) for image in zeros]), np.zeros(len(zeros), int), 0.01
    drawn = np.stack([on_pad(strokes_of(k % 10, rng)) for k in range(n)])
    yield "drawn on the page", drawn, np.arange(n) % 10, 0.01
    lean = np.stack([leaning_strokes(k, rng) for k in range(n)])
    yield "0, 1, 8 drawn leaning left", lean, np.array([0, 1, 8])[np.arange(n) % 3], 0.01
    for digit in (1, 7):
        yield f"European {digit}", np.stack([european(digit, rng) for _ in range(n)]), np.full(n, digit), 0.01
    for name, (draw, least) in OTHERS.items():
        yield name, np.stack([draw(rng) for _ in range(n)]), None, least
    drawn = np.stack([slashed_strokes(rng) for _ in range(n)])
    yield "0 with a slash, drawn", drawn, np.zeros(n, int), 0.01


def sheet(images: Array, path: Path, n_columns: int = 40) -> None:
    """A picture of at most 600 images, dark on light."""
    some = np.pad(images[:600], [(0, 0), (1, 1), (1, 1)])
    some = np.concatenate([some, np.zeros((-len(some) % n_columns, 30, 30), np.uint8)])
    rows = some.reshape(-1, n_columns, 30, 30).swapaxes(1, 2).reshape(-1, 30 * n_columns)
    if len(rows):
        Image.fromarray(255 - rows).save(path)


def main() -> int:
    """Measure, print, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1000, metavar="N", help="of each kind that is drawn (1000)")
    parser.add_argument("--seed", type=int, default=2026, help="of what is drawn (2026)")
    parser.add_argument("--model", type=Path, default=PRETRAINED, metavar="FILE", help="the bundled one")
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="where to put pictures of what it says")
    parser.add_argument("--json", type=Path, default=RESULTS / "doubt.json", metavar="FILE", help="results/doubt.json")
    given = parser.parse_args()
    model, rows = load(given.model), list[Row]()
    for name, images, labels, asked in groups(given.examples, given.seed):
        flat = images.reshape(len(images), -1)
        is_unusual = model.unusual(flat) >= 0.5
        row = {"benchmark": "doubt", "workload": name, "examples": len(images), "unusual": float(is_unusual.mean())}
        row |= {"asked": asked, "is_digit": labels is not None}
        row |= {} if labels is None else {"accuracy": float((model.predict(flat) == labels).mean())}
        print("  ".join(f"{key} {value}" for key, value in row.items() if key != "benchmark"), flush=True)
        rows.append(row)
        if given.sheets:
            given.sheets.mkdir(exist_ok=True)
            for word, chosen in (("unusual", is_unusual), ("usual", ~is_unusual)):
                sheet(images[chosen], given.sheets / f"{name.replace(' ', '-')}-{word}.png")
    write_rows(given.json, [row | surroundings() for row in rows])
    return 0


if __name__ == "__main__":
    sys.exit(main())
