"""What is known of models, as rows: narrowed down for the list, with where each value was read for one model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdrant_embed.models.presets import Preset
    from qdrant_embed.types import Json

EXAMPLE = "how do I rotate keys?"
"""A text to show prompts with."""
_OURS = "preset "


@dataclass(frozen=True, slots=True)
class ModelFilter:
    """What a listed model must be like; empty values wish for nothing.

    :param words: All of these, in name, source, base or description.
    :param language: A language code; models for all languages have it too.
    :param kind: What comes out of the model, what runs it, or its architecture.
    """

    words: str = ""
    language: str = ""
    kind: str = ""
    license: str = ""
    dim: int = 0

    def grants(self, model: Mapping[str, Json]) -> bool:
        """Tell whether a model is like that."""
        text = " ".join(str(model.get(key, "")) for key in ("name", "about", "source", "base", "api_model")).lower()
        languages = model.get("languages", [])
        kinds = {model.get("kind", "dense"), model.get("runtime", "torch"), model.get("architecture")}
        licenses = f"{model.get('license', '')} {model.get('license_note', '')}".lower()
        return (
            all(word in text for word in self.words.lower().split())
            and (not self.language or self.language.lower() in languages or "multilingual" in languages)
            and (not self.kind or self.kind.lower() in kinds)
            and all(word in licenses for word in self.license.lower().split())
            and (not self.dim or self.dim in (model.get("dim"), *model.get("dims", [])))
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a model.

    :param origin: The file it came from.
    :param read_in: The paper or file in which whoever wrote the preset read it; empty where that is not our preset.
    """

    key: str
    value: Json
    origin: str
    read_in: str = ""


Rows = Sequence[Row]


def list_presets(wish: ModelFilter, *, ours: bool = False) -> list[dict[str, Json]]:
    """Return what presets say of the models that are like that, JSON-ready, by name.

    :param ours: Only presets that come with the library, as they come.
    """
    from qdrant_embed.models.preset_files import our_presets, read_presets

    presets = our_presets() if ours else read_presets()
    every = (
        {"name": name, **entry.values, "origin": ", ".join(dict.fromkeys(entry.origins.values()))}
        for name, entry in sorted(presets.items())
    )
    return [model for model in every if wish.grants(model)]


def rows_of(name: str, *, here: bool) -> Rows:
    """Return every value of a model: all of them if its weights are here, those of its preset if not.

    :raises UnknownNameError: Nothing has that name.
    :raises ModelError: The files that are here cannot be used.
    """
    from qdrant_embed.models.preset_files import read_presets

    entry = read_presets().get(name)
    stated = entry.values if entry else {}
    if here and not stated.get("unloadable") and (stated.get("dim") or not stated.get("api")):
        return list(_all_values(name))
    if entry is None:
        return []  # a hub id: nothing is known before its files are here
    sources = stated.get("sources", {})
    return [
        Row(key, value, entry.origins[key], _read_in(key, entry.origins[key], sources))
        for key, value in stated.items()
        if key != "sources"
    ]


def prompted_texts(rows: Rows) -> dict[str, str]:
    """Return how a question and a text look to the model, empty if nothing is put around them."""
    from qdrant_embed.models.prompts import rendered

    query, document = stated_prompts({row.key: row.value for row in rows})
    if not (query or document):
        return {}
    return {"a question is read as": rendered(query, EXAMPLE), "a text is read as": rendered(document, EXAMPLE)}


def stated_prompts(stated: Mapping[str, Json]) -> tuple[str, str]:
    """Return the prompts (or templates) of a question and of a text that a preset's values make."""
    from qdrant_embed.models.presets import make_preset, preset_defaults
    from qdrant_embed.models.prompts import with_task

    known = preset_defaults().keys()
    preset: Preset = make_preset("", {key: value for key, value in stated.items() if key in known})
    settled = with_task(preset)
    return settled.query_prompt, settled.document_prompt


def _all_values(name: str) -> Iterator[Row]:
    from qdrant_embed.models.prompts import with_task
    from qdrant_embed.models.resolve import resolve

    resolved = resolve(name)
    preset = with_task(resolved.preset)
    sources = preset.sources
    for key, value in asdict(preset).items():
        if key in ("name", "sources"):
            continue
        origin = resolved.origins.get(key, "")
        yield Row(key, list(value) if isinstance(value, tuple) else value, origin, _read_in(key, origin, sources))


def _read_in(key: str, origin: str, sources: Mapping[str, str]) -> str:
    """Say where one of our values was read; what the user laid over it, or the model's files, speak for themselves."""
    if not origin.startswith(_OURS) or (key in ("about", "unloadable") and key not in sources):
        return ""
    return sources.get(key, sources.get("all", ""))
