"""The modules behind a transformer (pooling, dense layers, normalizations), as `modules.json` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.layouts import is_routed, kind_of_module, normalizes
from qdrant_embed.models.files.model_folder import ModelFiles, pooling_modes
from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.runtimes.families.family import Node

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_SENTENCE = "sentence_embedding"
_ACTIVATIONS: Mapping[str, str] = {"Identity": "", "Tanh": "tanh", "GELU": "gelu", "ReLU": "relu", "SiLU": "silu"}
"""Class of torch → activation by its name in `config.json`; empty for none."""
_EPS_OF_NORM = 1e-5
_EPS_OF_LENGTH = 1e-12


def _stages(files: ModelFiles) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return kind, path and settings of what follows the transformer, less a last normalization: that is done above."""
    modules = read_json(files.folder / "modules.json") or []
    kept = modules[1:-1] if modules and normalizes(files.folder, modules[-1]) else modules[1:]
    return [
        (kind_of_module(module["type"]), module["path"], read_json(files.folder / module["path"] / "config.json"))
        for module in kept
    ]


def unsupported_head(files: ModelFiles) -> str:
    """Return why the modules of a folder are not built here; empty if they are."""
    modules = read_json(files.folder / "modules.json") or []
    if not modules or is_routed(modules):
        return "its modules have routes" if modules else "nothing says how its states become one vector"
    stages = _stages(files)
    if [kind for kind, _, _ in stages].count("Pooling") != 1 or stages[0][0] != "Pooling":
        return "its modules do not begin with a transformer and a pooling"
    if "pooler_output" in str(read_json(files.transformer / "sentence_bert_config.json")):
        return "its vectors are made by the transformer's own pooler"
    return next(filter(None, (_unsupported(*stage) for stage in stages)), "")


def _unsupported(kind: str, path: str, settings: Mapping[str, Any]) -> str:
    names = {settings.get(f"module_{side}_name") or _SENTENCE for side in ("input", "output")}
    if kind == "Pooling":
        if not settings.get("include_prompt", True):
            return "it pools by where its prompt ends"
        return (
            "" if set(pooling_modes(settings)) <= set(POOLINGS) else f"the pooling in {path} is not run without torch"
        )
    if kind == "Dense":
        known = str(settings.get("activation_function", "torch.Tanh")).rsplit(".", 1)[-1] in _ACTIVATIONS
        return "" if known and names == {_SENTENCE} else f"the dense layer in {path} is not run without torch"
    if kind in ("LayerNorm", "Dropout") or (kind == "Normalize" and names == {_SENTENCE}):
        return ""
    return f"the module {kind} in {path} is not run without torch"


def build_head(builder: Builder, states: Node, files: ModelFiles) -> Node:
    """Return the vectors (n, dim) that the modules of a folder make of states (n, tokens, dim)."""
    vectors = states
    for kind, path, settings in _stages(files):
        if kind == "Pooling":
            parts = [builder.pool(states, mode) for mode in pooling_modes(settings)]
            vectors = builder.ops.concat(parts, -1) if len(parts) > 1 else parts[0]
        elif kind == "Dense":
            vectors = _dense(builder.beside(files.folder / path), vectors, settings)
        elif kind == "LayerNorm":
            vectors = builder.beside(files.folder / path).layer_norm(vectors, "norm", _EPS_OF_NORM)
        elif kind == "Normalize":
            vectors = builder.ops.normalize_l2(vectors, builder.ops.constant([-1]), _EPS_OF_LENGTH**2, "max")
    return vectors


def _dense(layer: Builder, vectors: Node, settings: Mapping[str, Any]) -> Node:
    out = layer.linear(vectors, "linear", bias=settings.get("bias", True))
    name = _ACTIVATIONS[str(settings.get("activation_function", "torch.Tanh")).rsplit(".", 1)[-1]]
    out = layer.activated(out, name) if name else out
    if settings.get("use_residual"):
        wide = settings["in_features"] != settings["out_features"]
        out = layer.add(out, layer.linear(vectors, "residual", bias=False) if wide else vectors)
    return out
