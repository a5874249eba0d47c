"""The reference page of the Python library: `python docs/reference/make_python.py > docs/reference/python.md`."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import qdrant_embed as public
from qdrant_embed.attachment import Adoption, ForeignLayout
from qdrant_embed.comparison import Comparison, EvaluationPlan, SettingScores
from qdrant_embed.diagnostics import Diagnosis, Finding
from qdrant_embed.evaluation import Question, read_questions
from qdrant_embed.ingest import Preview, PreviewedChunk
from qdrant_embed.models import (
    DownloadState,
    FetchedModel,
    FetchedRepository,
    ListedModels,
    LocalModels,
    ModelDescription,
    Row,
    WeightsLocation,
)
from qdrant_embed.operations import CollectionAttachment, CollectionVectors
from qdrant_embed.reranking import (
    CrossEncoderReranker,
    ListwiseReranker,
    MmrReranker,
    RecencyReranker,
    RerankContext,
    Reranker,
    TokensReranker,
)
from qdrant_embed.retrieval import Answers, Documents, StoredDocument
from qdrant_embed.store import ListedCollection
from qdrant_embed.training import fit_word_table, train_paragraph_vectors

_HEAD = """# Python

Made from the docstrings by `python docs/reference/make_python.py`; do not edit it by hand. Everything here can be
imported from `qdrant_embed`, except where a module is named. Arguments behind `*` are given by name.
"""
_HIDDEN = {"from_payload", "from_point", "from_dict", "several_roots", "compare", "from_word", "made"}
"""Members that are there for the library itself."""
_WRAPPED = (property, cached_property, classmethod, staticmethod)
_FIELD = re.compile(r"^:(param|raises|return) ?([\w.]*):", re.MULTILINE)


def page() -> str:
    """Return the page, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for listed in _classes():
        home = "" if _is_public(listed) else f" (`{_home(listed)}`)"
        yield f"## {listed.__name__}{home}\n"
        text, entries = _parsed(inspect.getdoc(listed) or "")
        yield f"{text}\n"
        yield from _fields(listed, entries) if dataclasses.is_dataclass(listed) else _entries(entries)
        for name, member in _members(listed):
            yield from _member(name, member)
    yield "## Functions\n"
    for function in _functions():
        yield from _member(function.__name__, function)


def _functions() -> list[Callable[..., Any]]:
    named = (getattr(public, name) for name in public.__all__)
    return [*filter(inspect.isfunction, named), read_questions, fit_word_table, train_paragraph_vectors]


def _classes() -> list[type]:
    return [
        public.Collection, CollectionVectors, CollectionAttachment, public.Recipe, public.ServerOptions,
        public.Document, public.IngestOptions, public.ReadOptions, public.IngestReport, public.Hit, public.Hits,
        Answers, Documents, StoredDocument, Preview, PreviewedChunk, ListedCollection, Reranker, RerankContext,
        TokensReranker, CrossEncoderReranker, ListwiseReranker, MmrReranker, RecencyReranker, public.CalibrateOptions,
        EvaluationPlan, public.Evaluation, SettingScores, Comparison, Question, public.ExtendOptions, ListedModels,
        ModelDescription, Row, WeightsLocation, FetchedModel, FetchedRepository, DownloadState, LocalModels,
        public.PreparedModel,
        Diagnosis, Finding, ForeignLayout, Adoption,
    ]  # fmt: skip


def _home(listed: Any) -> str:
    """Return the folder of the package that gives a class or a function to users."""
    return ".".join(listed.__module__.split(".")[:2])


def _is_public(listed: Any) -> bool:
    return listed.__name__ in public.__all__


def _members(listed: type) -> Iterator[tuple[str, Any]]:
    """Yield methods and properties in the order of their definition, those of the class itself first."""
    seen: set[str] = set(_HIDDEN)
    for home in listed.__mro__:
        if not home.__module__.startswith("qdrant_embed"):
            continue
        for name, member in vars(home).items():
            documented = isinstance(member, _WRAPPED) or inspect.isfunction(member)
            if documented and not name.startswith("_") and name not in seen:
                seen.add(name)
                yield name, member


def _member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, property | cached_property):
        kind, function = "", (member.func if isinstance(member, cached_property) else member.fget) or page
        shown = f"{name}: {_annotation(inspect.signature(function).return_annotation)}"
    else:
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        kind = {classmethod: "class method ", staticmethod: "static method "}.get(type(member), "")
        shown = _signature(name, function)
    text, entries = _parsed(inspect.getdoc(function) or "")
    nested = "." in function.__qualname__ or _is_public(function)
    yield f"### {name}\n" if nested else f"### {name} (`{_home(function)}`)\n"
    yield f"{kind}`{shown}`\n"
    yield f"{text}\n"
    yield from _entries(entries)


def _signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    parts, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        parts.append(f"{stars}{parameter.name}: {_annotation(parameter.annotation)}{default}")
    return f"{name}({', '.join(parts)}) -> {_annotation(signature.return_annotation)}"


def _annotation(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.replace("Json", "JSON value").replace("pathlib.", "")


def _parsed(doc: str) -> tuple[str, list[tuple[str, str, str]]]:
    """Return the text of a docstring, and its entries: kind, name and text of each."""
    marks = list(_FIELD.finditer(doc))
    ends = [*(mark.start() for mark in marks), len(doc)][1:]
    entries = [
        (mark[1], mark[2], " ".join(doc[mark.end() : end].split())) for mark, end in zip(marks, ends, strict=True)
    ]
    return doc[: marks[0].start() if marks else len(doc)].strip(), entries


def _entries(entries: list[tuple[str, str, str]]) -> Iterator[str]:
    shown = {"param": "`{}`", "raises": "raises `{}`", "return": "returns"}
    lines = [f"- {shown[kind].format(name)}: {text}" for kind, name, text in entries]
    yield from [*lines, ""] if lines else []


def _fields(listed: Any, entries: list[tuple[str, str, str]]) -> Iterator[str]:
    said = {name: text for kind, name, text in entries if kind == "param"}
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    for field in dataclasses.fields(listed):
        if field.name in _HIDDEN:
            continue
        cells = (f"`{field.name}`", f"`{_annotation(field.type)}`", _default(field), said.get(field.name, ""))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""
    yield from _entries([entry for entry in entries if entry[0] == "raises"])


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`"
    if field.default_factory is dataclasses.MISSING:
        return "required"
    return f"`{field.default_factory()!r}`"


if __name__ == "__main__":
    sys.stdout.write(page())
