"""How kernels are compiled, and e^x and tanh x, which Numba would call a library for, number by number."""

import logging
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import extending
from numba.core import event
from numba.extending import overload

LOG = logging.getLogger("deltarule")
# Sums may be taken in another order, and products be fused into them; a NaN stays a NaN, so that it can be reported.
FAST_MATH = {"reassoc", "contract", "arcp", "nsz", "afn"}


def kernel(function: Callable[..., Any]) -> Any:
    """`function`, compiled when it is first called with arguments of these types; kept on disk for the next process."""
    # Numba's own error model tests every divisor for 0, which keeps loops from being vectorized.
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST_MATH)(function)


# A decorator: the function says which instructions of LLVM stand for a call of it inside a kernel.
intrinsic: Callable[[Callable[..., Any]], Any] = extending.intrinsic


def pointer_to(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Inside an intrinsic whose first arguments are an array and an index: where array[index] lies."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@kernel
def number(value: float, like: Any) -> Any:
    """`value` in the dtype of the array `like`: a literal would make every formula around it float64."""
    return like.dtype.type(value)


@kernel
def exponential_float32(x: Any) -> Any:
    """e^x for a float32, to 1e-7 of itself, without a call, so that loops around it are vectorized.

    x = n ln 2 + r, with |r| <= ln 2 / 2; e^r is a polynomial and 2^n is written into the exponent's bits. Below -87.3,
    where no normal number is left, it is 0, above 88 it stays at e^88, so no result is denormal or infinite.
    Source: S. L. Moshier, Cephes Mathematical Library (1989), expf.
    """
    given, smallest = x, np.float32(-87.3)
    x = smallest if x < smallest else x
    x = np.float32(88.0) if x > np.float32(88.0) else x
    n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1.0)
    p = p * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(0.0) if given < smallest else p


@kernel
def tanh_float32(x: Any) -> Any:
    """tanh x for a float32, to 4e-7 of itself: from e^2x, and near 0, where that loses digits, from Taylor's series."""
    one, squared = np.float32(1.0), x * x
    series = np.float32(-1 / 3) + squared * (np.float32(2 / 15) - squared * np.float32(17 / 315))
    far = one - np.float32(2.0) / (one + exponential_float32(x + x))
    return x + x * squared * series if squared < np.float32(0.04) else far


def by_dtype(of_float32: Any, of_float64: Any) -> Any:
    """A function of one number for kernels: the first for a float32, the second for a float64."""

    def function(x: Any) -> Any:
        return of_float64(x)

    def choose(x):  # type: ignore[no-untyped-def] # Numba wants the signatures of all three to be the same
        return (lambda x: of_float32(x)) if x == numba.float32 else (lambda x: of_float64(x))

    overload(function)(choose)
    return function


exponential = by_dtype(exponential_float32, np.exp)
hyperbolic_tangent = by_dtype(tanh_float32, np.tanh)


class Announcement(event.Listener):
    """A line before the first compilation of a process, which takes seconds; none where kernels are only loaded."""

    is_said = False

    def on_start(self, event: Any) -> None:
        module = event.data["dispatcher"].py_func.__module__
        if not self.is_said and module.startswith("deltarule."):
            self.is_said = True
            LOG.warning("compiling kernels for this machine: some seconds, once; they are kept for the next time")

    def on_end(self, event: Any) -> None:
        pass


def announce_compilation() -> None:
    """Log the line when there is something to compile."""
    event.register("numba:compile", Announcement())  # type: ignore[no-untyped-call]
