"""Where a run takes place and what its bits depend on: its folder keeps it, and a run that goes on compares it."""

import ctypes
import hashlib
import os
import platform
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from deltarule.errors import DISTRIBUTION
from deltarule.native import build
from deltarule.native.loader import instructions
from deltarule.nn.network import Network
from deltarule.training.engine import NATIVE, engine
from deltarule.training.schedules import Cosine
from deltarule.training.trainer import fit

STEPS = "three steps"
KERNEL = "scipy_openblas_get_corename64_"  # the function that tells it in NumPy's wheels
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "DELTARULE_THREADS")


def environment(**more: Any) -> dict[str, Any]:
    """Where a run takes place: versions, platform, threads; and what more there is to know, as its seed."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = {"deltarule": version_of(DISTRIBUTION), "numpy": version_of("numpy"), "scipy": version_of("scipy")}
    return {
        "versions": {"python": platform.python_version(), **packages},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "threads": {"cpus": cpus, **{name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}},
    } | more


def version_of(package: str) -> str | None:
    """The version of an installed package; None for one that is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def here(engine: str | None, dtype: str | None) -> dict[str, Any]:
    """The environment of a run of such an engine and dtype, with what its bits depend on there: asked once."""
    return environment(engine=fingerprint(engine or "", "float64" if dtype == "float64" else "float32"))


def fingerprint(engine_name: str, dtype: str) -> dict[str, str]:
    """Of the library the digest of three fixed steps, and what it is; of NumPy what it computes with."""
    if engine_name == NATIVE and engine("auto").name == NATIVE:
        return {STEPS: three_steps(dtype), "library": build.sources_hash(), "instructions": instructions()}
    config: Any = np.show_config("dicts")
    blas, loaded = config["Build Dependencies"]["blas"], import_module("numpy._core._multiarray_umath").__file__
    if kernel := getattr(ctypes.CDLL(loaded), KERNEL, None):
        kernel.restype = ctypes.c_char_p
    computes_with = {"BLAS": f"{blas['name']} {blas['version']}", "kernel": kernel().decode() if kernel else "unknown"}
    return computes_with | {"processor": " ".join(config["SIMD Extensions"].get("found", []))}


def three_steps(dtype: str) -> str:
    """The digest of a small network after three steps, for which random numbers of every kind are drawn."""
    pixels = (np.arange(39 * 36) * 40503 // 32 % 256).astype(np.uint8).reshape(39, 6, 6)
    network = Network((36, 20, 10), hidden="tanh", dropout=0.2, dtype=dtype, rng=0)
    more: dict[str, Any] = {"augment": {"rotation": 9, "elastic_alpha": 5}, "average": 0.9, "clip": 1.0}
    more["learning_rate"] = Cosine(0.01, 3)
    fit(network, pixels, np.arange(39) % 10, optimizer="adamw", epochs=1, batch_size=13, **more)
    return hashlib.sha256(network.parameters.vector.tobytes()).hexdigest()[:16]
