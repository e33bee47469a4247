"""Every error of deltarule, in one tree, whose root is DeltaruleError.

A message says what was expected, what was passed, and what to do, in that order. Most of them are in sentences.toml;
`sentence` fills one in.
"""

import difflib
import importlib
import logging
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

LOG = logging.getLogger("deltarule")  # for warnings that do not stop the program
DISTRIBUTION = "deltarule-nn"  # the name for pip, as in pyproject.toml; no other line of the package repeats it


class DeltaruleError(Exception):
    """The base of every error that deltarule raises on purpose."""


class ShapeError(DeltaruleError, ValueError):
    """Arrays that do not fit a network, or each other."""


class SettingError(DeltaruleError, ValueError):
    """A setting outside what is legal, or a name that does not exist."""


class RecipeError(SettingError):
    """A recipe with an unknown key, a wrong type or an illegal value."""


class UnknownNameError(SettingError, AttributeError):
    """An attribute that does not exist: also an AttributeError, so that hasattr works.

    Its argument is the message, or a function that returns it: hasattr needs no message, and making it takes time.
    """

    def __str__(self) -> str:
        (says,) = self.args
        return str(says() if callable(says) else says)


class MissingNameError(SettingError, ModuleNotFoundError):
    """An import of a module that does not exist, or of a name that a module does not have."""


class DataError(DeltaruleError, ValueError):
    """A data file or an array whose content is wrong."""


class DownloadError(DataError):
    """A data set that could not be fetched."""


class ProgramError(DataError):
    """A learner's program that cannot be read: no text, no code, or a syntax error."""


class NoDigitError(DataError):
    """A picture on which nothing is drawn."""


class SeveralDigitsError(NoDigitError):
    """A picture of more than one digit."""


class FileError(DeltaruleError, OSError):
    """A file that cannot be read or written: missing, forbidden, disk full."""


class ModelFileError(DeltaruleError, ValueError):
    """A model file that is damaged, hostile, or of another version."""


class TrainingError(DeltaruleError, RuntimeError):
    """Training that cannot go on."""


class DivergenceError(TrainingError, ValueError):
    """A loss, weight or gradient that is no longer finite: also a ValueError, as in scikit-learn."""


class MissingExtraError(DeltaruleError, ImportError):
    """An optional dependency that is not installed."""


@cache
def read_tables(name: str) -> dict[str, Any]:
    """The content of a TOML file of the package; name: its path there without .toml, such as "nn/equations"."""
    file = Path(__file__).parent / f"{name}.toml"
    return importlib.import_module("tomllib").loads(file.read_text(encoding="utf-8"))


def sentence(key: str, **values: Any) -> str:
    """The message at `key`, "TABLE.ROW", in sentences.toml, with its fields filled in from `values`."""
    table, _, row = key.partition(".")
    return str(read_tables("sentences")[table][row]).format(**values)


def closest(name: str, choices: Iterable[str], synonyms: Mapping[str, str] = MappingProxyType({})) -> str:
    """The advice for a wrong name: the closest choice and a list: "did you mean 'relu'? Known: elu, relu, tanh".

    synonyms: other names, in lower case, each with the choice that it stands for.
    """
    known = sorted(choices)
    folded = {choice.casefold(): choice for choice in known}
    near = [folded[each] for each in difflib.get_close_matches(name.casefold().partition("(")[0], folded, n=1)]
    meant = synonyms.get(name.casefold(), *near)
    offer = f"did you mean {meant!r}? " if meant in known else ""
    return f"{offer}Known: {', '.join(known)}"


def require(module: str, extra: str = "", package: str = "") -> ModuleType:
    """Import and return a module; if that fails, MissingExtraError with the pip command for `extra` or `package`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        wanted = module.partition(".")[0]
        trouble = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported ({error})"
        line = install_command(extra, package=package)
        raise MissingExtraError(f"this needs {wanted}, which {trouble}: run  {line}") from error


def install_command(extra: str = "", option: str = "", package: str = "") -> str:
    """The pip command that installs deltarule, or another `package`, with an `extra`; option: more options for pip."""
    name = package or DISTRIBUTION
    return " ".join(["pip install", *option.split(), f'"{name}[{extra}]"' if extra else name])
