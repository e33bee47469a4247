"""The numbers that stand for parts inside the library, as the enumerations of its sources have them.

>>> SIGMOID
1
"""

import re
from pathlib import Path

CODES: dict[str, int] = {}
for _file in ("layers.h", "updates.h", "call.h"):
    _text = Path(__file__).with_name(_file).read_text(encoding="utf-8")
    for _names in re.findall(r"^enum \w+ \{ (.*?) \}", _text, re.MULTILINE):
        CODES |= {name: number for number, name in enumerate(_names.split(", "))}


def __getattr__(name: str) -> int:
    try:
        return CODES[name]
    except KeyError:
        raise AttributeError(f"the library has no part {name!r}") from None
