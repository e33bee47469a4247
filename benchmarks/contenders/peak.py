"""The operations of an epoch's matrix products as fused multiply-adds in registers, on every core: the peak.

No memory is read and nothing is learned: a bound for all, in the same run. peak.c is compiled when it is needed, for
256-bit registers where the others are held to AVX2.
"""

import ctypes
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from workloads import Layers

from contenders import N_CORES, Contender
from deltarule.native import build

SOURCE = Path(__file__).with_suffix(".c")


class Peak(Contender):
    """A loop in C that multiplies and adds."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        held = os.environ.get("DELTARULE_INSTRUCTIONS") == "v3"
        options = ["-O3", "-ffp-contract=fast", *(["-mavx2", "-mfma"] if held else ["-march=native"])]
        with tempfile.TemporaryDirectory() as folder:
            build.run([*build.compiler(), *options, "-shared", "-fPIC", str(SOURCE), "-o", "peak.so"], folder)
            self.peak = ctypes.CDLL(str(Path(folder, "peak.so"))).peak
        self.peak.argtypes = (ctypes.c_double, ctypes.c_float, ctypes.c_float)

    def train(self) -> None:
        share = self.workload.flops / N_CORES
        with ThreadPoolExecutor(N_CORES) as pool:
            list(pool.map(lambda _: self.peak(share, 0.5, 1.0), range(N_CORES)))

    def layers(self) -> Layers:
        return self.workload.start()
