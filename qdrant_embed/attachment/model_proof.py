"""Proof that a model made the vectors of a collection: some stored texts are embedded again, and compared.

Programs put different things before a text: the model's prompt for documents, none, or the one for questions;
LlamaIndex puts a node's metadata there. Most cut off what the model does not read, where this library's usual strategy
reads it in windows. Each is tried, and the one that fits is what is written and asked by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from qdrant_embed.attachment.foreign_layout import ForeignLayout
from qdrant_embed.attachment.known_models import candidates
from qdrant_embed.attachment.payload_view import embedded_with_metadata, text_in
from qdrant_embed.embedding import Embedder
from qdrant_embed.errors import RecipeMismatchError
from qdrant_embed.evaluation.exact_search import unit_rows
from qdrant_embed.store.engine import Engine

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.types import FloatArray

    Ways: TypeAlias = Mapping["Way", Callable[[Sequence[str]], FloatArray]]

LEAST = 0.99
"""Cosine below which a vector was made by something else: conversions of a model to half precision stay above .999."""
SURE = 0.999
"""From here on no other way is tried: several give the same for short texts, and the usual ones come first."""
HANDFUL = 6
SAMPLE = 64
"""Points of which those with the shortest texts are taken: each program cuts what is longer than the model in a way of
its own."""
SHORTEST = 8
"""Characters below which a text says little of a model."""

Prompt = Literal["document", "none", "query"]


@dataclass(frozen=True, slots=True)
class Way:
    """How a text is given to a model.

    :param prompt: What stands before it: the model's prompt for documents, none, or that for questions.
    :param cut_off: Whether the end of a text that is longer than the model is cut off, whatever the recipe's strategy.
    """

    prompt: Prompt
    cut_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How some texts, embedded again, compare with their stored vectors.

    :param way: How they were given to the model.
    :param with_metadata: Whether the metadata stood before them too, as LlamaIndex puts them.
    :param least: The smallest cosine of the texts; `mean` likewise.
    :param texts: How many there were.
    """

    way: Way
    with_metadata: bool
    least: float
    mean: float
    texts: int

    def __str__(self) -> str:
        before = {"document": "the prompt for documents", "none": "no prompt", "query": "the prompt for questions"}
        metadata = " and the metadata" if self.with_metadata else ""
        ends = ", long ones cut off" if self.way.cut_off else ""
        figures = f"cosine {self.least:.4f} at the least, {self.mean:.4f} mean"
        return f"{before[self.way.prompt]}{metadata} before them{ends}: {figures}"


def prove(engine: Engine, name: str, layout: ForeignLayout, model: Embedder, ways: Ways) -> Proof:
    """Return by what the model gives the vectors that are stored.

    :param ways: To embed texts; those that come first are preferred.
    :raises RecipeMismatchError: By nothing that was tried; the figures and the models that may be meant are listed.
    """
    if model.dim != layout.dim:
        raise RecipeMismatchError(
            f"the vectors of collection {name!r} have {layout.dim} dimensions, those of {model.preset.name!r} "
            f"{model.dim}. Models with {layout.dim}: {candidates(layout.dim)}. Type: Collection.attach({name!r}, "
            "model='…'), or model='none' to search by words and filters alone."
        )
    payloads, stored = _handful(engine, name, layout)
    if not payloads:
        raise RecipeMismatchError(
            f"no point of the first {SAMPLE} of collection {name!r} has both a text and a dense vector, so nothing "
            "proves which model made them. Check the layout (print(collection.layout) of an attachment by "
            "model='none'), or name the key of the text: text='…'."
        )
    tried: list[Proof] = []
    for proof in _tried(layout, payloads, stored, ways):
        if proof.least >= SURE:
            return proof
        tried.append(proof)
    best = max(tried, key=lambda proof: proof.least)
    if best.least >= LEAST:
        return best
    figures = "\n".join(f"  {proof}" for proof in tried)
    raise RecipeMismatchError(
        f"{model.preset.name!r} did not make the vectors of collection {name!r}. {len(payloads)} stored texts, "
        f"embedded again, should have a cosine of {LEAST} or more with their vectors; they have, with\n{figures}\n"
        f"Models with {layout.dim} dimensions: {candidates(layout.dim)}. Type: Collection.attach({name!r}, model='…'), "
        "or model='none' to search by words and filters alone."
    )


def _handful(engine: Engine, name: str, layout: ForeignLayout) -> tuple[list[Mapping[str, Any]], FloatArray]:
    vectors: Any = [layout.vector] if layout.vector else True
    records, _ = engine.scroll(name, limit=SAMPLE, with_payload=True, with_vectors=vectors)
    held = [(record, row) for record in records if (row := _row(layout, record)) is not None]
    usable = [(record, row) for record, row in held if len(text_in(layout, record.payload or {}).strip()) >= SHORTEST]
    usable.sort(key=lambda one: len(text_in(layout, one[0].payload or {})))
    chosen = usable[:HANDFUL]
    rows = np.stack([row for _, row in chosen]) if chosen else np.zeros((0, layout.dim), np.float32)
    return [record.payload or {} for record, _ in chosen], rows


def _row(layout: ForeignLayout, record: models.Record) -> FloatArray | None:
    found = record.vector.get(layout.vector or "") if isinstance(record.vector, dict) else record.vector
    row = None if found is None else np.asarray(found, np.float32)
    return row if row is not None and row.shape == (layout.dim,) and bool(np.any(row)) else None


def _tried(
    layout: ForeignLayout, payloads: Sequence[Mapping[str, Any]], stored: FloatArray, ways: Ways
) -> Iterator[Proof]:
    plain = [text_in(layout, payload) for payload in payloads]
    given: dict[bool, list[str]] = {False: plain}
    if layout.in_json:
        headed = [embedded_with_metadata(payload, text) for payload, text in zip(payloads, plain, strict=True)]
        given |= {True: headed} if headed != plain else {}
    for with_metadata, texts in given.items():
        for way, embed in ways.items():
            cosines = _cosines(embed(texts), stored, layout.distance)
            least, mean = float(cosines.min()), float(cosines.mean())
            yield Proof(way=way, with_metadata=with_metadata, least=least, mean=mean, texts=len(texts))


def _cosines(made: FloatArray, stored: FloatArray, distance: str) -> FloatArray:
    """Return the cosine of each row with its stored one; less where distances are compared, and lengths differ."""
    cosines = np.asarray((unit_rows(made) * unit_rows(stored)).sum(axis=1), np.float32)
    if distance != "euclid":
        return cosines
    lengths = np.stack([np.linalg.norm(made, axis=1), np.linalg.norm(stored, axis=1)])
    return np.asarray(cosines * lengths.min(axis=0) / lengths.max(axis=0), np.float32)
