"""Who trains: deltarule and its peers, a file each, written as its own documentation says that it is fastest.

All start from the same weights, have their data in memory and train in float32 with every core. Nothing heavy is
imported here: a contender is made in a process of its own (worker.py), by `contender`.
"""

import importlib
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from memory import peak_megabytes, status_megabytes
from numpy.typing import NDArray
from workloads import Layers, Workload

N_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
FILES = ("images.npy", "classes.npy")
JUDGED = 10_000  # the images that a loss is taken over


class Contender:
    """A network that `epoch` trains. A subclass gives `prepare`, `train` and `layers`.

    folder: where images.npy, uint8, and classes.npy, int64, are.
    """

    mmap_mode: Literal["r"] | None = None  # the data are read into memory

    def __init__(self, workload: Workload, folder: Path, **settings: Any) -> None:
        self.workload, self.folder = workload, folder
        self.rng = np.random.default_rng(0)
        images, classes = (np.load(folder / name, mmap_mode=self.mmap_mode) for name in FILES)
        self.prepare(images, classes, **settings)
        del images, classes
        self.loaded_megabytes = status_megabytes("VmRSS")

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        """Make the data and the network ready, as this software likes them."""
        raise TypeError(f"{type(self).__name__} must define prepare(images, classes)")

    def train(self) -> None:
        """Train for an epoch: every image once, in an order drawn anew."""
        raise TypeError(f"{type(self).__name__} must define train()")

    def layers(self) -> Layers:
        """The network as it is now."""
        raise TypeError(f"{type(self).__name__} must define layers()")

    def epoch(self) -> float:
        """Train for an epoch, and say how many seconds that took."""
        began = time.perf_counter()
        self.train()
        return time.perf_counter() - began

    def report(self) -> dict[str, Any]:
        """Memory, when all was loaded and the most so far; then the loss on the first images."""
        peak = peak_megabytes()
        images, classes = (np.load(self.folder / name, mmap_mode="r")[:JUDGED] for name in FILES)
        loss = self.workload.loss(self.layers(), images, classes)
        return {"loaded_megabytes": self.loaded_megabytes, "peak_megabytes": peak, "loss": loss}


@dataclass(frozen=True)
class Entry:
    """Where a contender is written, the package and module that it needs, and whether it needs a C++ compiler.

    A module that is a path is a library of the system's, and the package its packager's. lacks: an optimizer.
    """

    subject: str
    package: str
    module: str
    compiles: bool = False
    lacks: str = ""

    def absent(self) -> str | None:
        """What to install first; None where nothing is missing."""
        if "/" in self.module:
            return None if Path(self.module).exists() else f"apt-get install {self.package}"
        if find_spec(self.module) is None:
            return f"pip install {self.package}"
        compilers = filter(None, (os.environ.get("CXX"), "g++", "clang++", "cl"))
        if self.compiles and not any(map(shutil.which, compilers)):
            return "install a C++ compiler, for instance g++"
        return None


ENTRIES = {
    "deltarule": Entry("ours:Ours", "numpy", "numpy"),
    "tutorial loop": Entry("tutorial_loop:TutorialLoop", "numpy", "numpy"),
    "scikit-learn": Entry("scikit_learn:ScikitLearn", "scikit-learn", "sklearn"),
    "PyTorch": Entry("pytorch:Eager", "torch", "torch"),
    "PyTorch, bfloat16": Entry("pytorch:Bfloat16", "torch", "torch"),
    "torch.compile": Entry("pytorch:Compiled", "torch", "torch", compiles=True),
    "JAX": Entry("jax_scan:JaxScan", "jax", "jax"),
    "darknet": Entry("darknet:Darknet", "darknet", "/usr/lib/darknet/libdarknet.so", lacks="adam"),
    "sgemm": Entry("sgemm:Sgemm", "numpy", "numpy"),
    "peak": Entry("peak:Peak", "numpy", "numpy", compiles=True),
}


def contender(subject: str, workload: Mapping[str, Any], folder: str, **settings: Any) -> Contender:
    """A contender, ready to train. The arguments come as JSON, hence plain."""
    module, name = subject.split(":")
    sizes = tuple(workload["layer_sizes"])
    work = Workload(**{**workload, "layer_sizes": sizes})
    return getattr(importlib.import_module(f"contenders.{module}"), name)(work, Path(folder), **settings)
