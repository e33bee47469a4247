"""The number that stands for each part in the library, and the fields of its structure Call, read from its sources.

>>> SIGMOID
1
"""

import ctypes
import re
from pathlib import Path
from typing import Any

WHOLE, POINTER, REAL = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double

CODES: dict[str, int] = {}
for _file in ("layers.h", "updates.h", "call.h"):
    _text = Path(__file__).with_name(_file).read_text(encoding="utf-8")
    for _names in re.findall(r"^enum \w+ \{ (.*?) \}", _text, re.MULTILINE):
        CODES |= {name: number for number, name in enumerate(_names.split(", "))}
FIELDS: dict[str, Any] = {}
for _kind, _names in re.findall(r"^    (?:_\S+ )?(?:const )?(\w+) (.*);", _text.partition("typedef")[2], re.MULTILINE):
    for _name in _names.split(", "):
        FIELDS[_name.lstrip("*")] = POINTER if _name[0] == "*" else WHOLE if _kind == "int64_t" else REAL


def __getattr__(name: str) -> int:
    try:
        return CODES[name]
    except KeyError:
        raise AttributeError(f"the library has no part {name!r}") from None
