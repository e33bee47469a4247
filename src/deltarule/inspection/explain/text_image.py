"""An image drawn in text, for a terminal: one character shows two pixels, one above the other."""

import numpy as np

from deltarule.nn.arrays import Array

# How much ink the upper and the lower half of a character show.
BLOCKS = {
    " ": (0.0, 0.0),
    "░": (0.25, 0.25),
    "▒": (0.5, 0.5),
    "▓": (0.75, 0.75),
    "█": (1.0, 1.0),
    "▀": (1.0, 0.0),
    "▄": (0.0, 1.0),
}
ASCII = {
    " ": (0.0, 0.0),
    "'": (0.5, 0.0),
    '"': (0.8, 0.0),
    ".": (0.0, 0.4),
    "_": (0.0, 0.7),
    ":": (0.4, 0.4),
    "+": (0.6, 0.6),
    "P": (1.0, 0.5),
    "o": (0.4, 1.0),
    "#": (1.0, 1.0),
}


def text_image(image: Array, encoding: str = "utf-8") -> str:
    """An image as lines of text, half as many as it has rows.

    image: (height, width), any dtype: 0 or less is paper, the largest number is full ink.
    encoding: what the terminal takes; where that lacks block characters, ASCII has to do.

    >>> print(text_image(np.array([[0, 9, 0], [9, 9, 9]])))
    ▄█▄
    """
    glyphs = BLOCKS if _can_be_written("".join(BLOCKS), encoding) else ASCII
    ink = np.maximum(image, 0.0) / max(image.max(), np.finfo(np.float64).tiny)
    ink = np.pad(ink, [(0, len(ink) % 2), (0, 0)])
    pairs = np.stack([ink[0::2], ink[1::2]], axis=-1)  # (lines, width, 2)
    distances = ((pairs[:, :, None] - np.array(list(glyphs.values()))) ** 2).sum(axis=-1)  # (lines, width, glyphs)
    characters = np.array(list(glyphs))[distances.argmin(axis=-1)]
    return "\n".join("".join(line).rstrip() for line in characters)


def _can_be_written(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
