"""How good the ink normalizer is, and the network that comes with deltarule, on MNIST's test images.

    python benchmarks/ink.py
    python benchmarks/ink.py --examples 500

The normalizer: what it does to the images themselves; then to the same ones moved about on a pad of 280 pixels, or
enlarged to 0.3, 0.5, 0.75 and 1 of it, dark on light and light on dark in turn; and through files: every image enlarged
to some size in between, somewhere, stored in the eight orientations of Exif in turn, as PNG, JPEG or WebP. The network:
without the normalizer, under the changes of `robustness.py`.

Asked: 99.9 % of the images as they are; each accuracy within 0.5 points of that on the images themselves, 98.8 % at
least; 97 % shifted by 2 pixels, 97 % turned by 15 degrees, 95 % with a pen 2 pixels narrower or wider.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from measuring import RESULTS, Row, surroundings, write_rows
from PIL import Image
from robustness import rotate, transform, widen_pen

from deltarule.data.augment import redraw
from deltarule.data.catalog import load as load_data
from deltarule.data.dataset import Dataset
from deltarule.data.ink.normalization import ink_image
from deltarule.data.ink.pictures import ORIENTATION, TURNS, read_picture
from deltarule.files.model_file import PRETRAINED, load
from deltarule.inspection.measures.metrics import evaluate_model
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.randomness import generator

PAD = 280
FORMATS = ("PNG", "JPEG", "WEBP")
BACK = {5: 5, 6: 8, 7: 7, 8: 6}  # the orientation that undoes one; the others undo themselves


def pad(image: Array, share: float, rng: np.random.Generator) -> Array:
    """A 28x28 image somewhere on a pad of 280 pixels, enlarged to that share of it; 0 leaves it as it is."""
    side = round(PAD * share) or len(image)
    top, left = rng.integers(PAD - side + 1, size=2)
    canvas = np.zeros((PAD, PAD), np.uint8)
    canvas[top : top + side, left : left + side] = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    return canvas


def through_file(gray: Array, k: int) -> Array:
    """What is read of a picture that was stored as file number k: in one of the formats, in one of the orientations."""
    orientation = k % 8 + 1
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = BytesIO()
    stored = Image.fromarray(gray)
    if orientation in TURNS:
        stored = stored.transpose(TURNS[BACK.get(orientation, orientation)])
    stored.save(file, FORMATS[k // 8 % len(FORMATS)], exif=exif, quality=90)
    return read_picture(file.getvalue())


def pictures(images: Array, share: float) -> Iterator[Array]:
    """The images on pads, every other one dark on light."""
    for k, image in enumerate(images):
        canvas = pad(image, share, generator(0, f"place {share}", 0, k))
        yield 255 - canvas if k % 2 else canvas


def files(images: Array) -> Iterator[Array]:
    """The images on pads, as large as may be, through files; the polarities change with every round of orientations."""
    for k, image in enumerate(images):
        rng = generator(0, "file", 0, k)
        canvas = pad(image, rng.uniform(0.3, 1.0), rng)
        yield through_file(255 - canvas if k // 24 % 2 else canvas, k)


def read(drawn: Iterator[Array]) -> Array:
    """What the normalizer makes of pictures, (n, 28, 28) uint8; a blank one for no digit."""
    readings = (ink_image(gray).image for gray in drawn)
    return np.array([np.zeros((28, 28), np.uint8) if image is None else image for image in readings])


def normalizer_rows(model: Model, images: Array, labels: Array) -> Iterator[Row]:
    """A row for each way of drawing the images."""
    centered = right(model, images, labels)
    ways: dict[str, Callable[[], Iterator[Array]]] = {"as they are": lambda: iter(images)}
    ways["moved on a pad"] = lambda: pictures(images, 0.0)
    for share in (0.3, 0.5, 0.75, 1.0):
        ways[f"{share} of a pad"] = lambda share=share: pictures(images, share)
    ways["0.3 to 1 of a pad, through files"] = lambda: files(images)
    for workload, way in ways.items():
        made = read(way())
        yield {
            "benchmark": "ink",
            "workload": workload,
            "examples": len(images),
            "identical": float((made == images).all(axis=(1, 2)).mean()),
            "accuracy": right(model, made, labels),
            "centered_accuracy": centered,
        }


def right(model: Model, images: Array, labels: Array) -> float:
    """The share of images that the model reads rightly."""
    return float((model.predict(images.reshape(len(images), -1)) == labels).mean())


def worst(model: Model, variants: list[Array], labels: Array) -> Row:
    """The mean accuracy over some variants of the images, and the lowest."""
    accuracies = [right(model, images, labels) for images in variants]
    return {"accuracy": float(np.mean(accuracies)), "lowest_accuracy": min(accuracies)}


def network_rows(model: Model, images: Array, labels: Array) -> Iterator[Row]:
    """A row for each change of the images, which the network sees without the normalizer."""
    pixels = images / np.float32(255.0)
    flat = pixels.reshape(len(pixels), -1)
    square = {width: redraw(flat, (28, 28), np.full(len(flat), width)).reshape(pixels.shape) for width in (-2.0, 2.0)}
    offsets = [(0.0, 2.0), (0.0, -2.0), (2.0, 0.0), (-2.0, 0.0)]
    changed = {
        "network: as they are": [pixels],
        "network: shifted by 2 pixels": [transform(pixels, np.eye(2), offset) for offset in offsets],
        "network: shifted by 2 pixels both ways": [
            transform(pixels, np.eye(2), (a, b)) for a in (-2, 2) for b in (-2, 2)
        ],
        "network: rotated by 15 degrees": [rotate(pixels, degrees) for degrees in (-15.0, 15.0)],
        "network: pen 1 pixel narrower": [widen_pen(pixels, -1.0)],
        "network: pen 2 pixels narrower": [widen_pen(pixels, -2.0)],
        "network: pen 2 pixels wider": [widen_pen(pixels, 2.0)],
        "network: eroded by a 3x3 square": [square[-2.0]],
        "network: dilated by a 3x3 square": [square[2.0]],
    }
    for workload, variants in changed.items():
        yield {"benchmark": "ink", "workload": workload, "examples": len(images), **worst(model, variants, labels)}


def quality_row(model: Model, test: Dataset) -> Row:
    """Calibration, the digits that are read worst, and accuracy on the bundled digits, which others have written."""
    report = evaluate_model(model, test)
    digits = load_data("digits")
    others = [part for part in (digits.train, digits.test) if part is not None]
    n_right = sum(int((model.predict(part.inputs) == part.targets).sum()) for part in others)
    probabilities = model.probabilities(test.inputs)
    assert report.reliability is not None
    return {
        "benchmark": "ink",
        "workload": "network: quality",
        "examples": test.n_samples,
        "loss": report.loss,
        "expected_calibration_error": report.reliability.expected_calibration_error,
        "mean_confidence": float(probabilities.max(axis=1).mean()),
        "recall": {score.name: score.recall for score in report.per_output},
        "bundled_digits_accuracy": n_right / sum(part.n_samples for part in others),
    }


def main() -> int:
    """Measure, print, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, metavar="N", help="of the test images, the first N (all)")
    parser.add_argument("--json", type=Path, default=RESULTS / "ink.json", metavar="FILE", help="results/ink.json")
    given = parser.parse_args()
    test = load_data("mnist", offline=True).test
    assert test is not None
    test = test.take(slice(given.examples))
    model, images = load(PRETRAINED), test.inputs.reshape(-1, 28, 28)
    rows = []
    for measured in (normalizer_rows(model, images, test.targets), network_rows(model, images, test.targets)):
        for row in measured:
            print("  ".join(f"{key} {value}" for key, value in row.items() if key != "benchmark"), flush=True)
            rows.append(row)
    rows.append(quality_row(model, test))
    write_rows(given.json, [row | surroundings() for row in rows])
    return 0


if __name__ == "__main__":
    sys.exit(main())
