"""Pictures in files: every way of storing one, beside Pillow, and all that is refused before it costs anything."""

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claims import png
from PIL import Image

from deltarule.data.ink.normalization import ink_image
from deltarule.data.ink.pictures import ORIENTATION, read_picture
from deltarule.data.readers.kinds import read
from deltarule.errors import DataError, NoDigitError

ImageOps = pytest.importorskip("PIL.ImageOps")

COLORS = np.random.default_rng(0).integers(256, size=(13, 17, 4)).astype(np.uint8)
ZEROS = zlib.compress(bytes(9999))
DIGIT = np.full((60, 90), 240, np.uint8)
DIGIT[10:50, 30:38] = DIGIT[10:18, 30:60] = 20


def stored(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def read_digit(source: Path | bytes) -> np.ndarray:
    if isinstance(source, Path):
        return read(source, is_digit=True).rows.reshape(28, 28)
    image = ink_image(read_picture(source)).image
    assert image is not None
    return image


def drawn(kind: str = "PNG", **options: Any) -> bytes:
    return stored(Image.fromarray(DIGIT), kind, **options)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_orientations_are_pillows(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    content = stored(Image.fromarray(COLORS[:, :, :3]), kind, exif=exif, **options)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.array(ImageOps.exif_transpose(image).convert("L"))
    assert np.array_equal(read_picture(content), expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr"])
def test_opaque_pixels_have_pillows_luminance(mode: str) -> None:
    image = Image.fromarray(COLORS[:, :, :3]).convert(mode)
    content = stored(image, "JPEG" if mode in ("CMYK", "YCbCr") else "PNG")
    with Image.open(io.BytesIO(content)) as again:
        expected = np.array(again.convert("RGB").convert("L"))
    assert np.array_equal(read_picture(content), expected)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_every_format_holds_the_same_digit(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "digit"
    path.write_bytes(drawn(kind))
    assert np.abs(read_digit(path).astype(int) - read_digit(drawn())).mean() < 4
    assert np.array_equal(read_digit(path), read_digit(drawn(kind)))


@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_unlike_the_ink(ink: int, mode: str) -> None:
    """The hidden color of transparent pixels is that of the ink: only alpha tells the digit."""
    pixels = np.full((*DIGIT.shape, 4), ink, np.uint8)
    pixels[:, :, 3] = np.where(DIGIT < 128, 255, 0)
    image = Image.fromarray(pixels)
    content = stored(image.quantize() if mode == "P" else image.convert(mode))
    expected = read_digit(stored(Image.fromarray(np.where(DIGIT < 128, 0, 255).astype(np.uint8))))
    assert np.array_equal(read_digit(content), expected)


def test_half_transparent_ink_is_half_as_dark() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0, 3], pixels[1, 1, 3] = 255, 51
    assert read_picture(stored(Image.fromarray(pixels))).tolist() == [[0, 255], [255, 204]]
    assert read_picture(stored(Image.fromarray(np.zeros((2, 2, 4), np.uint8)))).tolist() == [[255, 255], [255, 255]]


def test_sixteen_bits_become_eight_by_their_own_range() -> None:
    wide = np.array([[1000, 2000], [3000, 1510]], np.uint16)
    assert read_picture(stored(Image.fromarray(wide))).tolist() == [[0, 128], [255, 65]]
    assert read_picture(stored(Image.fromarray(wide * 0 + 700))).tolist() == [[0, 0], [0, 0]]
    dim = (DIGIT.astype(np.uint16) * 3) + 9000
    assert np.array_equal(read_digit(stored(Image.fromarray(dim))), read_digit(drawn()))


def test_a_blank_picture_is_no_digit(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "blank.png")
    with pytest.raises(NoDigitError, match=r"blank\.png: a picture of a digit was expected: got no ink on the paper"):
        read_digit(tmp_path / "blank.png")


def bmp_of(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def webp_of(width: int, height: int, kind: bytes) -> bytes:
    bodies = {
        b"VP8X": b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
        b"VP8L": b"\x2f" + (width - 1 | (height - 1) << 14).to_bytes(4, "little") + b"\0" * 5,
        b"VP8 ": b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }
    chunk = kind + struct.pack("<I", len(bodies[kind])) + bodies[kind]
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


@pytest.mark.parametrize(
    "content",
    [
        png(4001, 4000, ZEROS),
        png(8000, 8000, ZEROS),
        bmp_of(5000, 5000),
        bmp_of(5000, -5000),
        webp_of(16000, 16000, b"VP8X"),
        webp_of(5000, 5000, b"VP8L"),
        webp_of(5000, 5000, b"VP8 "),
    ],
)
def test_the_size_is_checked_before_anything_is_decoded(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: Any) -> None:
        raise AssertionError("decoded")

    Image.init()  # its plug-ins make a picture when they are imported
    monkeypatch.setattr("PIL.Image.Image.load", never)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    with pytest.raises(DataError, match="this file: a picture of at most 16 megapixels was expected: got "):
        read_picture(content)


@pytest.mark.parametrize("size", [(40_000, 40_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_pillow_or_by_us(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="this file: a"):
        read_picture(png(*size, ZEROS))


def test_sixteen_megapixels_are_read() -> None:
    large = np.full((4000, 4000), 230, np.uint8)
    large[1000:3000, 1900:2100] = 40
    image = read_digit(stored(Image.fromarray(large), compress_level=1))
    assert np.array_equal(np.argwhere(image).min(axis=0), [4, 13])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_damage_is_an_error_that_names_the_file(kind: str, tmp_path: Path) -> None:
    """Files cut short, and files with a byte changed: read, or refused, but never anything else."""
    whole = drawn(kind)
    rng = np.random.default_rng(0)
    for cut in {0, 1, 12, len(whole) // 2}:
        (tmp_path / "cut.png").write_bytes(whole[:cut])
        with pytest.raises(
            DataError, match=r"cut\.png: a PNG, JPEG, WEBP, BMP or TIFF image was expected, but it cannot be"
        ):
            read_picture(tmp_path / "cut.png")
    for _ in range(60):
        changed = bytearray(whole)
        changed[rng.integers(min(len(whole), 200))] = rng.integers(256)
        with suppress(DataError):
            assert read_picture(bytes(changed)).dtype == np.uint8


def test_other_formats_and_missing_files_are_refused(tmp_path: Path) -> None:
    for content in (drawn("GIF"), b"<svg></svg>"):
        with pytest.raises(
            DataError, match=r"this file: a PNG, JPEG, WEBP, BMP or TIFF image was .*: its content is something else$"
        ):
            read_picture(content)
    with pytest.raises(DataError, match=r"nowhere\.png: .* cannot be read: .*No such file"):
        read_picture(tmp_path / "nowhere.png")
