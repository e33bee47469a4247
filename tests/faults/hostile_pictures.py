"""Pictures that would do harm to a careless reader, and odd ones that are sound."""

import io
import pickle
import struct
import zlib
from collections.abc import Iterator

import sound_files as sound
from claims import chunk, png
from hostile_archives import Explosive, archive
from PIL import Image

MEGABYTE = 2**20


def pictures() -> Iterator[tuple[str, bytes]]:
    """Bombs and other pictures that are none."""
    zeros = zlib.compress(bytes(48 * MEGABYTE), 9)
    yield "PNG bomb of 7,000 x 7,000", png(7_000, 7_000, zeros)
    for side in (65_535, 2**31 - 1):
        yield f"PNG of {side:,} x {side:,}", png(side, side, zlib.compress(b"\0"))
    yield "PNG of 0 x 0", png(0, 0)
    yield "PNG with a text of 32 MB", png(28, 28, b"", chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(32 * MEGABYTE))))
    yield (
        "PNG with a profile of 32 MB",
        png(28, 28, b"", chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(32 * MEGABYTE)))),
    )
    yield "PNG whose chunk claims 2 GB", png(28, 28)[:33] + struct.pack(">I", 2**31 - 1) + b"IDAT"
    yield "PNG of color type 9", png(28, 28, zlib.compress(bytes(812)), color=9)
    yield "PNG of palette without palette", png(28, 28, zlib.compress(bytes(812)), color=3)[:-20]
    whole = sound.picture(side=64)
    yield "PNG, cut off", whole[: len(whole) * 2 // 3]
    yield "PNG with a wrong checksum", whole[:29] + bytes(4) + whole[33:]
    jpeg = sound.picture("JPEG", side=64)
    place = jpeg.index(b"\xff\xc0") + 5
    yield "JPEG of 65,535 x 65,535", jpeg[:place] + b"\xff" * 4 + jpeg[place + 4 :]
    yield "JPEG, cut off", jpeg[: len(jpeg) // 2]
    yield "JPEG of its first bytes", jpeg[:20]
    bmp = sound.picture("BMP")
    yield "BMP of 65,535 x 65,535", bmp[:18] + struct.pack("<2i", 65_535, 65_535) + bmp[26:]
    yield "BMP of -65,535 rows", bmp[:18] + struct.pack("<2i", -1, -65_535) + bmp[26:]
    yield "WebP of 16,384 x 16,384", b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\xff\xff\xff\x0f" + bytes(16)
    yield "WebP canvas of 65,535 x 65,535", b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xfe\xff\0\xfe\xff\0" + bytes(16)
    for kind in ("GIF", "TIFF", "PPM", "ICO", "TGA", "PCX"):
        yield f"{kind} instead of a PNG", sound.picture(kind)
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n(exploded) (w) file\n"
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield "PDF", b"%PDF-1.4\n1 0 obj << /OpenAction << /S /JavaScript >> >> endobj\n"


def with_policy() -> Iterator[tuple[str, bytes]]:
    """Odd files that are sound to one reader: it reads them to the letter, and the rest is never looked at."""
    frames = [Image.new("L", (28, 21), 255 - 40 * k) for k in range(4)]
    frames[0].paste(0, (8, 4, 12, 20))
    for kind in ("PNG", "WEBP"):
        stream = io.BytesIO()
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
        yield f"{kind} that moves", stream.getvalue()
    for kind in ("PNG", "JPEG", "WEBP", "BMP"):
        yield f"{kind} with an archive behind it", sound.picture(kind) + archive({"a": pickle.dumps(Explosive())})
    for orientation in range(10):
        yield f"JPEG of orientation {orientation}", sound.picture("JPEG", orientation)
    yield "PNG with the orientation of a text", sound.picture("PNG", 7)
    yield "npz with an archive before it", archive({"a": b""})[:20] + sound.npz()
