"""Memory as kernels see it: samples gathered, or fetched into the cache ahead of their use, and borrowed arrays.

Shuffled samples lie all over the memory, and waiting for a small image takes longer than learning from it.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from deltarule.compiled.kernels import intrinsic, kernel, number, pointer_to
from deltarule.nn.arrays import Array

LINE_BYTES = 64  # what a processor fetches at once


@intrinsic
def fetch(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the piece of memory that array[index] lies in, without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = pointer_to(context, builder, signature, arguments)
        pointer, word = ir.PointerType(ir.IntType(8)), ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", (pointer,), ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
        )
        to_read, keep, of_data = word(0), word(3), word(1)
        builder.call(prefetch, [builder.bitcast(place, pointer), to_read, keep, of_data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def borrow(typing: Any, thing: Any) -> Any:
    """The same array, or tuple of arrays and numbers, as seen by somebody who need not keep it alive.

    Numba counts, in one step that all threads see, each time that a name is given to a piece of an array; of what is
    borrowed so it counts nothing. Whoever called the kernel keeps it alive meanwhile.
    """

    def without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
        is_array, is_tuple = (isinstance(kind, one) for one in (types.Array, types.BaseTuple))
        if is_array:
            array = context.make_array(kind)(context, builder, value)
            array.meminfo = ir.Constant(array.meminfo.type, None)
            return array._getvalue()
        if is_tuple:
            parts = [(part, builder.extract_value(value, i)) for i, part in enumerate(kind)]
            return context.make_tuple(builder, kind, [without_owner(context, builder, *part) for part in parts])
        return value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return without_owner(context, builder, thing, arguments[0])

    return thing(thing), generate


@kernel
def fetch_rows(inputs: Any, rows: Any, columns: Any) -> None:
    """Ask for the columns from columns[0] up to columns[1] of these rows. inputs: (n_samples, features)."""
    for i in range(len(rows)):
        row = inputs[rows[i], columns[0] : columns[1]]
        for k in range(0, len(row), LINE_BYTES // row.itemsize):
            fetch(row, k)


def gather(inputs: Array, indices: Array, out: Array) -> Array:
    """The twin of `training.batches.gather`: out[i] = inputs[indices[i]], uint8 pixels divided by 255."""
    unit = 1.0 / 255.0 if inputs.dtype == np.uint8 else 1.0
    pick(np.asarray(inputs), indices, unit, out)  # asarray: a memory map is an array like any other
    return out


@kernel
def pick(inputs: Any, indices: Any, unit: float, out: Any) -> None:
    """out[i] = unit inputs[indices[i]]. inputs: (n_samples, features); out: (batch, features)."""
    factor = number(unit, out)
    for i in range(out.shape[0]):
        source, row = inputs[indices[i]], out[i]
        for j in range(row.shape[0]):
            row[j] = factor * row.dtype.type(source[j])
