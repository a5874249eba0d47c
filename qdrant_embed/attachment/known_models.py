"""Which model may have made the vectors of a collection: by what it says of itself, else all that are as wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_embed.attachment.foreign_layout import ForeignLayout
from qdrant_embed.models.availability import find_weights
from qdrant_embed.models.preset_files import read_presets

MIXIN_PREFIX = "fast-"
"""Before the model's name in the vector names of fastembed's mixin, and of mcp-server-qdrant."""
_MODEL_KEYS = ("model", "embedding_model", "model_name", "embed_model", "embedding_model_name")
LISTED_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that a collection names.

    :param name: The preset; empty where it is none, or where to load it would ask another machine.
    :param stated: As the collection has it.
    :param sign: Where.
    """

    name: str
    stated: str
    sign: str


def named_model(layout: ForeignLayout, metadata: Mapping[str, Any]) -> NamedModel | None:
    """Return the model that a collection names in its metadata or in the name of its vector; None for none.

    Whoever wrote the collection may name anything: only presets whose weights are on this machine are taken.
    """
    spellings = _spellings()
    for key in _MODEL_KEYS:
        stated = metadata.get(key)
        if isinstance(stated, str) and stated:
            return NamedModel(_here(spellings.get(stated.lower(), "")), stated, f"in its metadata, under {key!r}")
    vector = layout.vector or ""
    for stated in (vector.lower().removeprefix(MIXIN_PREFIX), vector.lower()):
        if stated in spellings:
            return NamedModel(_here(spellings[stated]), vector, "by the name of its vector")
    return None


def _here(name: str) -> str:
    """Return a preset's name, or an empty one where it is not run by weights of this machine."""
    if not name or read_presets()[name].values.get("api"):
        return ""
    return name if find_weights(name).here else ""


def candidates(dim: int) -> str:
    """Return the models that make vectors of a width, for a message."""
    found = [name for name, values in _presets() if dim in (values.get("dim"), *(values.get("dims") or ()))]
    shown = ", ".join(map(repr, found[:LISTED_AT_MOST]))
    more = f" and {len(found) - LISTED_AT_MOST} more (qdrant-embed models list)" if len(found) > LISTED_AT_MOST else ""
    return f"{shown}{more}" if found else "none that is known here; give the folder of one"


def _presets() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in read_presets().items():
        if entry.values.get("kind", "dense") == "dense":
            yield name, entry.values


def _spellings() -> dict[str, str]:
    """Return the presets by their names, those of their repositories, and the last parts of these, in small letters."""
    found: dict[str, str] = {}
    for name, values in _presets():
        source = str(values.get("source") or "")
        for spelling in (name, source, source.rpartition("/")[2]):
            if spelling:
                found.setdefault(spelling.lower(), name)
    return found
