"""What is known of models, as rows: narrowed down for the list, with where each value was read for one model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qdrant_embed.display import aligned, html_table, one_line
from qdrant_embed.errors import require_type
from qdrant_embed.models.availability import WeightsLocation, find_weights
from qdrant_embed.models.preset_files import PresetEntry, our_presets, read_presets
from qdrant_embed.models.presets import make_preset, preset_defaults
from qdrant_embed.models.prompts import rendered, with_task
from qdrant_embed.models.resolve import resolve
from qdrant_embed.models.runtime_specs import REFERENCE
from qdrant_embed.types import Json

EXAMPLE = "how do I rotate keys?"
"""A text to show prompts with."""
_OURS = "preset "
_LISTED = ("model", "dims", "tokens", "about")
_DESCRIBED = ("value", "is", "from")


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

    def cells(self) -> tuple[str, str, str]:
        """Return name, value and origin as a table has them."""
        return self.key, shown(self.value), f"{self.origin}: {self.read_in}" if self.read_in else self.origin


class ListedModels(list[dict[str, Any]]):
    """What presets say of models, JSON-ready: a list that also draws itself as a table, and prints as lines."""

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield name, dimensions, tokens and description of each, as a table has them."""
        for model in self:
            dims, tokens = (str(model.get(key) or "–") for key in ("dim", "max_tokens"))
            refused = " Cannot be loaded here: see 'models show'." if model.get("unloadable") else ""
            yield (one_line(model["name"]), dims, tokens, one_line(f"{model.get('about', '')}{refused}"))

    def __str__(self) -> str:
        return aligned([_LISTED, *self.rows()], right=(1, 2))

    def _repr_html_(self) -> str:
        return html_table(_LISTED, self.rows(), nothing="no preset is like that")


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Every value that is used for a model, with where it was read; draws itself as a table, and prints as lines.

    :param rows: All values if the weights are here, those of its preset if not.
    :param weights: Whether the weights are on this machine, where, and what to type to get them.
    """

    name: str
    rows: tuple[Row, ...]
    weights: WeightsLocation

    @property
    def values(self) -> dict[str, Json]:
        """Name of each value → the value."""
        return {row.key: row.value for row in self.rows}

    @property
    def texts(self) -> dict[str, str]:
        """How a question and a text look to the model; empty if nothing is put around them."""
        query, document = stated_prompts(self.values)
        if not (query or document):
            return {}
        return {"a question is read as": rendered(query, EXAMPLE), "a text is read as": rendered(document, EXAMPLE)}

    @property
    def warnings(self) -> list[str]:
        """Why it cannot be loaded, and what its license asks for."""
        values = self.values
        refused = [f"It cannot be loaded: it {values['unloadable']}."] if values.get("unloadable") else []
        return refused + ([f"license: {values['license_note']}"] if values.get("license_note") else [])

    @property
    def notes(self) -> list[str]:
        """What is said below the values: how texts are read, and where the weights are."""
        return [*(f"{side}: {shown(text)}" for side, text in self.texts.items()), f"weights: {self.weights.place}"]

    def as_dict(self) -> dict[str, Json]:
        """Return the description as JSON-ready values."""
        values = {row.key: {"value": row.value, "origin": row.origin, "read_in": row.read_in} for row in self.rows}
        weights = {"weights_here": self.weights.here, "weights": self.weights.place}
        return {"name": self.name, **weights, "texts": self.texts, "values": values}

    def __str__(self) -> str:
        table = aligned([_DESCRIBED, *(tuple(map(one_line, row.cells())) for row in self.rows)])
        return "\n".join([table, *map(one_line, [*self.notes, *self.warnings])])

    def _repr_html_(self) -> str:
        below = [("", text, "") for text in (*self.notes, *self.warnings)]
        return html_table(_DESCRIBED, [*(row.cells() for row in self.rows), *below])


def list_models(
    words: str = "",
    *,
    language: str = "",
    kind: str = "",
    license: str = "",
    dim: int = 0,
    presets: str | Path | None = None,
) -> ListedModels:
    """Return what presets say of models, by name: of all, or of those that everything given holds for.

    :param words: All of these, in name, source, base or description.
    :param language: A language code, e.g. `de`; models for all languages have it too.
    :param kind: `dense`, `sparse`, `multivector`, `static`, `api`, or an architecture.
    :param license: Words of the license.
    :param dim: Dimensions that the vectors have, or can be cut to.
    :param presets: A preset file or folder of your own, laid over the others.
    :raises ConfigurationError: A preset file says something that there is not.
    """
    asked = words.lower().split(), language.lower(), kind.lower(), license.lower().split(), dim
    return ListedModels(model for model in _listed(read_presets(presets)) if _is_like(model, *asked))


def our_models() -> ListedModels:
    """Return what the presets that come with the library say, as they come."""
    return _listed(our_presets())


def describe_model(name: str) -> ModelDescription:
    """Return every value that is used for a model, and where it was read; nothing is loaded or downloaded.

    :param name: A preset, a folder or a hub id.
    :raises UnknownNameError: Nothing has that name; near names are listed.
    :raises ModelError: The files that are here cannot be used.
    """
    require_type("name", name, str, "the name of a preset, a folder, or a hub id")
    weights = find_weights(name)
    return ModelDescription(name, tuple(_rows_of(name, here=weights.here)), weights)


def shown(value: Json) -> str:
    """Return a value of a model in one line."""
    if value in ("", (), [], {}, None):
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{key} = {inner!r}" for key, inner in value.items())
    # Line breaks in prompts matter; they must not look like those of the table.
    return repr(value)[1:-1] if isinstance(value, str) else str(value)


def _listed(presets: Mapping[str, PresetEntry]) -> ListedModels:
    return ListedModels(
        {"name": name, **entry.values, "origin": ", ".join(dict.fromkeys(entry.origins.values()))}
        for name, entry in sorted(presets.items())
    )


def _is_like(
    model: Mapping[str, Json], words: list[str], language: str, kind: str, license: list[str], dim: int
) -> bool:
    """Tell whether a model is as `list_models` is asked for, all in small letters."""
    text = " ".join(str(model.get(key, "")) for key in ("name", "about", "source", "base", "api_model")).lower()
    languages = model.get("languages", [])
    kinds = {model.get("kind", "dense"), model.get("runtime", REFERENCE), model.get("architecture")}
    licenses = f"{model.get('license', '')} {model.get('license_note', '')}".lower()
    return (
        all(word in text for word in words)
        and (not language or language in languages or "multilingual" in languages)
        and (not kind or kind in kinds)
        and all(word in licenses for word in license)
        and (not dim or dim in (model.get("dim"), *model.get("dims", [])))
    )


def _rows_of(name: str, *, here: bool) -> list[Row]:
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


def stated_prompts(stated: Mapping[str, Json]) -> tuple[str, str]:
    """Return the prompts (or templates) of a question and of a text that a preset's values make."""
    known = preset_defaults().keys()
    settled = with_task(make_preset("", {key: value for key, value in stated.items() if key in known}))
    return settled.query_prompt, settled.document_prompt


def _all_values(name: str) -> Iterator[Row]:
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
