"""Explanations made for hits, of the lists that they came from, of their words and of their sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.evaluation.exact_search import unit_rows
from qdrant_embed.retrieval.explanation import Explanation, ListShare, MatchedTerm
from qdrant_embed.retrieval.fusion.fused_ranking import RankedPoints
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.types import CharSpan, FloatArray
from qdrant_embed.words.splitter import lowered_by, split

_SENTENCE = re.compile(r"\S[^.!?。！？\n]*[.!?。！？]*")
LEAST_SENTENCE = 12
"""Characters below which a piece of text is no sentence of its own."""


def explained(hits: Sequence[Hit], ranked: RankedPoints, query: str, encoder: Bm25Encoder) -> list[Hit]:
    """Return hits with their explanations, sentences left out."""
    return [
        replace(hit, explanation=replace(_of_lists(hit, ranked), terms=_terms(hit, query, encoder, ranked.idf)))
        for hit in hits
    ]


def with_sentences(hits: Sequence[Hit], asked: FloatArray, by: Embedder) -> list[Hit]:
    """Return explained hits whose explanations have the sentence that is nearest to the question, too.

    :param asked: The question's vector (dim,), as the model gave it.
    :param by: What embeds sentences.
    """
    sentences = [_sentences(hit.text) for hit in hits]
    flat = [hit.text[start:end] for hit, own in zip(hits, sentences, strict=True) for start, end in own]
    nearness = iter(_of_each(flat, asked, by) if flat else ())
    found = []
    for hit, own in zip(hits, sentences, strict=True):
        near = [float(next(nearness)) for _ in own]
        score = max(near)
        start, end = own[near.index(score)]
        told = replace(
            hit.explain(),
            sentence=hit.text[start:end],
            sentence_span=(start + hit.start, end + hit.start),
            sentence_score=score,
            reranked=None,
        )
        found.append(replace(hit, explanation=told))
    return found


def _of_each(sentences: Sequence[str], asked: FloatArray, by: Embedder) -> Sequence[float] | FloatArray:
    """Return how near each sentence is to a question (dim,); where each window has a vector, its nearest one."""
    if by.window.name != "windows":
        return _nearness(by.embed_documents(sentences), asked, by.distance)
    return [float(_nearness(one.vectors, asked, by.distance).max()) for one in by.encode_windows(sentences).vectors]


def _nearness(sentences: FloatArray, asked: FloatArray, distance: str) -> FloatArray:
    """Return how near each sentence (n, dim) is to a question (dim,), as the model compares; larger is nearer."""
    if distance == "euclid":
        return np.asarray(-np.linalg.norm(sentences - asked, axis=1), np.float32)
    if distance == "cosine":
        sentences, asked = unit_rows(sentences), unit_rows(asked[None])[0]
    return np.asarray(sentences @ asked, np.float32)


def _of_lists(hit: Hit, ranked: RankedPoints) -> Explanation:
    key = next((point.id for point in ranked.points if str(point.id) == hit.id), hit.id)
    origin = ranked.origin(key)
    parts, weights = origin.parts(key), origin.weights
    total = sum(parts.values())
    # What was put behind the first hundred has no higher score than those; its parts are made smaller with it.
    scale = hit.score / total if total else 1.0
    lists = tuple(
        ListShare(
            name=name,
            rank=own.ranks.get(key),
            score=own.scores.get(key),
            standing=own.standing(key),
            weight=weights[name],
            share=parts[name] * scale,
        )
        for name, own in origin.lists.items()
    )
    gate = origin.fusion.gate if origin.fusion else None
    return Explanation(
        score=hit.score,
        lists=lists,
        confidence=ranked.confidence,
        coverage=None if gate is None else gate.coverage,
        holders=None if gate is None else gate.holders,
        dense_weight=None if gate is None else gate.dense_weight,
        feedback=origin.feedback,
    )


def _terms(hit: Hit, query: str, encoder: Bm25Encoder, idf: Mapping[str, float]) -> tuple[MatchedTerm, ...]:
    """Return the words of a question whose stems a passage holds, in the question's order."""
    stems = {term.text: stem for term in split(lowered_by(encoder.language, query))
             for stem in encoder.query_terms(term.text)}  # fmt: skip
    places: dict[str, list[CharSpan]] = {}
    for term in split(lowered_by(encoder.language, hit.text), singles=True):
        for stem in encoder.query_terms(term.text):
            places.setdefault(stem, []).append((term.start + hit.start, term.end + hit.start))
    for stem in encoder.query_terms(hit.context):
        places.setdefault(stem, [])
    return tuple(
        MatchedTerm(word=word, idf=idf.get(stem), spans=tuple(places[stem]))
        for word, stem in stems.items()
        if stem in places
    )


def _sentences(text: str) -> list[CharSpan]:
    spans = [found.span() for found in _SENTENCE.finditer(text)]
    return [span for span in spans if span[1] - span[0] >= LEAST_SENTENCE] or [(0, len(text))]
