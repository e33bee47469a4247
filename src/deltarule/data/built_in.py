"""The data sets that come with deltarule: they need no download, and are the same every time."""

from pathlib import Path

import numpy as np

from deltarule.data.dataset import Dataset, Splits
from deltarule.data.readers.idx import image_dataset
from deltarule.randomness import generator


def load_digits() -> Splits:
    """Load the bundled digits, 28x28 uint8 images: 1,437 to train on and 360, every fifth of each class, to test on.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998
    (CC BY 4.0), the test part. scripts/make_digits.py turned its 8x8 cells into 28x28 images in MNIST's format.
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as bundle:
        digits = image_dataset(bundle["images"], bundle["labels"], class_names="0123456789", name="digits")
    tested = np.zeros(len(digits), dtype=bool)
    tested[np.argsort(digits.targets, kind="stable")[::5]] = True
    return Splits(digits.take(np.flatnonzero(~tested)), digits.take(np.flatnonzero(tested)))


def digit_cells() -> bytes:
    """The bundled digits as UCI published them, 65 bytes each: the label, then 8x8 cells with values of 0 to 16."""
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as bundle:
        return np.column_stack([bundle["labels"], bundle["cells"].reshape(-1, 64)]).tobytes()


def xor() -> Splits:
    """Exclusive or, the smallest problem that no single neuron solves: four points to train on, none to test on."""
    inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = np.array([[0], [1], [1], [0]], dtype=np.uint8)
    return Splits(Dataset(inputs, targets, "labels", ("a xor b",), name="xor"))


def arithmetic() -> Splits:
    """Regression from a and b, uniform in -10 to 10, to a + b, a - b and |a - b|: 2,000 rows to train, 500 to test."""
    inputs = generator(0, "arithmetic").uniform(-10.0, 10.0, (2500, 2))
    total, difference = inputs.sum(axis=1), inputs[:, 0] - inputs[:, 1]
    targets = np.stack([total, difference, np.abs(difference)], axis=1)
    return Dataset(inputs, targets, "values", ("a + b", "a - b", "|a - b|"), name="arithmetic").head(2000)


def cute_dog() -> Splits:
    """Predict whether a dog is cute (label 1) or not (0) from the size of its eyes: 400 dogs to train, 100 to test.

    The one input is the width of an eye in centimeters, uniform in 1 to 4. A dog is cute with the probability
    sigmoid(4 (size - 2.5)), so the best network of one sigmoid has weight 4 and bias -10, and is right for 88 % of
    dogs; no network can do better.
    """
    rng = generator(0, "cute-dog")
    sizes = rng.uniform(1.0, 4.0, (500, 1))
    cute = rng.random((500, 1)) < 1.0 / (1.0 + np.exp(-4.0 * (sizes - 2.5)))
    return Dataset(sizes, cute.astype(np.uint8), "labels", ("cute",), name="cute-dog").head(400)


BUILT_IN = {"digits": load_digits, "xor": xor, "arithmetic": arithmetic, "cute-dog": cute_dog}
