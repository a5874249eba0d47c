"""The dense layers of a model's folder, read as one linear map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.layouts import kind_of_module, normalizes
from qdrant_embed.models.files.tensors import WEIGHTS, read_tensors
from qdrant_embed.pooling.token_pooling import LinearHead

_SENTENCE = "sentence_embedding"


def linear_layers(folder: Path) -> list[Path]:
    """Return where the dense layers are of a model that is a transformer, a pooling, such layers and a normalization.

    An empty list where the model is another, or one of the layers has an activation.
    """
    modules = read_json(folder / "modules.json") or []
    if modules and normalizes(folder, modules[-1]):
        modules = modules[:-1]
    kinds = [kind_of_module(module["type"]) for module in modules]
    places = [folder / module["path"] for module in modules[2:]]
    if kinds[:2] != ["Transformer", "Pooling"] or set(kinds[2:]) != {"Dense"}:
        return []
    if not read_json(folder / modules[1]["path"] / "config.json").get("include_prompt", True):
        return []
    return places if all(_is_linear(read_json(place / "config.json")) for place in places) else []


def _is_linear(settings: Mapping[str, Any]) -> bool:
    given = {settings.get(key) or _SENTENCE for key in ("module_input_name", "module_output_name")}
    return str(settings.get("activation_function")).endswith(".Identity") and given == {_SENTENCE}


def load_linear_head(places: Sequence[Path]) -> LinearHead:
    """Read dense layers, which follow each other, as one.

    :raises ModelError: There are none: what stands behind the pooling cannot be applied to averages.
    """
    if not places:
        raise ModelError(
            "what stands behind the model's pooling is not dense layers without activation, and only those can be "
            "applied to the averages of chunks. Give another window strategy than 'late'."
        )
    matrix, offset = np.eye(1), np.zeros(1)
    for number, place in enumerate(places):
        tensors = {name: np.asarray(found, np.float64) for name, found in read_tensors(place / WEIGHTS).items()}
        weight = tensors["linear.weight"]
        if read_json(place / "config.json").get("use_residual"):
            weight = weight + tensors.get("residual.weight", np.eye(*weight.shape))
        bias = tensors.get("linear.bias", np.zeros(len(weight)))
        matrix = weight @ matrix if number else weight
        offset = weight @ offset + bias if number else bias
    return LinearHead(matrix.astype(np.float32), offset.astype(np.float32))
