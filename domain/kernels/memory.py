"""What numba has no words for: unaligned words of eight bytes, and asking for memory ahead of need.

A prefetch is a hint that changes nothing but time: the misses of many rows overlap instead of each
waiting for the one before. Source: LLVM Language Reference, ``llvm.prefetch``.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE_BYTES = 64
AHEAD = 32  # rows: about as long as memory takes to answer
_BYTE_POINTER = ir.IntType(8).as_pointer()


def _element(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    array = context.make_array(kinds[0])(context, builder, values[0])
    return cgutils.get_item_pointer(
        context, builder, kinds[0], array, [values[1]], wraparound=False
    )


def _load64(typing_context: Any, data: Any, at: Any) -> Any:
    """The eight bytes ``data[at:at + 8]`` of an array of bytes, little-endian."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        element = _element(context, builder, signature.args, values)
        word = builder.bitcast(element, ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(data, types.intp), generate


def _store64(typing_context: Any, data: Any, at: Any, word: Any) -> Any:
    """Write a word into ``data[at:at + 8]`` of an array of bytes, little-endian."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        element = _element(context, builder, signature.args, values)
        place = builder.bitcast(element, ir.IntType(64).as_pointer())
        builder.store(values[2], place, align=1)
        return context.get_dummy_value()

    return types.void(data, types.intp, types.uint64), generate


def _prefetch(typing_context: Any, records: Any, at: Any, offset: Any) -> Any:
    """Ask for the line of memory that is *offset* bytes into ``records[at]``, to be written to."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        element = builder.bitcast(_element(context, builder, signature.args, values), _BYTE_POINTER)
        line = builder.gep(element, [values[2]])
        int32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [_BYTE_POINTER, int32, int32, int32])
        hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        write, everywhere, data = int32(1), int32(3), int32(1)
        builder.call(hint, [line, write, everywhere, data])
        return context.get_dummy_value()

    return types.void(records, types.intp, types.intp), generate


load64: Any = intrinsic(_load64)
store64: Any = intrinsic(_store64)
prefetch: Any = intrinsic(_prefetch)
