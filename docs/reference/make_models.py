"""The reference page of all presets: `python docs/reference/make_models.py > docs/reference/models.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from qdrant_embed.models.catalog import our_models, stated_prompts
from qdrant_embed.models.files.input_length import LEARNED_TYPES, ROTARY_TYPES
from qdrant_embed.models.long_context_support import CONTEXT_METHODS
from qdrant_embed.runtimes.families.family import Family
from qdrant_embed.runtimes.families.known_families import FAMILIES, UNBUILT_METHODS, family_of
from qdrant_embed.types import Json

_HEAD = """# Models with a preset

Made from the preset files by `python docs/reference/make_models.py`; do not edit it by hand. What is not stated (–) is
read from a model's own files. `qdrant-embed models show NAME` says of each value where it was read.
"""
_ARCHITECTURES = """## Architectures

Of each architecture (`model_type` in `config.json`), whether models are built for OpenVINO of their own files, without
torch. Where not, or where `config.json` says what is not known here, `qdrant-embed[torch]` is needed; so it is for
`selfextend`, and for sparse and multi-vector models.

| architecture | without torch | attention | stretched by | presets |
|---|---|---|---|---|"""
_COLUMNS = ("preset", "weights", "dims", "cut to", "tokens", "pooling", "attention", "license", "before a question")


def page() -> str:
    """Return the page, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    # Ours alone: a user's own presets stand in no page of ours.
    listed = sorted(our_models(), key=lambda model: (model["origin"], model["name"]))
    for origin, models in groupby(listed, key=lambda model: model["origin"]):
        yield f"## {str(origin).removeprefix('preset ')}\n"
        yield f"| {' | '.join(_COLUMNS)} |"
        yield f"|{'---|' * len(_COLUMNS)}"
        family = list(models)
        yield from (f"| {' | '.join(_cells(model))} |" for model in family)
        yield ""
        refused = [model for model in family if model.get("unloadable")]
        yield from (f"- `{model['name']}` cannot be loaded: it {model['unloadable']}." for model in refused)
        yield from [""] if refused else []
    yield from _architectures(listed)


def _architectures(listed: Sequence[Mapping[str, Json]]) -> Iterator[str]:
    """Yield which architectures run without torch, those of our presets among them."""
    presets: dict[str, list[str]] = {kind: [] for kind in FAMILIES}
    for model in listed:
        if model.get("architecture") and not model.get("unloadable"):
            presets.setdefault(str(model["architecture"]), []).append(f"`{model['name']}`{_torch_alone(model)}")
    yield _ARCHITECTURES
    for kind in sorted(presets):
        family = family_of(kind)
        cells = ["no", "–", "–"] if family is None else ["yes", *_reach(family, kind)]
        yield f"| {' | '.join([f'`{kind}`', *cells, ', '.join(presets[kind]) or '–'])} |"
    yield ""


def _reach(family: Family, kind: str) -> tuple[str, str]:
    known = CONTEXT_METHODS[family.positions] if kind in (*LEARNED_TYPES, *ROTARY_TYPES) else ()
    methods = [method for method in known if method not in UNBUILT_METHODS]
    return " or ".join(family.attentions), ", ".join(methods) or "–"


def _torch_alone(model: Mapping[str, Json]) -> str:
    """Return what a model has that torch alone runs, whatever its architecture."""
    return f" ({model['kind']}: torch)" if model.get("kind", "dense") != "dense" else ""


def _cells(model: Mapping[str, Json]) -> list[str]:
    query, _ = stated_prompts(model)
    weights = model.get("source") or model.get("api_model") or model.get("endpoint") or "–"
    return [
        f"`{model['name']}`",
        str(weights),
        str(model.get("dim", "–")),
        ", ".join(map(str, _shortened(model.get("dims", [])))) or "–",
        str(model.get("max_tokens", "–")),
        str(model.get("pooling", "–")),
        str(model.get("attention", "–")),
        str(model.get("license") or "–"),
        "`{}`".format(repr(query).replace("|", "\\|")) if query else "–",
    ]


def _shortened(sizes: list[int]) -> list[int | str]:
    return [*sizes[:2], "…", *sizes[-2:]] if len(sizes) > 5 else list(sizes)


if __name__ == "__main__":
    sys.stdout.write(page())
