"""Weights in bf16: half the room, and rounded as processors with bf16 round them when a graph is compiled."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.models.files.json_files import read_header
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import openvino

_LEAST_AXES = 2
"""Biases and normalizations stay as they are: they are small, and every number passes them."""
_LEAST_SIZE = 1024
_ALIGNED = 8


def to_bf16(values: FloatArray) -> np.ndarray:
    """Return numbers as the upper halves (uint16) of float32, rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), rounded.astype(np.uint16))


def write_bf16(source: Path, target: Path) -> None:
    """Write a safetensors file again, its matrices in bf16; a tensor at a time, whatever the file's size.

    :raises ModelError: It is no such file.
    """
    header, begin = read_header(source)
    about = {"__metadata__": header.pop("__metadata__")} if "__metadata__" in header else {}
    entries: dict[str, Any] = {}
    at = 0
    # Wide numbers first, so that each tensor begins where its type can be read.
    header = dict(sorted(header.items(), key=lambda item: -_width(item[1])))
    for name, entry in header.items():
        size = _width(entry) * math.prod(entry["shape"])
        entries[name] = {"dtype": "BF16" if _is_narrowed(entry) else entry["dtype"], "shape": entry["shape"]}
        entries[name]["data_offsets"] = [at, at + size]
        at += size
    written = json.dumps({**about, **entries}).encode()
    written += b" " * (-len(written) % _ALIGNED)
    with source.open("rb") as stream, target.open("wb") as out:
        out.write(len(written).to_bytes(8, "little") + written)
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            stream.seek(begin + start)
            data = stream.read(end - start)
            if entries[name]["dtype"] != entry["dtype"]:
                kind = np.float32 if entry["dtype"] == "F32" else np.float16
                data = to_bf16(np.frombuffer(data, kind).astype(np.float32)).tobytes()
            out.write(data)


def _is_narrowed(entry: Mapping[str, Any]) -> bool:
    return entry["dtype"] in ("F32", "F16") and len(entry["shape"]) >= _LEAST_AXES


def _width(entry: Mapping[str, Any]) -> int:
    """Return the bytes of each number of a tensor, as it is written."""
    if _is_narrowed(entry):
        return 2
    start, end = entry["data_offsets"]
    return int((end - start) // max(1, math.prod(entry["shape"])))


def narrow_constants(model: openvino.Model) -> openvino.Model:
    """Put the large matrices of a graph into bf16, in place, and return it; they are widened where they are used."""
    import openvino
    from openvino import opset13 as ops

    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant" or node.get_element_type() != openvino.Type.f32:
            continue
        values = np.asarray(node.get_data())
        if values.ndim < _LEAST_AXES or values.size < _LEAST_SIZE or min(values.shape[-_LEAST_AXES:]) == 1:
            continue
        halves = to_bf16(values)
        tensor = openvino.Tensor(halves, openvino.Shape(values.shape), openvino.Type.bf16)
        wide = ops.convert(openvino.op.Constant(tensor, shared_memory=False), np.float32)
        for target in list(node.output(0).get_target_inputs()):
            target.replace_source_output(wide.output(0))
    model.validate_nodes_and_infer_types()
    return model
