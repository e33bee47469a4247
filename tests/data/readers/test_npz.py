"""npz archives: the layouts that are read, and the hostile ones that are not."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deltarule.data.readers.npz import read_npz
from deltarule.errors import DataError

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.npz"


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


def write_zip(path: Path, members: list[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_the_layout_of_keras(path: Path, save) -> None:
    save(path, x_train=IMAGES, y_train=np.array([1, 0], np.uint8), x_test=IMAGES[:1], y_test=np.array([4], np.uint8))
    splits = read_npz(path)
    assert np.array_equal(splits.train.inputs, IMAGES.reshape(2, 12))
    assert splits.train.inputs.dtype == np.uint8
    assert splits.train.image_shape == (3, 4)
    assert splits.train.targets.tolist() == [1, 0]
    assert splits.test.targets.tolist() == [4]
    assert splits.train.class_names == splits.test.class_names == ("0", "1", "2", "3", "4")


@pytest.mark.parametrize(
    ("y", "task", "targets"),
    [
        (np.array([2, 0], np.int16), "classes", [2, 0]),
        (np.array([0.5, 2], np.float32), "values", [[0.5], [2.0]]),
        (np.array([[0.5, 1], [2, 3]], ">f8"), "values", [[0.5, 1.0], [2.0, 3.0]]),
        (np.array([[True, False], [False, False]]), "labels", [[1, 0], [0, 0]]),
        (np.array([[1, 0], [0, 0]]), "labels", [[1, 0], [0, 0]]),
        (np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), "classes", [2, 0]),
        (np.array([[False, True], [True, False]]), "classes", [1, 0]),
        (np.array([[3], [1]]), "classes", [3, 1]),
        (np.array(["dog", "cat"]), "classes", [1, 0]),
    ],
)
def test_the_targets_tell_the_task(path: Path, y: np.ndarray, task: str, targets: list) -> None:
    np.savez(path, inputs=np.array([[1, 2], [3, -4]]), targets=y, other=np.zeros(7))
    splits = read_npz(path)
    assert splits.test is None
    assert (splits.train.task, splits.train.targets.tolist()) == (task, targets)
    assert splits.train.inputs.dtype == np.float64
    assert splits.train.inputs.tolist() == [[1.0, 2.0], [3.0, -4.0]]


@pytest.mark.parametrize("names", [("X_train", "Y_TRAIN"), ("images", "labels"), ("arr_0", "arr_1"), ("x", "y")])
def test_arrays_go_by_the_names_that_others_give(path: Path, names: tuple[str, str]) -> None:
    np.savez(path, **{names[0]: IMAGES[..., np.newaxis], names[1]: np.array([1, 0])})
    assert read_npz(path).train.image_shape == (3, 4)
    assert read_npz(path).train.inputs.tolist() == IMAGES.reshape(2, 12).tolist()


def test_keeps_floats_and_recognizes_flat_images(path: Path) -> None:
    np.savez(path, X=np.array([[1.5, 2.5]], ">f4"), y=np.array([0]))
    assert read_npz(path).train.inputs.dtype == np.float32
    np.savez(path, X=np.zeros((1, 784), np.uint8), y=np.array([0]))
    assert read_npz(path).train.image_shape == (28, 28)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (
            {"a": IMAGES, "y": np.array([1, 0])},
            r"arrays called X and y, or x_train, y_train.* got a, y; use numpy\.savez",
        ),
        ({"X": IMAGES}, "got X; use"),
        ({"X": IMAGES, "y": np.array([1, 0, 1])}, "got 2 inputs and 3 targets"),
        ({"X": IMAGES, "y": np.array([1, -1])}, "classes are numbered from 0: got -1; use classes, y = numpy"),
        ({"X": IMAGES, "y": np.array([[256, 1], [0, 1]])}, "labels of 0 and 1 were expected: got 0 to 256"),
        ({"X": IMAGES.reshape(2, 12).T, "y": np.array([0, 1])}, r"shape \(12, 2\) for 2 targets; .*use X\.T where"),
        ({"X": IMAGES, "y": np.array([2**40, 0])}, "got class 1099511627776"),
        ({"X": IMAGES[0, 0], "y": np.array([0])}, r"images of 3 dimensions were expected: got uint8 of shape \(4,\)"),
        ({"X": np.array([[1.0, np.nan]]), "y": np.array([0])}, "finite: got nan for sample 0, column 1"),
        ({"X": IMAGES.astype(str), "y": np.array([1, 0])}, "got <U3 of shape"),
        ({"X": IMAGES + 0j, "y": np.array([1, 0])}, "got complex128"),
    ],
)
def test_refuses_arrays(path: Path, arrays: dict, words: str) -> None:
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=words) as caught:
        read_npz(path)
    assert str(path) in str(caught.value)


def test_never_unpickles(path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    np.savez(path, X=np.array([[Bomb()]], dtype=object), y=np.array([0]))
    with pytest.raises(DataError, match=r"data\.npz, X: numbers .* were expected: got object"):
        read_npz(path)


def test_refuses_a_bomb_by_its_declared_size(path: Path) -> None:
    write_zip(path, [("X.npy", npy(np.zeros((2, 10**7), np.uint8))), ("y.npy", npy(np.array([0, 1])))])
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match=r"at most 2 GiB, and 200 times .* got 20,000,128 declared"):
        read_npz(path)


def test_refuses_a_header_that_lies(path: Path) -> None:
    header = npy(np.zeros((1, 4), np.uint8))
    for shape in (b"(1, 5)", b"(99999, 9)", b"(-1, 4)"):
        lying = header.replace(b"(1, 4)", shape).replace(b" " * (len(shape) - 6) + b"\n", b"\n")
        write_zip(path, [("X.npy", lying), ("y.npy", npy(np.array([0])))])
        with pytest.raises(
            DataError, match=rf"data\.npz, X: numbers that take 4 bytes .* shape {re.escape(shape.decode())}"
        ):
            read_npz(path)


def test_refuses_two_arrays_of_one_name(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_zip(path, [("X.npy", npy(IMAGES)), ("X.npy", npy(IMAGES)), ("y.npy", npy(np.array([0, 1])))])
    with pytest.raises(DataError, match="X: one array of that name was expected: got several"):
        read_npz(path)


def test_refuses_what_is_no_archive_or_a_damaged_one(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_npz(tmp_path / "nowhere.npz")
    np.savez(path, X=IMAGES, y=np.array([0, 1]))
    whole = path.read_bytes()
    pixels = whole.index(IMAGES.tobytes())
    encrypted = bytearray(whole)
    encrypted[6] |= 1
    encrypted[whole.index(b"PK\x01\x02") + 8] |= 1
    wrong = [b"", b"<html>", whole[: len(whole) // 2], whole[:pixels] + b"\xff" + whole[pixels + 1 :], bytes(encrypted)]
    for content in wrong:
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"data\.npz: an npz file was expected, but it is damaged or none"):
            read_npz(path)


def test_refuses_a_member_that_is_no_array(path: Path) -> None:
    write_zip(path, [("X.npy", b"not an array"), ("y.npy", npy(np.array([0])))])
    with pytest.raises(DataError, match="X: an array of numbers was expected"):
        read_npz(path)


@pytest.mark.parametrize(
    "keys", [("data", "targets"), ("train_x", "train_y"), ("X_train", "y_train"), ("Features", "label")]
)
def test_names_of_other_programs_and_what_is_passed_over(path: Path, keys: tuple[str, str]) -> None:
    said: list[str] = []
    np.savez(path, **dict(zip(keys, (IMAGES, np.array([1, 0])), strict=True)), x_val=IMAGES, names=np.array(["a"]))
    assert read_npz(path, said.append).train.targets.tolist() == [1, 0]
    assert said == [f"{path}: skipped: x_val"]


def test_floats_that_could_be_classes_are_values_and_said_so(path: Path) -> None:
    said: list[str] = []
    np.savez(path, X=IMAGES, y=np.array([1.0, 0.0]))
    assert read_npz(path, said.append).train.task == "values"
    assert "y.astype(int) makes classes of them" in said[0]
