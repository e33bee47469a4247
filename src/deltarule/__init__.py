"""deltarule: a neural network you can see through."""

import sys
from importlib import import_module
from typing import Any

# __init__.pyi lists the public names and their modules; type checkers read it instead of this file. Each name is
# imported when it is first used, so that `import deltarule` costs nothing.
_ON_DEMAND: dict[str, str] = {}
for _line in __loader__.get_data(f"{__file__}i").decode().split("\nfrom ")[1:]:
    _home, _names = _line.partition("\n\n")[0].split(" import ")
    _ON_DEMAND |= dict.fromkeys(_names.strip("()\n").replace(",", " ").split(), _home)
__all__ = sorted(_ON_DEMAND)
_FORMER = {"ClipNorm": "clip=1.0", "MovingAverage": "average=0.999"}  # {former public name: what `fit` takes instead}


def __getattr__(name: str) -> Any:
    if name in _FORMER:
        return import_module("deltarule.public").former_part(name, _FORMER[name], goes_in="0.3")
    if name not in _ON_DEMAND:
        raise import_module("deltarule.elsewhere").unknown_name(__name__, name)
    globals()[name] = value = getattr(import_module(_ON_DEMAND[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__


class _Elsewhere:
    """The last import finder: for a deltarule module that does not exist it raises an error with the right import."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        if name.startswith(f"{__name__}."):
            import_module("deltarule.elsewhere").refuse_module(name)


sys.meta_path.append(_Elsewhere)  # type: ignore[arg-type]
