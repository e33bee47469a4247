"""Data sets by name and by path: what is found where, what is passed over, and what is said when nothing is there."""

import gzip
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from idx_files import idx_header, write_idx

from deltarule.data import catalog, download
from deltarule.data.dataset import Splits
from deltarule.data.sources import SOURCES, PublishedFile, cache_folder
from deltarule.errors import DataError, DownloadError, SettingError

ARRAYS = {
    "train-images-idx3-ubyte": np.arange(40, dtype=np.uint8).reshape(10, 2, 2),
    "train-labels-idx1-ubyte": np.arange(10, dtype=np.uint8),
    "t10k-images-idx3-ubyte": np.arange(12, dtype=np.uint8).reshape(3, 2, 2),
    "t10k-labels-idx1-ubyte": np.array([3, 1, 2], np.uint8),
}


def content(name: str) -> bytes:
    return idx_header(ARRAYS[name].shape) + ARRAYS[name].tobytes()


def published(name: str) -> PublishedFile:
    whole = content(name)
    stored = gzip.compress(whole, mtime=0)
    return PublishedFile(
        f"{name}.gz", len(whole), hashlib.sha256(stored).hexdigest(), hashlib.sha256(whole).hexdigest()
    )


SMALL = replace(SOURCES["mnist"], files=tuple(map(published, ARRAYS)), mirrors=())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four small files in MNIST's place."""
    monkeypatch.setitem(SOURCES, "mnist", SMALL)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a cache."""
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(home))
    return home


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for MNIST in DELTARULE_DATA."""
    monkeypatch.setenv("DELTARULE_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    return folder


def fill(folder: Path, suffix: str = ".gz") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in ARRAYS.items():
        write_idx(folder / f"{name}{suffix}", array)


def check(splits: Splits) -> None:
    assert np.array_equal(splits.train.inputs, ARRAYS["train-images-idx3-ubyte"].reshape(10, 4))
    assert splits.train.targets.tolist() == list(range(10))
    assert splits.test.targets.tolist() == [3, 1, 2]
    assert splits.test.class_names == tuple("0123456789")
    assert splits.test.image_shape == (2, 2)


@pytest.mark.parametrize("name", catalog.BUILT_IN)
def test_what_comes_along_needs_no_network(name: str) -> None:
    assert catalog.load(name, offline=True).train.n_samples > 3
    assert catalog.verify(name) == catalog.locate(name) == []
    assert catalog.fetch(name) is None


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_finds_files_in_the_folder_given_before_the_cache(given: Path, suffix: str) -> None:
    fill(given, suffix)
    check(catalog.load("mnist", offline=True))
    fill(cache_folder() / "mnist")
    assert {state["genuine"].parent for state in catalog.verify("mnist")} == {given}
    assert len(catalog.locate("mnist")) == 8
    (given / f"t10k-labels-idx1-ubyte{suffix}").unlink()
    assert catalog.verify("mnist")[3]["genuine"].parent == cache_folder() / "mnist"
    check(catalog.load("mnist", offline=True))


@pytest.mark.usefixtures("small")
def test_finds_files_compressed_anew_or_unpacked_under_other_names(given: Path) -> None:
    for name in ARRAYS:
        unpacked = given / name.replace("-idx", ".idx")
        unpacked.write_bytes(gzip.compress(content(name), compresslevel=1) if "labels" in name else content(name))
    check(catalog.load("mnist", offline=True))


@pytest.mark.usefixtures("small")
def test_passes_over_a_file_that_is_another_and_says_so(given: Path) -> None:
    fill(cache_folder() / "mnist")
    write_idx(given / "t10k-labels-idx1-ubyte", np.array([9, 9, 9], np.uint8))
    (given / "t10k-images-idx3-ubyte.gz").write_bytes(b"<html>")
    said: list[str] = []
    check(catalog.load("mnist", announce=said.append, offline=True))
    assert len(said) == 2
    assert re.search(r"skipping a file: .*t10k-images-idx3-ubyte\.gz: .*got 3c 68 74 6d", said[0])
    assert re.search(r"skipping a file: .*t10k-labels-idx1-ubyte: the SHA-256 .* was expected", said[1])
    assert "SHA-256" in catalog.verify("mnist")[3]["wrong"][0]


@pytest.mark.usefixtures("small")
def test_a_data_folder_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DELTARULE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(SettingError, match=r"DELTARULE_DATA must name a folder that exists: got .*nowhere"):
        catalog.load("mnist")


@pytest.mark.usefixtures("small")
def test_offline_asks_nobody_and_says_what_to_do(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "Mirrors", lambda *_: pytest.fail("the network was used"))
    with pytest.raises(DownloadError) as caught:
        catalog.load("mnist", offline=True, announce=pytest.fail)
    message = str(caught.value)
    assert message.startswith("mnist is not on this machine, and --offline forbids a download")
    for words in ("t10k-labels-idx1-ubyte.gz", str(given), str(cache_folder()), "DELTARULE_DATA", "--data digits"):
        assert words in message


class OneMirror:
    """A mirror that has everything, or nothing."""

    def __init__(self, gives: bool, said: list[str]) -> None:
        self.gives, self.said, self.asked = gives, said, []

    def __call__(self, urls: tuple[str, ...]) -> "OneMirror":
        return self

    def fetch(self, file: PublishedFile, target: Path) -> None:
        assert self.said, "a download is announced before it starts"
        self.asked.append(file.name)
        if not self.gives:
            raise DownloadError(f"no mirror gave {file.name}\n  https://a/: HTTP Error 404")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content(file.name.removesuffix(".gz")), mtime=0))


@pytest.mark.usefixtures("small")
def test_downloads_only_what_is_missing_and_only_once(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(given)
    (given / "train-labels-idx1-ubyte.gz").unlink()
    said: list[str] = []
    mirror = OneMirror(True, said)
    monkeypatch.setattr(download, "Mirrors", mirror)
    for _ in range(2):
        check(catalog.load("mnist", announce=said.append))
    assert mirror.asked == ["train-labels-idx1-ubyte.gz"]
    assert said == [f"downloading mnist, up to 12 MB, to {cache_folder() / 'mnist'}"]
    assert catalog.fetch("mnist", announce=pytest.fail) == given


@pytest.mark.usefixtures("small")
def test_the_default_is_mnist_else_the_digits_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    splits, sentence = catalog.find_default(offline=True)
    assert splits.train.name == "digits"
    assert sentence == (
        "the bundled digits (1,797 images), because mnist is not on this machine, and --offline forbids a download; to "
        "have mnist, run  deltarule data fetch mnist  or set DELTARULE_DATA to the folder that holds mnist/"
    )
    said: list[str] = []
    monkeypatch.setattr(download, "Mirrors", OneMirror(False, said))
    splits, sentence = catalog.find_default(announce=said.append)
    assert splits.train.name == "digits"
    assert sentence.startswith(
        "the bundled digits (1,797 images), because mnist could not be downloaded: no mirror gave"
    )
    monkeypatch.setattr(download, "Mirrors", OneMirror(True, said))
    splits, sentence = catalog.find_default(announce=said.append)
    check(splits)
    assert sentence == f"MNIST, because it is in {cache_folder() / 'mnist'}"


@pytest.mark.usefixtures("small")
def test_for_python_the_digits_stand_in_for_mnist_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(download, "Mirrors", OneMirror(False, said))
    splits = catalog.load_data("mnist", announce=said.append)
    assert (splits.train.name, splits.train.image_shape) == ("digits", (28, 28))
    assert said[-1].startswith("data: the bundled digits (1,797 images), because mnist could not be downloaded: ")
    assert "deltarule data fetch mnist" in said[-1]


@pytest.mark.parametrize(
    ("name", "how"),
    [("mnist", {"offline": True}), ("mnist", {"fallback": False}), ("fashion-mnist", {}), ("kmnist", {})],
)
def test_who_asks_for_one_data_set_alone_gets_no_other(
    name: str, how: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(download, "Mirrors", OneMirror(False, said))
    monkeypatch.setitem(SOURCES, name, SMALL)
    with pytest.raises(DownloadError):
        catalog.load_data(name, announce=said.append, **how)


@pytest.mark.usefixtures("small")
def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(download, "Mirrors", OneMirror(False, ["announced by default on stderr"]))
    with pytest.raises(DownloadError, match=r"(?s)HTTP Error 404.*set DELTARULE_DATA to.*--data digits"):
        catalog.load("mnist")
    assert capsys.readouterr() == ("", f"downloading mnist, up to 12 MB, to {cache_folder() / 'mnist'}\n")


def test_loads_a_folder_or_a_pair_of_idx_files(tmp_path: Path) -> None:
    fill(tmp_path / "mine")
    for name in (tmp_path / "mine", str(tmp_path / "mine")):
        check(catalog.load(name))
    alone = catalog.load(str(tmp_path / "mine" / "t10k"))
    assert (alone.test, alone.train.targets.tolist()) == (None, [3, 1, 2])
    (tmp_path / "mine" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte beside t10k-images-idx3-ubyte\.gz was expected"):
        catalog.load(tmp_path / "mine")
    (tmp_path / "mine" / "t10k-images-idx3-ubyte.gz").unlink()
    assert catalog.load(tmp_path / "mine").test is None


def test_loads_csv_npz_and_folders_of_images(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("3,0,1,2,255\n")
    assert catalog.load(str(tmp_path / "a.csv")).train.targets.tolist() == [3]
    np.savez(tmp_path / "a.npz", X=np.zeros((2, 4), np.uint8), y=np.array([0, 1]))
    assert catalog.load(str(tmp_path / "a.npz")).train.n_samples == 2
    image = pytest.importorskip("PIL.Image", reason="images need Pillow: install deltarule-nn[page]")
    (tmp_path / "images" / "dog").mkdir(parents=True)
    image.fromarray(np.zeros((2, 3), np.uint8)).save(tmp_path / "images" / "dog" / "a.png")
    assert catalog.load(str(tmp_path / "images")).train.class_names == ("dog",)


def test_what_is_neither_name_nor_path_is_offered_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="got 'mnits'; did you mean 'mnist'"):
        catalog.load("mnits")
    with pytest.raises(SettingError, match=r"got '.*nowhere\.csv'"):
        catalog.load(tmp_path / "nowhere.csv")
    (tmp_path / "a.odt").write_text("")
    with pytest.raises(SettingError, match=r"data in files must be a \.csv, a \.npz, a folder, .* got .*a\.odt"):
        catalog.load(tmp_path / "a.odt")
    with pytest.raises(SettingError, match="no data set is called 'kmnits': did you mean 'kmnist'"):
        catalog.describe("kmnits")


def test_every_data_set_says_what_it_is_and_whose() -> None:
    assert {"digits", "mnist", "fashion-mnist", "kmnist", "xor", "arithmetic", "cute-dog"} == set(catalog.SOURCES)
    for name in catalog.SOURCES:
        known = catalog.describe(name)
        assert known.says
        assert known.license
        assert known.citation
        if known.files:
            assert all(url.startswith("https://") and url.endswith("/") for url in known.mirrors)
            assert len(known.class_names) == 10
            assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in known.files)
            assert len({file.sha256 for file in known.files}) == 4


def test_real_mnist_is_genuine(mnist: Splits) -> None:
    assert all(state["genuine"] is not None for state in catalog.verify("mnist"))
    splits, sentence = catalog.find_default(offline=True)
    assert splits.train.n_samples == mnist.train.n_samples == 60_000
    assert sentence.startswith("MNIST, because it is in ")


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/deltarule"),
        ("linux", {"XDG_CACHE_HOME": "", "HOME": "/h", "USERPROFILE": "/h"}, "/h/.cache/deltarule"),
        ("darwin", {"HOME": "/h", "USERPROFILE": "/h"}, "/h/Library/Caches/deltarule"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/deltarule"),
        ("win32", {"LOCALAPPDATA": "", "HOME": "/h", "USERPROFILE": "/h"}, "/h/AppData/Local/deltarule"),
    ],
)
def test_the_cache_lies_where_the_system_wants_it(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
