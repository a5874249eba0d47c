"""Graphs of architectures that are not built here: the torch module, run once and written down, then converted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.native import initializing
from qdrant_embed.runtimes.openvino.gated_layers import keep_gates_apart
from qdrant_embed.runtimes.openvino.padding_attention import write_out_padding
from qdrant_embed.runtimes.openvino.requests import core
from qdrant_embed.runtimes.torch.graph import Graph, build_graph, examples, quiet, without_blind_rows

if TYPE_CHECKING:
    import openvino


def trace(resolved: ResolvedModel, *, pooled: bool) -> tuple[openvino.Model, Graph]:
    """Return a model's graph, and the torch module that it was made of.

    :param pooled: Whether to pool inside, where that is possible.
    :raises MissingExtraError: torch is not installed.
    :raises ModelError: The model cannot be loaded, or pools by where its prompt ends.
    """
    graph = build_graph(resolved, pooled=pooled)
    with quiet(), without_blind_rows(), initializing("OpenVINO"):
        core()
        import openvino
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        ids, mask = examples()
        # Traced once, where the default is twice, to compare: whether vectors are torch's is asked of many texts later.
        traced = TorchScriptPythonDecoder(
            graph.module,
            example_input={"input_ids": ids, "attention_mask": mask},
            trace_kwargs={"check_trace": False},
        )
        model = openvino.convert_model(traced)
        return keep_gates_apart(write_out_padding(model, resolved.preset.max_tokens)), graph
