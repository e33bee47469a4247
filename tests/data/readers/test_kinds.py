"""The door: what a file is taken for, what is refused and what to do then, and what the report says."""

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_files import write_idx

from deltarule.data.catalog import load
from deltarule.data.columns import Column
from deltarule.data.readers.kinds import KINDS, kind_of, read
from deltarule.errors import DataError, SettingError

PIXELS = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)


def test_content_tells_before_a_name_does(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=PIXELS, y=np.array([0, 1]))
    write_idx(tmp_path / "b.gz", PIXELS)
    (tmp_path / "a.npz").rename(tmp_path / "pixels.csv")
    (tmp_path / "b.gz").rename(tmp_path / "b.png")
    assert kind_of(tmp_path / "pixels.csv").name == "npz"
    assert read(tmp_path / "b.png").rows.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    (tmp_path / "numbers.csv").write_text("BMI,age,PK\n1,2,3\n")
    assert kind_of(tmp_path / "numbers.csv").name == "CSV"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WebP", "BMP"])
def test_pictures_are_known_by_their_first_bytes(kind: str, tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="images need Pillow: install deltarule-nn[page]")
    pillow.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / "picture", kind)
    assert kind_of(tmp_path / "picture").name == kind


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"PK\3\4", "got Excel; import pandas; pandas.read_excel('"),
        ("a", b"PAR1", "got Parquet; import pandas; pandas.read_parquet('"),
        ("a.csv", pickle.dumps([1]), "got pickle; it can run code"),
        ("a", b"\x89HDF", "got HDF5; import h5py, numpy; "),
        ("a.mat", b"MATLAB 5.0", "got MATLAB; import scipy.io, numpy; "),
        ("a.arff", b"@RELATION x", "got ARFF; from scipy.io import arff; "),
        ("a.pkl.gz", gzip.compress(pickle.dumps([1]), mtime=0), "got pickle in gzip; it can run code, .*gzip.open('"),
        ("a.png", b"GIF89a", "got GIF; open it in an image editor and save it as PNG"),
        ("a.jpg", b"\0\0\0\x18ftypheic", "got HEIC; open it in an image editor"),
        ("a", b"\0\0\0\x1cftypavif", "got AVIF; open it in an image editor"),
        ("a", b"\0\0\0\x10wxyz", "got 00 00 00 10$"),
        ("a", b"", "got an empty file$"),
    ],
)
def test_what_is_not_read_is_named_with_what_to_do(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SettingError, match=f"a picture, a CSV, an npz, or an IDX .*: {words}".replace("(", r"\(")):
        read(path)
    with pytest.raises(SettingError, match=r"data in files must be a \.csv, a \.npz, a folder, "):
        load(path)


def test_idx_and_csv_are_read_compressed(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "a.tsv.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"1,0,1,2,3\n"))
        assert read(tmp_path / name).rows.tolist() == [[0, 1, 2, 3]]
    (tmp_path / "bomb.csv").write_bytes(gzip.compress(b"1,0,1,2,3\n" * 2**20))
    with pytest.raises(DataError, match="bytes were expected in gzip: got more, made to fill the memory"):
        read(tmp_path / "bomb.csv")
    (tmp_path / "a.npz").write_bytes(gzip.compress(b"PK\3\4"))
    with pytest.raises(SettingError, match=r"got .*a\.npz, npz in gzip; only IDX .*: run  gunzip"):
        load(tmp_path / "a.npz")
    (tmp_path / "b.csv").write_bytes(gzip.compress(b"1,0,1,2,3\n")[:-9])
    with pytest.raises(DataError, match="damaged or truncated"):
        read(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.zip", b"PK\3\4", "got zip; run  unzip"),
        ("a.pt", b"PK\3\4", r"got PyTorch; use dr\.from_torch"),
        ("a.pth", b"\x80\2}q", r"got PyTorch; use dr\.from_torch"),
        ("a.pdf", b"%PDF-1.7", "got PDF; open it"),
        ("a.svg", b"<svg xmlns=", "got SVG; open it"),
    ],
)
def test_files_of_other_programs_are_named(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingError, match=says):
        read(tmp_path / name)


def test_a_missing_file_and_rows_without_targets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"a file must exist: got .*nowhere"):
        read(tmp_path / "nowhere")
    write_idx(tmp_path / "images", PIXELS)
    reading = read(tmp_path / "images")
    with pytest.raises(DataError, match="images: a label for each image was expected: got rows of pixels only"):
        _ = reading.splits
    with pytest.raises(SettingError, match=r"got .*images, IDX$"):
        load(tmp_path / "images")


def test_a_table_to_learn_may_be_called_as_it_likes_but_is_a_csv(tmp_path: Path) -> None:
    (tmp_path / "table.txt").write_text("x,y\n1,2.5\n2,3.5\n")
    how: dict[str, Any] = {"target": "y", "announce": lambda _: None}
    assert read(tmp_path / "table.txt", **how).splits.train.targets.tolist() == [[2.5], [3.5]]
    rows = read(tmp_path / "table.txt", rows_only=True, columns=[Column("x")]).rows
    assert rows.tolist() == [[1.0], [2.0]]
    np.savez(tmp_path / "a.npz", X=PIXELS, y=np.array([0, 1]))
    with pytest.raises(SettingError, match="a CSV was expected, to learn column 'y' of it: got npz"):
        read(tmp_path / "a.npz", **how)


def test_pixels_become_shares_of_255_for_a_network_of_such(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("7,0,51,102,255\n")
    assert read(tmp_path / "a.csv", is_unit=True).rows.tolist() == [[0.0, 0.2, 0.4, 1.0]]
    np.savez(tmp_path / "a.npz", X=PIXELS, y=np.array([0, 1]))
    assert read(tmp_path / "a.npz", is_unit=True).rows.dtype == np.uint8  # an npz is read as it is


def test_the_report_says_what_was_taken_for_what(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,label,c,d\n0,1,7,2,3\n")
    expected = {"file": str(path), "kind": "CSV", "holds": "pixels", "label": 3, "pixels": "from 0 to 255"}
    assert read(path).report == expected | {"separator": ",", "encoding": "utf-8"}
    path.write_text("x,y,z\n1,2,3\n")
    report = read(path, rows_only=True, columns=[Column("x")], target="z", announce=lambda _: None).report
    assert report == {"file": str(path), "kind": "CSV", "holds": "rows", "columns": ["x"], "passed over": ["y"]}


def test_kinds_differ_in_name_and_ending() -> None:
    assert [kind.name for kind in KINDS.values()] == list(KINDS)
    endings = [ending for kind in KINDS.values() for ending in kind.endings]
    assert len(set(endings)) == len(endings)
    assert all(kind.reader or kind.advice for kind in KINDS.values())
    assert not any(kind.has_targets and kind.advice for kind in KINDS.values())
