"""PNG files that claim a size, whatever they hold."""

import struct
import zlib


def png(width: int, height: int, data: bytes = b"", more: bytes = b"", depth: int = 8, color: int = 0) -> bytes:
    """A PNG that claims a size; `more` are chunks before its data."""
    size = struct.pack(">2I5B", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG, its checksum right."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
