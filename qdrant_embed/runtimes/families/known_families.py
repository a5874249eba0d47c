"""Families by the `model_type` of `config.json`, each imported when the first model of it is met."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qdrant_embed.extras import is_installed
from qdrant_embed.models.files.graph_files import graph_file, has_weights
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.lora import CONFIG
from qdrant_embed.models.files.model_folder import ModelFiles
from qdrant_embed.models.files.prepared_folder import WHOLE
from qdrant_embed.models.presets import preset_defaults
from qdrant_embed.models.resolve import ResolvedModel, pooling_only
from qdrant_embed.registry import import_target
from qdrant_embed.runtimes.families.family import Family
from qdrant_embed.runtimes.families.heads import unsupported_head
from qdrant_embed.types import Json

_SHAPING = ("architecture", "attention", "layers", "pooling", "states")
"""Values of a preset that change its graph."""
GRAPHS = 2
"""To be raised when graphs that are built here change: what was compiled or quantized of them before is then old."""

FAMILIES: Mapping[str, str] = {
    "bert": "bert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "camembert": "roberta",
    "distilbert": "distilbert",
    "mpnet": "mpnet",
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3"), "rotary.decoder"),
    "eurobert": "rotary.eurobert",
    "gemma3_text": "rotary.gemma3",
    "gte": "rotary.gte",
    "jina_embeddings_v3": "rotary.jina",
    "modernbert": "rotary.modernbert",
    "nomic_bert": "rotary.nomic_bert",
    "phi": "rotary.phi",
}
"""`model_type` → module of this folder that describes it as its `FAMILY`."""


UNBUILT_METHODS = ("selfextend",)
"""Methods for longer texts that have an attention of their own, which torch alone runs."""


def family_of(model_type: str) -> Family | None:
    """Return what describes a type of model; None if nothing does."""
    name = FAMILIES.get(model_type)
    found: Family | None = import_target(f"qdrant_embed.runtimes.families.{name}:FAMILY") if name else None
    return found


def stated_config(resolved: ResolvedModel) -> dict[str, Json]:
    """Return `config.json`, of the architecture that the preset says it is."""
    config: dict[str, Json] = dict(read_json(resolved.require_files().transformer / "config.json"))
    if resolved.preset.architecture:
        config["model_type"] = resolved.preset.architecture
    return config


def as_prepared(resolved: ResolvedModel) -> bool:
    """Tell whether a prepared model is read as it was: all blocks, the same states, nothing stretched."""
    files = resolved.files
    if files is None or files.prepared is None:
        return False
    then = preset_defaults() | dict(files.prepared.values)
    return resolved.extension_plan is None and all(getattr(resolved.preset, key) == then[key] for key in _SHAPING)


def unbuilt(resolved: ResolvedModel) -> str:
    """Return why a model is not built here, and so needs torch; empty if it is, or was before. Reads no weights."""
    files = resolved.files
    if files is not None and files.prepared is not None and WHOLE in files.prepared.graphs:
        return "" if as_prepared(resolved) else "its folder holds it as it was prepared, and it is to be read otherwise"
    if files is None or files.static or resolved.preset.kind != "dense":
        return "it is no transformer that gives one vector"
    return "" if brought_file(resolved) is not None else _undescribed(resolved, files)


def brought_file(resolved: ResolvedModel) -> Path | None:
    """Return the graph of a model's folder, if that is what runs it; None if it is built, or traced through torch.

    It runs where there are no weights beside it, or where they are not described here and torch is not installed: who
    made it, and how, is not known.
    """
    files, preset = resolved.files, resolved.preset
    file = graph_file(files.transformer) if files is not None and not files.static else None
    if file is None or files is None or preset.kind != "dense" or files.adapter is not None:
        return None
    if preset.layers or preset.states not in ("", "last") or preset.attention or resolved.extension_plan is not None:
        return None
    if has_weights(files.transformer) and (is_installed("torch") or not _undescribed(resolved, files)):
        return None
    return file if pooling_only(resolved) or not unsupported_head(files) else None


def _undescribed(resolved: ResolvedModel, files: ModelFiles) -> str:
    preset, plan = resolved.preset, resolved.extension_plan
    config = stated_config(resolved)
    family = family_of(str(config.get("model_type")))
    if not has_weights(files.transformer):
        return "its folder holds a graph and no weights, and it is to be read otherwise than that graph reads"
    if family is None:
        return f"the architecture {config.get('model_type')!r} is not run without torch"
    if (files.transformer / CONFIG).is_file():
        return "its folder holds a LoRA adapter beside its own weights"
    if plan is not None and (plan.kind != family.positions or plan.extension.method in UNBUILT_METHODS):
        return f"{plan.extension.method} is not run without torch for the architecture {config['model_type']!r}"
    if preset.attention and preset.attention not in family.attentions:
        return f"{preset.attention} attention is not run without torch for the architecture {config['model_type']!r}"
    if pooling_only(resolved):
        return family.unsupported(config)
    if preset.states not in ("", "last"):
        return f"states = {preset.states!r} are not run without torch for a model with modules of its own"
    return family.unsupported(config) or unsupported_head(files)
