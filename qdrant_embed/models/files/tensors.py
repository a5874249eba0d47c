"""Tensors of safetensors files, mapped into memory: nothing is read before it is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_header
from qdrant_embed.types import FloatArray

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
BF16 = "BF16"
FLOATS = ("F64", "F32", "F16", BF16)
_KINDS: Mapping[str, str] = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I8": "i1", "U8": "u1"},
    BF16: "<u2",  # numpy has no such type
}
"""What safetensors calls a type → the type of numpy that its bytes are mapped as."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor where it lies.

    :param kind: Its type, as safetensors names it.
    :param data: Its numbers, in its shape; of `BF16` the bytes, two by two. A view of the file.
    :param file: Where it lies.
    :param offset: The place of its first byte there.
    """

    kind: str
    data: np.ndarray
    file: Path
    offset: int

    def wide(self) -> FloatArray:
        """Return it in float32; a view of the file where it has that type."""
        if self.kind == BF16:
            return (self.data.astype(np.uint32) << 16).view(np.float32)
        return np.asarray(self.data, np.float32)

    def parts(self, count: int) -> list[StoredTensor]:
        """Return the `count` parts that its rows are made of, which are equally high; views of it."""
        size = self.data.nbytes // count
        return [
            StoredTensor(self.kind, part, self.file, self.offset + number * size)
            for number, part in enumerate(np.split(self.data, count))
        ]


def map_tensors(file: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a file.

    :raises ModelError: It is no safetensors file, or is cut short.
    """
    header, begin = read_header(file)
    # Copied on being written to, which nobody does: OpenVINO takes no memory that cannot be.
    whole = np.memmap(file, np.uint8, "c")
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            kind, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
            fits = 0 <= start <= end <= len(whole) - begin
            if kind in _KINDS:
                fits = fits and math.prod(shape) * np.dtype(_KINDS[kind]).itemsize == end - start
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            raise ModelError(
                f"{file} was cut short, or is no safetensors file: its tensor {name!r} does not lie within its "
                f"{len(whole)} bytes. Download it again; if it came by git, type: git lfs pull"
            )
        data = whole[begin + start : begin + end]
        # Of other types (booleans, say) there are bytes, which nothing but their name is needed of.
        numbers = data
        if kind in _KINDS:  # copied where they do not lie as the processor wants them
            aligned = data.ctypes.data % np.dtype(_KINDS[kind]).itemsize == 0
            numbers = (data if aligned else data.copy()).view(_KINDS[kind]).reshape(shape)
        found[name] = StoredTensor(kind, numbers, file, begin + start)
    return found


def read_tensors(file: Path) -> dict[str, FloatArray]:
    """Return the tensors of a file in their own type, bf16 in float32.

    :raises ModelError: As of `map_tensors`; or one is of a type that is not read here.
    """
    tensors = map_tensors(file)
    for name, found in tensors.items():
        if found.kind not in _KINDS:
            raise ModelError(f"{file}: {name} is stored as {found.kind}; save it as F32.")
    return {name: found.wide() if found.kind == BF16 else found.data for name, found in tensors.items()}
