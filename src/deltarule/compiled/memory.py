"""Samples fetched into the cache before they are needed.

Shuffled, they lie all over the memory, and waiting for a small image takes longer than learning from it.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from deltarule.compiled.kernels import kernel

LINE_BYTES = 64  # what a processor fetches at once


@intrinsic
def fetch(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the piece of memory that array[index] lies in, without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.gep(context.make_array(signature.args[0])(context, builder, arguments[0]).data, [arguments[1]])
        pointer, word = ir.PointerType(ir.IntType(8)), ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", (pointer,), ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
        )
        to_read, keep, of_data = word(0), word(3), word(1)
        builder.call(prefetch, [builder.bitcast(place, pointer), to_read, keep, of_data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@kernel
def fetch_rows(inputs: Any, rows: Any, columns: Any) -> None:
    """Ask for the columns from columns[0] up to columns[1] of these rows. inputs: (n_samples, features)."""
    for i in range(len(rows)):
        row = inputs[rows[i], columns[0] : columns[1]]
        for k in range(0, len(row), LINE_BYTES // row.itemsize):
            fetch(row, k)  # type: ignore[call-arg]
