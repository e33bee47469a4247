"""Matrix products inside kernels, by the BLAS that SciPy brings, and how many threads a BLAS may have meanwhile.

Source: J. Dongarra, J. Du Croz, S. Hammarling, I. Duff, "A set of level 3 basic linear algebra subprograms",
ACM Transactions on Mathematical Software 16 (1990). The BLAS counts in columns: our out = a b is its out^T = b^T a^T.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]
import numba
import numpy as np
from numba import types
from numba.extending import get_cython_function_address, overload

from deltarule.compiled.kernels import kernel

PLAIN, TURNED = ord("N"), ord("T")

_sgemm, _dgemm = (
    types.ExternalFunction(f"deltarule_{name}", types.void(*[types.voidptr] * 13)) for name in ("sgemm", "dgemm")
)
_lock = threading.Lock()
_users = 0
_limit: Any = None


@cache
def available() -> bool:
    """Whether SciPy's BLAS can be had, and threads be kept from it; the kernels find it from now on."""
    try:
        import threadpoolctl  # type: ignore[import-untyped] # noqa: F401 - one_thread needs it

        for name in ("sgemm", "dgemm"):
            address = get_cython_function_address("scipy.linalg.cython_blas", name)
            llvmlite.binding.add_symbol(f"deltarule_{name}", address)
    except (ImportError, ValueError, KeyError):
        return False
    return True


@cache
def libraries() -> tuple[Any, int]:
    """Every BLAS of the process, and how many threads they take by themselves: as many as the user or the machine says.

    threadpoolctl keeps the first; asked while one_thread is entered, it would say 1.
    """
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api="blas")
    return found, max((library["num_threads"] for library in found.info()), default=1)


def take_control(found: Any) -> None:
    """Let this thread say how many a BLAS may have: from 3.8 on, threadpoolctl only heeds the first thread that did."""
    for library in found.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Every BLAS of the process computes in the thread that calls it, as long as anybody is in here."""
    global _users, _limit
    with _lock:
        if _users == 0:
            take_control(libraries()[0])
            _limit = libraries()[0].limit(limits=1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                take_control(libraries()[0])
                _limit.restore_original_limits()


def gemm(like: Any, *arguments: Any) -> None:
    """The BLAS's product for the dtype of the array `like`: a name for kernels, in which `_gemm` says what it is."""


@overload(gemm)
def _gemm(like: Any, *arguments: Any) -> Any:
    def of_float32(like: Any, *arguments: Any) -> None:
        _sgemm(*arguments)

    def of_float64(like: Any, *arguments: Any) -> None:
        _dgemm(*arguments)

    return of_float32 if like.dtype == numba.float32 else of_float64


@kernel
def multiply(a: Any, b: Any, out: Any, a_turned: bool, b_turned: bool) -> None:
    """out = a b, or a^T b, or a b^T. The numbers of a row must lie side by side; the rows need not."""
    if a.size == 0 or b.size == 0:  # a BLAS takes no rows of length 0
        out[:] = 0
        return
    flags = np.array([TURNED if b_turned else PLAIN, TURNED if a_turned else PLAIN], np.uint8)
    sizes = np.array([out.shape[1], out.shape[0], a.shape[0] if a_turned else a.shape[1]], np.int32)
    steps = np.array([b.strides[0], a.strides[0], out.strides[0]]) // out.itemsize
    leading, factors = steps.astype(np.int32), np.array([1, 0]).astype(out.dtype)
    gemm(
        out,
        flags.ctypes,
        flags[1:].ctypes,
        sizes.ctypes,
        sizes[1:].ctypes,
        sizes[2:].ctypes,
        factors.ctypes,
        b.ctypes,
        leading.ctypes,
        a.ctypes,
        leading[1:].ctypes,
        factors[1:].ctypes,
        out.ctypes,
        leading[2:].ctypes,
    )
