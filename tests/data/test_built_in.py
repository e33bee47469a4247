"""What comes with deltarule: the digits that UCI published, brought to 28x28 as MNIST's were, and made data sets."""

from pathlib import Path

import numpy as np
import pytest
from make_digits import like_mnist

from deltarule.data import built_in
from deltarule.data.built_in import arithmetic, cute_dog, load_digits, xor
from deltarule.data.dataset import Splits


@pytest.fixture(scope="module")
def digits() -> Splits:
    return load_digits()


def ink_boxes(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height and width of each image's ink."""
    sides = []
    for axis in (2, 1):
        inked = (images > 0).any(axis=axis)
        sides.append(images.shape[1] - inked[:, ::-1].argmax(axis=1) - inked.argmax(axis=1))
    return sides[0], sides[1]


def centers_of_mass(images: np.ndarray) -> np.ndarray:
    masses = images.astype(float)
    masses /= masses.sum(axis=(1, 2), keepdims=True)
    return np.stack([np.einsum("nrc,r->n", masses, np.arange(28)), np.einsum("nrc,c->n", masses, np.arange(28))])


def test_split_and_shapes(digits: Splits) -> None:
    assert (digits.train.n_samples, digits.test.n_samples) == (1437, 360)
    assert digits.train.inputs.dtype == np.uint8
    assert (digits.train.image_shape, digits.train.class_names) == ((28, 28), tuple("0123456789"))
    shares = np.bincount(digits.test.targets) / np.bincount(np.r_[digits.train.targets, digits.test.targets])
    assert np.abs(shares - 0.2).max() < 0.005


def test_the_bundle_is_what_was_published() -> None:
    sklearn_datasets = pytest.importorskip("sklearn.datasets", reason="compares with scikit-learn's copy")
    published = sklearn_datasets.load_digits()
    with np.load(Path(built_in.__file__).with_name("digits.npz")) as bundle:
        assert np.array_equal(bundle["cells"], published.images)
        assert np.array_equal(bundle["labels"], published.target)


def test_the_images_are_made_of_the_cells() -> None:
    """To within a level: where one lies between two, it depends on how a machine's float32 products are summed."""
    with np.load(Path(built_in.__file__).with_name("digits.npz")) as bundle:
        apart = np.abs(like_mnist(bundle["cells"] / np.float32(16.0)).astype(int) - bundle["images"])
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-4


def test_every_digit_obeys_the_rules_of_mnist(digits: Splits) -> None:
    images = np.concatenate([digits.train.inputs, digits.test.inputs]).reshape(-1, 28, 28)
    assert (np.maximum(*ink_boxes(images)) == 20).all()
    assert (images.max(axis=(1, 2)) == 255).all()
    assert (np.rint(centers_of_mass(images)) == 14).all()


def test_mnist_obeys_them_too(mnist: Splits) -> None:
    images = mnist.test.inputs.reshape(-1, 28, 28)
    assert (np.maximum(*ink_boxes(images)) == 20).mean() > 0.999
    assert (np.rint(centers_of_mass(images)) == 14).all(axis=0).mean() > 0.999


def test_position_and_strength_in_the_cells_do_not_matter() -> None:
    cells = np.zeros((4, 10, 9), np.float32)
    shape = np.array([[0, 1, 1], [1, 1, 0], [0, 1, 0], [0, 1, 1]], np.float32)
    for k, (row, column) in enumerate([(1, 1), (5, 1), (3, 5), (4, 4)]):
        cells[k, row : row + 4, column : column + 3] = shape
    images = like_mnist(cells)
    assert (images == images[0]).all()


def test_aspect_is_kept() -> None:
    cells = np.zeros((2, 8, 8), np.float32)
    cells[0, 1:7, 3:5] = 1.0  # 6 high, 2 wide
    cells[1] = cells[0].T
    tall, wide = like_mnist(cells)
    assert np.array_equal(tall, wide.T)
    (height, _), (width, _) = ink_boxes(np.stack([tall, wide]))
    assert height == 20
    assert width == pytest.approx(20 * 2 / 6, abs=1.0)
    assert (tall[:, 14] > 0).sum() == 20


def test_xor() -> None:
    points = xor().train
    found = dict(zip(map(tuple, points.inputs.tolist()), points.targets[:, 0].tolist(), strict=True))
    assert found == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


def test_arithmetic() -> None:
    splits = arithmetic()
    assert (splits.train.n_samples, splits.test.n_samples) == (2000, 500)
    for (a, b), targets in zip(splits.test.inputs, splits.test.targets, strict=True):
        assert targets.tolist() == [a + b, a - b, abs(a - b)]


def test_cute_dog() -> None:
    splits = cute_dog()
    assert (splits.train.n_samples, splits.test.n_samples) == (400, 100)
    sizes = np.concatenate([splits.train.inputs, splits.test.inputs]).ravel()
    cute = np.concatenate([splits.train.targets, splits.test.targets]).ravel()
    assert 1.0 <= sizes.min() < sizes.max() <= 4.0
    # Within three standard deviations of 500 dogs of what the docstring says the best guess is right for.
    assert (cute == (sizes > 2.5)).mean() == pytest.approx(0.885, abs=3 * np.sqrt(0.885 * 0.115 / 500))
    assert (cute == (sizes > 2.5)).mean() < 1.0


@pytest.mark.parametrize("made", [xor, arithmetic, cute_dog])
def test_the_same_every_time(made) -> None:
    assert np.array_equal(made().train.inputs, made().train.inputs)
    assert np.array_equal(made().train.targets, made().train.targets)
