"""What a learner's program imports, and what stands in for it: nothing but Python and NumPy is imported before its use.

Plots do nothing. What draws, shows progress or compiles stands aside; everything else from outside is imported when it
is used, and where it is not installed, the error says so then.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ALIASES = {"cupy": "numpy", "autograd.numpy": "numpy", "jax.numpy": "numpy", "pylab": "numpy", "numpy.matlib": "numpy"}
ALIASES |= {
    "cPickle": "pickle",
    "Queue": "queue",
    "StringIO": "io",
    "urllib2": "urllib.request",
    "ConfigParser": "configparser",
}
DRAWING = {
    "matplotlib",
    "plt",
    "pyplot",
    "seaborn",
    "sns",
    "plotly",
    "IPython",
    "tkinter",
    "Tkinter",
    "turtle",
    "pygame",
}
DRAWING |= {"display", "graphviz", "bokeh", "wandb", "tensorboard", "mpl_toolkits", "visdom", "google", "imshow"}
ASIDE = {"tqdm", "numba", "progressbar", "rich", "alive_progress", "colorama", "termcolor"}
PYTHON2_NAMES: dict[str, Any] = {"xrange": range, "raw_input": input, "unicode": str, "long": int, "basestring": str}


def alias_of(name: str) -> str:
    """The module that is imported in the place of another."""
    return ALIASES.get(name, name)


def is_drawing(name: str) -> bool:
    """Whether a module, or what programs call it, only draws or shows."""
    return name.partition(".")[0] in DRAWING


def is_numeric(name: str) -> bool:
    """Whether a module of numbers can be imported at once."""
    top = alias_of(name).partition(".")[0]
    return top == "numpy" or (top in sys.stdlib_module_names and top not in DRAWING and top != "__main__")


def sibling(folder: Path, name: str) -> Path | None:
    """The program beside another one that is imported by a name."""
    parts = name.split(".")
    for file in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
        if name and file.is_file():
            return file
    return None


class Nothing:
    """Whatever is asked of it, it does nothing: it stands in for plots."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: Any, **words: Any) -> Any:
        return self

    def __iter__(self) -> Any:
        return iter((self, self))  # as in fig, ax = plt.subplots()

    def __getitem__(self, key: Any) -> Any:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return ()


class Aside(Nothing):
    """Gives back what it is given: a progress bar its iterable, a compiler its function."""

    def __call__(self, *arguments: Any, **words: Any) -> Any:
        return arguments[0] if arguments and not isinstance(arguments[0], str) else self

    def __iter__(self) -> Any:
        return iter(())


class Later:
    """A module, or a name in one, that is imported when it is first used."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Later(f"{self._path}.{name}")

    def _real(self) -> Any:
        parts = self._path.split(".")
        real: Any = importlib.import_module(parts[0])  # ModuleNotFoundError says what is not installed
        for n, part in enumerate(parts[1:], 2):
            if not hasattr(real, part) and isinstance(real, ModuleType):
                importlib.import_module(".".join(parts[:n]))
            real = getattr(real, part)
        return real

    def __call__(self, *arguments: Any, **words: Any) -> Any:
        return self._real()(*arguments, **words)

    def __getitem__(self, key: Any) -> Any:
        return self._real()[key]

    def __iter__(self) -> Any:
        return iter(self._real())

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return ()

    def __instancecheck__(self, value: Any) -> bool:
        return type(value).__module__.partition(".")[0] == self._path.partition(".")[0]


def stand_in(name: str) -> Any:
    """A module as a learner's program gets it when it imports it, programs beside it aside."""
    name = alias_of(name)
    top = name.partition(".")[0]
    if top in DRAWING:
        return Nothing()
    if top in ASIDE:
        return Aside()
    return importlib.import_module(name) if is_numeric(name) else Later(name)
