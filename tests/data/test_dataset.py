"""What a Dataset accepts, and how it is split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data.dataset import Dataset, Splits, default_class_names
from deltarule.errors import DataError, SettingError

PIXELS = np.arange(12, dtype=np.uint8).reshape(3, 4)
CLASSES = np.array([0, 2, 1])


def numbered(targets: np.ndarray) -> Dataset:
    """A dataset whose one input is the number of the sample."""
    return Dataset(np.arange(len(targets), dtype=float)[:, np.newaxis], np.asarray(targets, np.int64))


def test_says_what_it_holds() -> None:
    data = Dataset(PIXELS, CLASSES, image_shape=(2, 2))
    assert (len(data), data.n_samples, data.n_features, data.n_outputs) == (3, 3, 4, 3)
    assert data.class_names == ("0", "1", "2")
    assert data.inputs is PIXELS


@pytest.mark.parametrize(
    ("inputs", "targets", "settings", "words"),
    [
        (PIXELS[0], CLASSES, {}, r"\(n_samples, n_features\).*got \(4,\)"),
        (PIXELS[:0], CLASSES[:0], {}, r"neither 0: got \(0, 4\)"),
        (PIXELS.astype(np.int64), CLASSES, {}, "uint8 or a float dtype: got int64"),
        (np.array([[0.0], [np.nan], [1.0]]), CLASSES, {}, "finite: got nan for sample 1, column 0"),
        (np.array([[0.0, -np.inf]] * 3), CLASSES, {}, "finite: got -inf for sample 0, column 1"),
        (PIXELS, CLASSES[:2], {}, "got 3 inputs and 2 targets"),
        (PIXELS, CLASSES.astype(np.int32), {}, r"\(n_samples,\) and int64: got \(3,\) and int32"),
        (PIXELS, CLASSES[:, np.newaxis], {}, r"got \(3, 1\) and int64"),
        (PIXELS, -CLASSES, {}, "classes must be 0 to 0: got -2 for sample 1"),
        (PIXELS, CLASSES, {"class_names": ("a", "b")}, "class_names has 2 names, and the targets hold classes up to 2"),
        (PIXELS, CLASSES * 10**6, {}, "got class 2000000"),
        (PIXELS, CLASSES, {"image_shape": (2, 3)}, "2x3 have 6 pixels: got 4 features"),
        (PIXELS, CLASSES.reshape(3, 1).astype(np.uint8), {"task": "labels"}, "labels must be 0 or 1: got 2"),
        (PIXELS, np.zeros((3, 2)), {"task": "labels"}, r"uint8: got \(3, 2\) and float64"),
        (
            PIXELS,
            np.zeros((3, 2)),
            {"task": "values", "class_names": ("a",)},
            "class_names must name each of 2 outputs: got 1",
        ),
        (PIXELS, np.full((3, 2), np.inf), {"task": "values"}, "targets must be finite: got inf for sample 0"),
        (PIXELS, CLASSES, {"task": "values"}, r"float64: got \(3,\) and int64"),
    ],
)
def test_refuses(inputs: np.ndarray, targets: np.ndarray, settings: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Dataset(inputs, targets, **settings)


def test_an_unknown_task_is_offered_the_nearest() -> None:
    with pytest.raises(SettingError, match="did you mean 'classes'"):
        Dataset(PIXELS, CLASSES, "clases")


def test_head_and_hold_out_are_views_in_order() -> None:
    data = numbered(np.zeros(10))
    for parts in (data.head(7), data.hold_out(3)):
        assert parts.train.inputs.ravel().tolist() == list(range(7))
        assert parts.test.inputs.ravel().tolist() == [7, 8, 9]
        assert np.shares_memory(parts.train.inputs, data.inputs)


@given(st.integers(2, 60), st.data())
def test_a_shuffled_split_is_a_partition_decided_by_its_generator(n_samples: int, draw: st.DataObject) -> None:
    n_test = draw.draw(st.integers(1, n_samples - 1))
    data = numbered(np.zeros(n_samples))
    parts, again = (data.split_shuffled(n_test, np.random.default_rng(7)) for _ in range(2))
    assert len(parts.test) == n_test
    both = np.concatenate([parts.train.inputs, parts.test.inputs]).ravel()
    assert sorted(both) == list(range(n_samples))
    assert np.array_equal(parts.test.inputs, again.test.inputs)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=80), st.data())
def test_a_stratified_split_is_a_partition_that_keeps_shares(targets: list[int], draw: st.DataObject) -> None:
    n_test = draw.draw(st.integers(1, len(targets) - 1))
    data = numbered(np.array(targets))
    parts = data.split_stratified(n_test, np.random.default_rng(0))
    assert len(parts.test) == n_test
    both = np.concatenate([parts.train.inputs, parts.test.inputs]).ravel()
    assert sorted(both) == list(range(len(targets)))
    held = np.bincount(parts.test.targets, minlength=5)
    exact = np.bincount(targets, minlength=5) * n_test / len(targets)
    assert np.abs(held - exact).max() <= 1.0
    assert np.array_equal(parts.test.targets, np.array(targets)[parts.test.inputs.ravel().astype(int)])


@pytest.mark.parametrize("n_part", [0, 10, -1, 11])
def test_a_part_must_fit(n_part: int) -> None:
    data, rng = numbered(np.zeros(10)), np.random.default_rng(0)
    for split in (
        data.head,
        data.hold_out,
        lambda n: data.split_shuffled(n, rng),
        lambda n: data.split_stratified(n, rng),
    ):
        with pytest.raises(SettingError, match=f"1 to 9 of its 10 samples: got {n_part}"):
            split(n_part)


def test_only_classes_are_stratified() -> None:
    data = Dataset(PIXELS, np.zeros((3, 1)), "values")
    with pytest.raises(SettingError, match="use a shuffled split"):
        data.split_stratified(1, np.random.default_rng(0))


def test_parts_must_fit_each_other() -> None:
    wide, narrow = numbered(np.array([0, 1])), Dataset(PIXELS, CLASSES)
    with pytest.raises(DataError, match="n_features of data and of data must agree: got 1 and 4"):
        Splits(wide, narrow)
    with pytest.raises(DataError, match="class_names"):
        Splits(wide, numbered(np.array([0, 2])))


def test_parts_agree_on_default_class_names() -> None:
    assert default_class_names(np.array([0, 1]), np.array([3]), name="data") == ("0", "1", "2", "3")


def test_samples_from_all_over() -> None:
    data = Dataset(np.arange(101.0)[:, np.newaxis], np.zeros((101, 1)), "values")
    assert data.spread(5).inputs.ravel().tolist() == [0, 25, 50, 75, 100]
    assert data.spread(101) is data


def test_a_dataset_prints_as_one_line() -> None:
    digits = Dataset(np.zeros((1200, 6), np.uint8), np.arange(1200) % 3, image_shape=(2, 3), name="digits")
    assert repr(digits) == "<Dataset 'digits': 1,200 x 2 x 3 uint8, 3 classes>"
    values = Dataset(np.zeros((5, 4)), np.zeros((5, 2)), "values", name="a\x1b[2J")
    assert repr(Splits(values)) == "Splits(train=<Dataset 'a\\x1b[2J': 5 x 4 float64, 2 values>, test=None)"
