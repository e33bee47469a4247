"""`deltarule --version --verbose`: what a bug report needs, in one paste; the home folder is shown as ~."""

import os
import platform
import re
from importlib.metadata import requires
from pathlib import Path

import numpy as np

from deltarule.cli.printing import entry
from deltarule.data.sources import cache_folder
from deltarule.errors import DISTRIBUTION, DeltaruleError
from deltarule.files.run_folder import environment, fingerprint, version_of
from deltarule.native import build, loader
from deltarule.training.engine import engine


def details() -> str:
    """The text of versions, engine, threads, folders and environment variables, a line with a title for each."""
    blas, here = np.show_config(mode="dicts")["Build Dependencies"]["blas"], environment()
    names = sorted({re.split(r"[^\w.-]", line)[0] for line in requires(DISTRIBUTION) or ()})
    try:  # the engine of `train` and what its results depend on; or why it is missing, or not native
        chosen = engine("auto")
        depends = [f"{name} {value}" for name, value in fingerprint(chosen.name, "float32").items()]
        engine_words = [chosen.name, *depends, f"{loader.most_threads()} threads", *filter(None, [chosen.says])]
    except DeltaruleError as error:
        engine_words = [str(error)]
    rows = {
        "deltarule": [f"{here['versions']['deltarule']} in {build.HERE.parent}"],
        "python": [platform.python_implementation(), here["versions"]["python"], here["platform"]],
        "numpy": [np.__version__, blas["name"], blas["version"]],
        "packages": [f"{name} {version_of(name) or 'absent'}" for name in names],
        "engine": engine_words,
        "threads": [f"{name} {number}" for name, number in here["threads"].items()],
        "cache": [str(cache_folder())],
        "variables": [f"{name}={os.environ[name]}" for name in sorted(os.environ) if name.startswith("DELTARULE_")],
    }
    texts = {title: (", ".join(words) or "none").replace(str(Path.home()), "~") for title, words in rows.items()}
    return "\n".join(entry(title, text, 11) for title, text in texts.items())
