"""IDX files: what is written is read, and everything else is refused by name."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from idx_files import write_idx

from deltarule.data.dataset import Splits
from deltarule.data.readers.idx import image_dataset, read_idx
from deltarule.errors import DataError

# Two images of 2x3, written out byte by byte: magic, three dimensions, pixels.
IMAGES = bytes.fromhex("00000803 00000002 00000002 00000003 000102030405 fafbfcfdfeff")
LABELS = bytes.fromhex("00000801 00000002 0107")


@pytest.fixture(params=["plain", "gzip"])
def stored(request: pytest.FixtureRequest, tmp_path: Path):
    """A function that stores bytes, in the one way and the other, and gives the path."""

    def store(content: bytes, name: str = "images") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if request.param == "gzip" else content)
        return path

    return store


def test_reads_a_file_written_by_hand(stored) -> None:
    images = read_idx(stored(IMAGES))
    assert images.dtype == np.uint8
    assert images.tolist() == [[[0, 1, 2], [3, 4, 5]], [[250, 251, 252], [253, 254, 255]]]


@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, max_side=6)), st.sampled_from(["idx", "idx.gz"]))
def test_reads_what_it_writes(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, suffix: str) -> None:
    path = tmp_path_factory.mktemp("idx") / f"array.{suffix}"
    write_idx(path, array)
    assert np.array_equal(read_idx(path), array)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == suffix.endswith("gz")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "starts with 00 00 08 and 01 to 04: got an empty file"),
        (b"<!DOCTYPE html>", "got 3c 21 44 4f"),
        (b"\x00\x00\x0d\x01" + IMAGES[4:], "got >f4, 0x0d; convert it:"),
        (b"\x00\x00\x08\x00", "got 00 00 08 00"),
        (b"\x00\x00\x08\x05" + IMAGES[4:], "got 00 00 08 05"),
        (IMAGES[:10], "3 dimensions of 4 bytes were expected: got 6 bytes"),
        (IMAGES[:16], "declares 2 x 2 x 3, so 28 bytes were expected: got 16"),
        (IMAGES[:-1], "so 28 bytes were expected: got 27"),
        (IMAGES + b"\x00", "so 28 bytes were expected: got (29|more)"),
        (
            struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1),
            r"79,228,162,458,924,.* were expected: got \d+",
        ),
    ],
)
def test_refuses(stored, content: bytes, words: str) -> None:
    path = stored(content)
    with pytest.raises(DataError, match=words) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_refuses_gzip_that_ends_early_or_is_damaged(tmp_path: Path) -> None:
    whole = gzip.compress(bytes.fromhex("00000801 00001000") + bytes(4096))
    damaged = bytearray(whole)
    damaged[-6] ^= 1  # in the checksum
    for content in (whole[:-12], bytes(damaged)):
        (tmp_path / "labels.gz").write_bytes(content)
        with pytest.raises(DataError, match=r"labels\.gz: expected a whole gzip file, but it is damaged or truncated"):
            read_idx(tmp_path / "labels.gz")


def test_takes_no_memory_for_what_a_file_only_claims(tmp_path: Path) -> None:
    header = struct.pack(">HBBI", 0, 8, 1, 3 * 2**30)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(header + bytes(2**25)))
    with pytest.raises(DataError, match="compressed ones; a file like this is made to fill the memory"):
        read_idx(tmp_path / "bomb.gz")
    (tmp_path / "large.gz").write_bytes(gzip.compress(struct.pack(">HBBI", 0, 8, 1, 5000) + bytes(5000)))
    with pytest.raises(DataError, match="more than the 4,096 that are read"):
        read_idx(tmp_path / "large.gz", most_bytes=4096)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataError, match="cannot be read") as caught:
            read_idx(path)
        assert str(path) in str(caught.value)


def test_a_pair_becomes_a_dataset(stored) -> None:
    data = image_dataset(read_idx(stored(IMAGES)), read_idx(stored(LABELS, "labels")))
    assert (data.n_samples, data.n_features, data.n_outputs, data.image_shape) == (2, 6, 8, (2, 3))
    assert data.inputs[1].tolist() == [250, 251, 252, 253, 254, 255]
    assert data.targets.tolist() == [1, 7]


def test_a_pair_must_match(stored) -> None:
    images, labels = read_idx(stored(IMAGES)), read_idx(stored(LABELS, "labels"))
    with pytest.raises(DataError, match="3 dimensions of images and 1 of labels were expected: got 1 and 3"):
        image_dataset(labels, images)
    with pytest.raises(DataError, match="each of 2 images was expected: got 3 labels"):
        image_dataset(images, np.array([1, 2, 3], np.uint8))
    with pytest.raises(DataError, match="class_names has 3 names, and the targets hold classes up to 7"):
        image_dataset(images, labels, class_names=("a", "b", "c"))


def test_real_mnist(mnist: Splits) -> None:
    assert mnist.train.inputs.shape == (60_000, 784)
    assert mnist.test.inputs.shape == (10_000, 784)
    assert mnist.train.inputs.flags.writeable
    # How often each digit occurs, as LeCun's page and every textbook count them.
    assert np.bincount(mnist.train.targets).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.test.targets).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(float(mnist.train.inputs.mean()) / 255, 4) == 0.1307
