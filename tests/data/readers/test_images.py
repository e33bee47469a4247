"""Image files: one, a folder by class, and all that is refused."""

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deltarule.data.readers.images import read_image, read_image_folder
from deltarule.errors import DataError, MissingExtraError

RAMP = np.arange(28 * 28, dtype=np.int64).reshape(28, 28).astype(np.uint8)


def save(path: Path, pixels: np.ndarray = RAMP, mode: str | None = None, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


@pytest.mark.parametrize("mode", [None, "RGB", "RGBA", "LA"])
def test_reads_gray_exactly_however_it_is_stored(tmp_path: Path, mode: str | None) -> None:
    pixels = read_image(save(tmp_path / "a.png", mode=mode))
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, RAMP)


def test_reads_bilevel_and_jpeg(tmp_path: Path) -> None:
    black_and_white = np.where(RAMP > 99, 255, 0).astype(np.uint8)
    assert np.array_equal(read_image(save(tmp_path / "a.png", black_and_white, "1")), black_and_white)
    gray = np.full((28, 28), 77, np.uint8)
    assert np.abs(read_image(save(tmp_path / "a.jpg", gray)).astype(int) - 77).max() <= 1


def test_refuses_another_size(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", RAMP[:20])
    with pytest.raises(DataError, match=r"a\.png: an image of 28x28 pixels was expected: got 20x28"):
        read_image(path)
    assert read_image(path, (20, 28)).shape == read_image(path, None).shape == (20, 28)


def test_refuses_what_cannot_be_shown_in_eight_bits(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"8 bits a color were expected: got more \(mode I;16\)"):
        read_image(save(tmp_path / "a.png", RAMP.astype(np.uint16) * 257))


def test_what_is_transparent_lies_on_a_ground_unlike_the_ink(tmp_path: Path) -> None:
    """So a folder of transparent PNGs has the pixels of the same drawings on white."""
    drawn = np.zeros((28, 28, 4), np.uint8)
    drawn[5:20, 8:11, 3] = 255
    assert np.array_equal(read_image(save(tmp_path / "a.png", drawn)), 255 - drawn[:, :, 3])
    assert read_image(save(tmp_path / "a.png", np.zeros((28, 28, 4), np.uint8))).min() == 255


def test_refuses_files_that_are_damaged_or_something_else(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.png").read_bytes()
    gif = io.BytesIO()
    Image.fromarray(RAMP).save(gif, "GIF")
    wrong = [b"", b"<html>", whole[: len(whole) // 2], whole.replace(b"IDAT", b"IDAX"), gif.getvalue()]
    for content in wrong:
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(
            DataError, match=r"a\.png: a PNG, JPEG, WEBP, BMP or TIFF image was expected, but it cannot be read"
        ):
            read_image(tmp_path / "a.png")
    with pytest.raises(DataError, match="cannot be read"):
        read_image(tmp_path / "nowhere.png")


@pytest.mark.parametrize("n_pixels", [100, 10_000])
def test_an_image_too_large_to_be_decoded_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_pixels: int
) -> None:
    path = save(tmp_path / "a.png", np.zeros((150, 100), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", n_pixels)  # above it Pillow warns, above twice as many it raises
    with pytest.raises(DataError, match="at most 16 megapixels was expected: got far more"):
        read_image(path)


def test_without_pillow_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtraError, match=r"this needs PIL, .* pip install deltarule-nn$"):
        read_image(tmp_path / "a.png")


def test_a_folder_by_class(tmp_path: Path) -> None:
    for k, name in enumerate(["dog/b.png", "dog/a.JPEG", "cat/z.png", "dog/c.jpg"]):
        save(tmp_path / name, np.full((5, 4), 50 * k, np.uint8))
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    splits = read_image_folder(tmp_path)
    assert splits.test is None
    assert splits.train.class_names == ("cat", "dog")
    assert splits.train.targets.tolist() == [0, 1, 1, 1]
    assert np.round(splits.train.inputs.mean(axis=1) / 50).tolist() == [2, 1, 0, 3]
    assert splits.train.image_shape == (5, 4)


def test_folders_of_train_and_test(tmp_path: Path) -> None:
    for name in ("train/0/a.png", "train/1/a.png", "train/1/b.png", "test/0/a.png", "test/1/a.png"):
        save(tmp_path / name)
    splits = read_image_folder(tmp_path)
    assert (splits.train.targets.tolist(), splits.test.targets.tolist()) == ([0, 1, 1], [0, 1])
    save(tmp_path / "test/2/a.png")
    with pytest.raises(DataError, match="classes of test that train has too were expected: got 2"):
        read_image_folder(tmp_path)


@pytest.mark.parametrize(
    ("folders", "passed_over"),
    [
        (("a/b/Train", "a/b/Test"), ""),
        (("train/x", "test/x"), ""),
        (("Training", "validation"), ""),
        (("train", "valid", "test"), "skipped: valid"),
    ],
)
def test_folders_in_folders_and_other_parts(tmp_path: Path, folders: tuple[str, ...], passed_over: str) -> None:
    said: list[str] = []
    for folder in folders:
        for name in "01":
            save(tmp_path / folder / name / "a.png", np.full((4, 4), 9 * len(folder), np.uint8))
    splits = read_image_folder(tmp_path, announce=said.append)
    assert (len(splits.train.inputs), splits.test.inputs.max()) == (2, 9 * len(folders[-1]))
    assert [text.partition(": ")[2] for text in said] == [passed_over] * bool(passed_over)


def test_a_scan_of_many_pixels_comes_with_the_line_that_shrinks_it(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.png", np.full((5000, 4000), 255, np.uint8))
    with pytest.raises(DataError, match="got 4000 x 5000; make it smaller:  python -c") as caught:
        read_image(path, None)
    line = str(caught.value).partition('python -c "')[2].rstrip('"')
    subprocess.run([sys.executable, "-c", line], cwd=tmp_path, check=True)
    assert read_image(tmp_path / "small.png", None).shape == (3000, 2400)


def test_a_folder_names_each_wrong_file(tmp_path: Path) -> None:
    save(tmp_path / "0/a.png")
    save(tmp_path / "0/b.png", RAMP[:7])
    (tmp_path / "0/c.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"readable images of one size .* were expected") as caught:
        read_image_folder(tmp_path)
    message = str(caught.value)
    assert "b.png: an image of 28x28 pixels was expected: got 7x28" in message
    assert "c.png: a PNG, JPEG, WEBP, BMP or TIFF image was expected" in message
    assert "a.png" not in message


def test_pictures_beside_each_other_are_of_no_class_or_of_one(tmp_path: Path) -> None:
    save(tmp_path / "flat" / "a.png")
    with pytest.raises(DataError, match=r"got no folders; put the pictures into a folder for each class, as .*cat/1"):
        read_image_folder(tmp_path / "flat")
    save(tmp_path / "other" / "b.png")
    with pytest.raises(DataError, match=rf"got no folders; use {re.escape(str(tmp_path))}$"):
        read_image_folder(tmp_path / "flat")


def test_a_folder_must_hold_images_by_class(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    with pytest.raises(DataError, match="in a folder for each class were expected: got no folders"):
        read_image_folder(tmp_path)
    save(tmp_path / "0/a.png")
    (tmp_path / "1").mkdir()
    with pytest.raises(DataError, match="got none in 1"):
        read_image_folder(tmp_path)


def test_images_of_any_size_are_brought_to_one(tmp_path: Path) -> None:
    """Each pixel four times as large, and back again; a black and a white half stay halves."""
    doubled = RAMP.repeat(2, axis=0).repeat(2, axis=1)
    save(tmp_path / "0/doubled.png", doubled)
    save(tmp_path / "1/same.png", RAMP)
    halves = np.zeros((50, 40), np.uint8)
    halves[:, 20:] = 255
    save(tmp_path / "1/halves.png", halves)
    train = read_image_folder(tmp_path, size=28).train
    assert (train.image_shape, train.targets.tolist()) == ((28, 28), [0, 1, 1])
    halved, parted, same = train.inputs.reshape(3, 28, 28)
    np.testing.assert_array_equal(halved, RAMP)
    np.testing.assert_array_equal(same, RAMP)
    np.testing.assert_array_equal(parted, np.repeat([[0, 255]], 14, axis=1).repeat(28, axis=0))
    assert set(read_image(tmp_path / "1/halves.png", size=45)[:, [0, -1]].ravel().tolist()) == {0, 255}
