"""What a run's bits depend on besides its settings: a checkpoint keeps it, and a run that goes on compares it."""

import ctypes
import hashlib
from importlib import import_module
from typing import Any

import numpy as np

from deltarule.native import build
from deltarule.native.loader import instructions
from deltarule.nn.network import Network
from deltarule.training.engine import NATIVE, engine
from deltarule.training.fit import fit
from deltarule.training.schedules import Cosine

STEPS = "three steps"
KERNEL = "scipy_openblas_get_corename64_"  # the function that tells it in NumPy's wheels


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
