"""Whether a preset and the model's own files can both be right."""

from __future__ import annotations

from collections.abc import Mapping

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.model_folder import ModelFiles
from qdrant_embed.types import Json


def require_agreement(name: str, preset: Mapping[str, Json], files: ModelFiles) -> None:
    """Refuse a preset that contradicts the model's files, and files that need code of their own.

    :raises ConfigurationError: They contradict each other.
    :raises ModelError: The files name code for the model, and no preset says what to load it as.
    """
    kind = files.values.get("kind") or (files.layout.kind if files.layout else "")
    if kind and preset.get("kind", kind) != kind:
        raise ConfigurationError(
            f"{name!r}: the preset says kind = {preset['kind']!r}, but the model's files are those of a {kind} model."
        )
    pooling, theirs = preset.get("pooling", "none"), files.values.get("pooling")
    if not files.plain and pooling not in ("none", theirs):
        raise ConfigurationError(
            f"{name!r}: the preset says pooling = {pooling!r}, but the model's own modules pool by {theirs!r} and go "
            "on from there. Remove pooling from the preset."
        )
    for key in ("states", "pooled"):
        if not files.plain and preset.get(key, "") not in ("", "last", "all"):
            raise ConfigurationError(
                f"{name!r}: the preset says {key} = {preset[key]!r}, but the model's own modules pool in their own "
                f"way. Remove {key} from the preset."
            )
    if preset.get("states") == "layers" and pooling != "latents":
        raise ConfigurationError(f"{name!r}: states = 'layers' is read by the pooling 'latents' only; state that too.")
    if files.static:
        return
    _require_architecture(name, str(preset.get("architecture", "")), files)


def _require_architecture(name: str, stated: str, files: ModelFiles) -> None:
    """Compare the kind of model. Only one with code of its own may be loaded as something else."""
    config = read_json(files.transformer / "config.json")
    theirs, code = str(config.get("model_type", "")), "AutoModel" in (config.get("auto_map") or {})
    if stated and stated != theirs and not code:
        raise ConfigurationError(
            f"{name!r}: the preset says architecture = {stated!r}, but config.json says model_type = {theirs!r}."
        )
    if code and not stated:
        raise ModelError(
            f"the model {name!r} brings code of its own ({config['auto_map']['AutoModel']}), which is not run, and "
            f"without it its vectors may be wrong. If a model type of transformers gives the same, say which in a "
            f'preset, e.g. architecture = "{theirs}".'
        )


def wider_dimensions(preset: Mapping[str, Json], stated: Mapping[str, Json]) -> dict[str, Json]:
    """Return the dimensions of several layers side by side, if a preset asks for these."""
    states = str(preset.get("states", ""))
    if states.startswith("top") and "dim" in stated:
        return {"dim": stated["dim"] * int(states.removeprefix("top"))}
    return {}
