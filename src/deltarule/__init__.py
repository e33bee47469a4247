"""deltarule: a neural network you can see through."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

# The public names, and where they live, stand in __init__.pyi, which type checkers read instead of this file. Each is
# imported when it is first asked for, so that `import deltarule` costs nothing.
_STUB = Path(__file__).with_name("__init__.pyi").read_text(encoding="utf-8")
_IMPORTS = re.findall(r"^from (\S+) import ([^()]+?|\([^)]+\))$", _STUB, re.MULTILINE)
_ON_DEMAND = {name: home for home, names in _IMPORTS for name in re.findall(r"\w+", names)}
__all__ = sorted(_ON_DEMAND)


def __getattr__(name: str) -> Any:
    if name not in _ON_DEMAND:
        raise import_module("deltarule.public").unknown_name(__name__, name)
    globals()[name] = value = getattr(import_module(_ON_DEMAND[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
