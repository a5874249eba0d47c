"""Checks of a preset's values, and what to type instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import CUTS, METHODS
from qdrant_embed.models.presets import (
    ATTENTIONS,
    DISTANCES,
    EXPANSIONS,
    KINDS,
    PADDINGS,
    POOLED,
    POOLINGS,
    SKIPLISTS,
    STATES,
    Preset,
)

_CHOICES = {
    "attention": ATTENTIONS,
    "distance": DISTANCES,
    "kind": KINDS,
    "padding": PADDINGS,
    "pooled": POOLED,
    "pooling": POOLINGS,
    "query_expansion": EXPANSIONS,
    "skiplist": SKIPLISTS,
    "windows": (*CUTS, *METHODS),
}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PLACES = (
    *(("query_template", "{text}"), ("document_template", "{text}"), ("task_template", "{task}")),
    *(("rerank_template", "{documents}"), ("rerank_template", "{query}")),
)
_KEY = re.compile(r"(?=.*\d)(?=.*[a-z]|[^_]*$).{20,}")
"""Long, with digits, and with small letters or without any _: no name that people give a variable."""


def check_values(where: str, values: Mapping[str, Any]) -> None:
    """Compare values with what a preset may hold.

    :raises ConfigurationError: A key is unknown or a value is of the wrong kind.
    """
    kinds = _kinds()
    for key, value in values.items():
        if key not in kinds:
            raise ConfigurationError(f"{where}: unknown key {key!r}; known: {', '.join(kinds)}.")
        if key == "key_variable":
            _require_variable(where, value)
        if not _is_of(kinds[key], value):
            raise ConfigurationError(f"{where}: {key} = {value!r} is of the wrong kind.")
        _require_choice(where, key, value)
    _require_templates(where, values)


@cache
def _kinds() -> Mapping[str, Any]:
    return {name: kind for name, kind in get_type_hints(Preset).items() if name != "name"}


def _is_of(kind: Any, value: Any) -> bool:
    """Tell whether a value from TOML suits a field's annotation."""
    if kind in (str, bool, int):
        return type(value) is kind and not (kind is int and value < 0)
    if kind is float:
        return type(value) in (int, float) and value > 0
    if get_origin(kind) is tuple:
        of = get_args(kind)[0]
        return isinstance(value, list | tuple) and all(type(item) is of and item for item in value)
    return isinstance(value, Mapping)


def _require_variable(where: str, value: Any) -> None:
    """Refuse what is no name of a variable without repeating it: most likely it is the key, in the wrong place."""
    if value == "" or (isinstance(value, str) and _VARIABLE.fullmatch(value) and not _KEY.fullmatch(value)):
        return
    raise ConfigurationError(
        f"{where}: key_variable holds no name of an environment variable (it is not shown here, since it may be a "
        'key). Write key_variable = "MY_API_KEY" in the preset, and type: export MY_API_KEY=…'
    )


def _require_choice(where: str, key: str, value: Any) -> None:
    choices = _CHOICES.get(key)
    if choices and not set([value] if isinstance(value, str) else value) <= set(choices):
        known = ", ".join(filter(None, choices))
        raise ConfigurationError(f"{where}: {key} = {value!r}; choose one of {known}.")
    if key == "states" and not STATES.fullmatch(value):
        raise ConfigurationError(f"{where}: states = {value!r}; choose last, first, input, layers or topK, e.g. top4.")
    if key == "sources" and not all(isinstance(text, str) for text in value.values()):
        raise ConfigurationError(f"{where}: sources = {value!r}; say in words where a value was read.")


def _require_templates(where: str, values: Mapping[str, Any]) -> None:
    """Look for the places that a template must leave open, and at the form of tasks."""
    for key, place in _PLACES:
        if values.get(key) and place not in values[key]:
            raise ConfigurationError(f"{where}: {key} = {values[key]!r} has no {place}; write where it goes.")
    for task, prompts in values.get("tasks", {}).items():
        sides = prompts if isinstance(prompts, Mapping) else {"query": prompts}
        if not set(sides) <= {"query", "document"} or not all(isinstance(text, str) for text in sides.values()):
            raise ConfigurationError(
                f"{where}: tasks.{task} = {prompts!r}; give a text, or a table of texts for query and document."
            )
