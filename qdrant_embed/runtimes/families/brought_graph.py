"""Graphs that a model's folder brings (`openvino/`, `onnx/`): read, checked, and given our inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from qdrant_embed.errors import ModelError, first_line
from qdrant_embed.models.files.model_folder import states_width
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes.families.builder import Builder
from qdrant_embed.runtimes.families.family import Node
from qdrant_embed.runtimes.families.weights import Weights

_IDS, _MASK, _KINDS = "input_ids", "attention_mask", "token_type_ids"
_STATES = ("last_hidden_state", "token_embeddings")
"""What exporters call the states of tokens."""
_ROUNDED = ("i8", "u8", "i4", "u4", "u2", "i2", "nf4", "f8e4m3", "f8e5m2", "f4e2m1")
_FEW = 1024
"""Numbers that a table of them may have: masks and lists of ids are small."""
_AXES = 3


def read_states(resolved: ResolvedModel, file: Path) -> tuple[Builder, Node]:
    """Return the states (n, tokens, dim) of a graph that was brought, and the builder that it is part of.

    :raises ModelError: It cannot be read, takes something else than texts, gives no states, or was quantized: its
        vectors would be those of another model.
    """
    try:
        model = openvino.Core().read_model(str(file))
    except RuntimeError as error:
        raise ModelError(f"the graph {file} cannot be read: {first_line(error)}. Is the download complete?") from error
    _require_whole(model, file)
    states = _states_of(model, file, states_width(resolved.require_files().transformer))
    builder = Builder({}, Weights({}, file.parent), resolved.preset)
    _feed(model, builder, file)
    return builder, ops.convert(states, np.float32)


def _require_whole(model: openvino.Model, file: Path) -> None:
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant" or int(np.prod(list(node.get_output_shape(0)))) <= _FEW:
            continue
        kind = node.get_element_type().get_type_name()
        if kind in _ROUNDED:
            raise ModelError(
                f"the graph {file} holds weights that were rounded to {kind}, so its vectors are not the model's. "
                "Export it again without quantization, or install torch."
            )


def _states_of(model: openvino.Model, file: Path, width: int) -> Any:
    """Return what the graph's states are made by."""
    named = [output for output in model.outputs if output.get_names() & set(_STATES)] or model.outputs
    found = next((output for output in named if output.get_partial_shape().rank == _AXES), None)
    if found is None:
        given = ", ".join(f"{output.get_any_name()} {output.get_partial_shape()}" for output in model.outputs)
        raise ModelError(f"the graph {file} gives {given}, and no states of tokens (n, tokens, {width or 'dim'}).")
    last = found.get_partial_shape()[_AXES - 1]
    if width and last.is_static and last.get_length() != width:
        raise ModelError(
            f"the graph {file} gives states of {last.get_length()} dimensions, not the {width} of config.json."
        )
    return found.get_node().input_value(0)


def _feed(model: openvino.Model, builder: Builder, file: Path) -> None:
    """Let the graph read what ours reads."""
    first_kind = ops.broadcast(np.int64(0), ops.shape_of(builder.ids))
    inputs: Mapping[str, Node] = {_IDS: builder.ids, _MASK: builder.mask, _KINDS: first_kind}
    there = {node.get_friendly_name(): node for node in model.get_parameters()}
    for port in model.inputs:
        there |= {name: port.get_node() for name in port.get_names()}
    nodes = {id(node): name for name, node in there.items() if name in inputs}
    if not {_IDS, _MASK} <= set(nodes.values()) or len(nodes) < len(model.get_parameters()):
        names = ", ".join(port.get_any_name() for port in model.inputs)
        raise ModelError(f"the graph {file} takes {names}; only {_IDS}, {_MASK} and {_KINDS} are known here.")
    for name, node in there.items():
        if name in inputs:
            given = ops.convert(inputs[name], node.get_element_type().to_dtype())
            node.output(0).replace(given.output(0))
