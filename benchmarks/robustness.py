"""What a network still reads when images are not as it knows them: shifted, turned, scaled, noisy, thin or thick.

python benchmarks/robustness.py
python benchmarks/robustness.py model.safetensors --data digits
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.augment import warp
from deltarule.data.catalog import load as load_data
from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.files.model_file import PRETRAINED, load
from deltarule.inspection.measures.metrics import wilson_interval
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.workspace import as_floats
from deltarule.randomness import generator

MOST_EXAMPLES = 1000  # of them, an accuracy of 90 % is known to within 2 points
PEN_DIRECTIONS = 8


class Change(NamedTuple):
    """One way in which images, (n_samples, height, width) float32 from 0 to 1, can differ: by `amounts` in a `unit`."""

    unit: str
    amounts: tuple[float, ...]
    apply: Callable[[Array, float], Array]


@dataclass(frozen=True, eq=False)
class Response:
    """The accuracy under each amount of a change, with 95 % confidence from low to high; all arrays (n_amounts,)."""

    change: str
    unit: str
    examples: int
    amounts: Array
    accuracy: Array
    low: Array
    high: Array


def transform(images: Array, linear: Any, offset: tuple[float, float] = (0.0, 0.0)) -> Array:
    """Take the pixel at p, (row, column) from the middle, from linear @ p + offset of each image."""
    n_samples, height, width = images.shape
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    grid = np.indices((height, width)).reshape(2, -1) - middle[:, np.newaxis]
    points = linear @ grid + (middle + offset)[:, np.newaxis]
    points = np.broadcast_to(points.reshape(2, 1, height, width), (2, *images.shape)).astype(images.dtype)
    return warp(images.reshape(n_samples, -1), points).reshape(images.shape)


def shift(images: Array, pixels: float) -> Array:
    """Move images to the right, or to the left where `pixels` is negative."""
    return transform(images, np.eye(2), (0.0, -pixels))


def rotate(images: Array, degrees: float) -> Array:
    """Turn images counterclockwise about the middle."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return transform(images, np.array([[cos, sin], [-sin, cos]]))


def scale(images: Array, factor: float) -> Array:
    """Make images `factor` times as large."""
    return transform(images, np.eye(2) / factor)


def add_noise(images: Array, deviation: float) -> Array:
    """Add normal noise of that standard deviation (ink is 1) to every pixel, cut off at paper and full ink."""
    noise = generator(0, "noise").standard_normal(images.shape, dtype=images.dtype)
    return np.clip(images + images.dtype.type(deviation) * noise, 0.0, 1.0)


def widen_pen(images: Array, pixels: float) -> Array:
    """Draw with a pen so many pixels wider, or narrower where negative: gray dilation or erosion by a disk."""
    angles = np.arange(PEN_DIRECTIONS) * (2.0 * np.pi / PEN_DIRECTIONS)
    rim = 0.5 * abs(pixels) * np.stack([np.sin(angles), np.cos(angles)], axis=1)  # (directions, 2): down, right
    choose, out = np.maximum if pixels > 0.0 else np.minimum, images.copy()
    for down, right in rim:
        choose(out, transform(images, np.eye(2), (down, right)), out=out)
    return out


CHANGES = {
    "shift": Change("pixels to the right", (-4, -3, -2, -1, 0, 1, 2, 3, 4), shift),
    "rotation": Change("degrees counterclockwise", (-45, -30, -15, 0, 15, 30, 45), rotate),
    "scale": Change("times as large", (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3), scale),
    "noise": Change("standard deviation", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5), add_noise),
    "pen width": Change("pixels wider", (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0), widen_pen),
}


def robustness(model: Model, dataset: Dataset) -> tuple[Response, ...]:
    """The accuracy of a model of images under each of CHANGES, on at most 1,000 examples, spread over the dataset.

    Raises SettingError unless the examples are images of classes, ShapeError where they do not fit the model.
    """
    image_shape = dataset.image_shape
    if image_shape is None or dataset.task != "classes":
        what = dataset.task if image_shape else "no images"
        raise SettingError(f"robustness is measured on images of classes: got {dataset.name}, which holds {what}")
    dataset = dataset.spread(MOST_EXAMPLES)
    model.scaled(dataset)  # raises where the two do not fit each other
    images = as_floats(model.unscaled(dataset.inputs), np.float32).reshape(-1, *image_shape)
    responses, n_samples = [], dataset.n_samples
    limit = 1.0 if model.pixels else np.inf  # interpolation may exceed full ink by a rounding error
    for name, (unit, amounts, apply) in CHANGES.items():
        changed = (np.minimum(apply(images, amount), limit).reshape(n_samples, -1) for amount in amounts)
        hits = [int(np.count_nonzero(model.predict(each) == dataset.targets)) for each in changed]
        low, high = np.transpose([wilson_interval(count, n_samples) for count in hits])
        about = (name, unit, n_samples, np.array(amounts, np.float64))
        responses.append(Response(*about, np.array(hits) / n_samples, low, high))
    return tuple(responses)


def main() -> None:
    """Print the accuracy of a model under each change of the test images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=PRETRAINED, help="a model of images (the one that comes along)")
    parser.add_argument("--data", default="mnist", metavar="NAME", help="whose test images (mnist, else digits)")
    given = parser.parse_args()
    data = load_data(given.data, fallback=given.data == "mnist", offline=True).test
    for response in robustness(load(given.model), data):
        print(f"{response.change}, {response.unit}, {response.examples:,} images of {data.name}")
        for amount, accuracy, low, high in zip(
            response.amounts, response.accuracy, response.low, response.high, strict=True
        ):
            print(f"{amount:8g}{100 * accuracy:8.1f} %   95 % interval {100 * low:.1f} to {100 * high:.1f}")


if __name__ == "__main__":
    main()
