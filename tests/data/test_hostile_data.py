"""Data that lie, or that would fill memory or wait for ever: each is refused with the reason."""

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claims import png
from idx_files import idx_header

from deltarule.data.readers.idx import read_idx
from deltarule.data.readers.kinds import read
from deltarule.data.readers.npz import read_npz
from deltarule.data.readers.pixel_rows import read_pixel_rows
from deltarule.data.readers.tables import read_columns, read_table
from deltarule.data.reading import How
from deltarule.errors import DataError, DeltaruleError


def read_pixels(path: Path) -> Any:
    return read_pixel_rows(path, How())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names as POSIX has them")
@pytest.mark.parametrize("name", ["pipe", "to-pipe", "to-null"])
@pytest.mark.parametrize("read", [read_idx, read_npz, read_columns, read_pixels, read])
def test_a_pipe_or_device_is_not_opened(read: Callable[[Path], Any], name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to-pipe").symlink_to("pipe")
    (tmp_path / "to-null").symlink_to("/dev/null")
    with pytest.raises(DataError, match=f"{name}: a file was expected: got a pipe, a device or a socket; save what"):
        read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names as POSIX has them")
def test_a_pipe_is_no_picture_and_no_recipe(tmp_path: Path) -> None:
    from deltarule.recipes import read as read_recipe

    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(DeltaruleError, match=r"a readable TOML file: got .*got a pipe"):
        read_recipe(str(tmp_path / "a.toml"))
    pytest.importorskip("PIL", reason="the extra page is not installed")
    from deltarule.data.ink.pictures import read_picture
    from deltarule.data.readers.images import read_image

    for read_file in (read_image, read_picture):
        with pytest.raises(DataError, match="got a pipe"):
            read_file(tmp_path / "a.toml")


def test_an_idx_that_grows_a_thousandfold(tmp_path: Path) -> None:
    shape = (10, 1000, 1000)
    (tmp_path / "bomb").write_bytes(gzip.compress(idx_header(shape) + bytes(10**7)))
    with pytest.raises(DataError, match="compressed ones; a file like this is made to fill the memory"):
        read_idx(tmp_path / "bomb")


def test_a_small_blank_idx_is_read(tmp_path: Path) -> None:
    shape = (100, 28, 28)
    (tmp_path / "blank").write_bytes(gzip.compress(idx_header(shape) + bytes(78_400)))
    assert read_idx(tmp_path / "blank").shape == shape


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_an_npz_with_an_array_under_two_names(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        for name in ("X", "X.npy", "y.npy"):
            file.writestr(name, npy(np.eye(2)))
    with pytest.raises(DataError, match="X: one array of that name was expected: got several"):
        read_npz(tmp_path / "a.npz")


def test_an_npz_whose_header_nests_deeply(tmp_path: Path) -> None:
    header = "-" * 9_000 + "1\n"
    array = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("X.npy", array)
        file.writestr("y.npy", npy(np.eye(2)))
    with pytest.raises(DataError, match="X: an array of numbers was expected: "):
        read_npz(tmp_path / "a.npz")


def test_a_csv_with_two_labels(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label,label,a,b,c\n1,1,2,3,4\n")
    with pytest.raises(DataError, match="one column called 'label' was expected: got 2"):
        read_pixels(tmp_path / "a.csv")


def test_a_table_is_compressed_as_its_content_says(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,label\n" + b"1,1\n2,0\n" * 10))
    assert read_table(tmp_path / "a.csv.gz", "label", announce=len).n_samples == 20
    (tmp_path / "b.csv.gz").write_text("a,label\n1,1\n2,0\n1,1\n2,0\n")
    assert read_table(tmp_path / "b.csv.gz", "label", announce=len).n_samples == 4


def test_a_header_of_many_columns_alone(tmp_path: Path) -> None:
    names = [*map(str, range(2_000)), "label"]
    (tmp_path / "a.csv").write_text(",".join(names) + "\n")
    assert read_columns(tmp_path / "a.csv").names == names
    with pytest.raises(DataError, match="got 0 rows of 2000 inputs"):
        read_table(tmp_path / "a.csv", "label", announce=len)


def test_an_image_of_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    """Pillow's own limit is ten times as high."""
    pytest.importorskip("PIL", reason="the extra page is not installed")
    from deltarule.data.readers.images import read_image

    (tmp_path / "bomb.png").write_bytes(png(5000, 4000))
    with pytest.raises(DataError, match="at most 16 megapixels was expected: got 5000 x 4000; make it smaller"):
        read_image(tmp_path / "bomb.png", None)


def test_a_picture_whose_exif_is_damaged_is_not_turned_by_guess() -> None:
    pytest.importorskip("PIL", reason="the extra page is not installed")
    from PIL import Image

    from deltarule.data.ink.pictures import read_picture

    without_entries = b"Exif\0\0MM\0*\0\0\0\x08"
    stream = io.BytesIO()
    Image.fromarray(np.eye(28, dtype=np.uint8)).save(stream, "JPEG", exif=without_entries)
    with pytest.raises(DataError, match="Exif data that say which side is up were expected: got damaged ones"):
        read_picture(stream.getvalue())
