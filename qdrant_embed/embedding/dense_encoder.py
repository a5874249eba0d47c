"""Texts to dense vectors as a window strategy says: one for a text, one for each window, or by late chunking."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from qdrant_embed.compression.truncation import finish
from qdrant_embed.embedding.encode import TextEncoder
from qdrant_embed.embedding.late_chunking import LateChunking, LatePassage, late_counts
from qdrant_embed.embedding.results import Encoded, WindowVectors
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.types import CharSpan, FloatArray


class DenseEncoder:
    """Turns texts into the vectors that are stored.

    :param encoder: What puts texts through the model.
    :param strategy: What happens to texts longer than the model.
    """

    def __init__(self, encoder: TextEncoder, strategy: WindowStrategy) -> None:
        self._encoder, self._strategy = encoder, strategy
        self._prompt = encoder.preset.document_prompt

    def documents(self, texts: Sequence[str]) -> Encoded[FloatArray]:
        """See `Embedder.encode_documents`."""
        if self._strategy.name == "windows":
            raise ConfigurationError(
                "under the window strategy 'windows' a text has a vector for each window: call encode_windows(texts). "
                "Where one vector a text is needed, choose 'pcw', 'late' or 'truncate'."
            )
        if self._strategy.name == "late":
            return self.passages(self._whole(texts))
        return self.texts(texts, self._prompt, "document")

    def texts(self, texts: Sequence[str], prompt: str, kind: str) -> Encoded[FloatArray]:
        """Return one vector for each text.

        :param kind: `document` or `query`.
        """
        require_texts(texts)
        read = self._encoder.read(texts, prompt, kind, self._strategy)
        cuts = zip(read.cuts, read.by_text(read.pooled), strict=True)
        rows = [self._strategy.combine(rows, cut.windows) for cut, rows in cuts]
        return Encoded(self._finished(np.stack(rows) if rows else read.pooled), **read.counts)

    def count(self, texts: Sequence[str]) -> dict[str, int]:
        """See `Embedder.count_documents`."""
        if self._strategy.name == "late":
            return late_counts(self._whole(texts), self._encoder.native_tokens)
        require_texts(texts)
        return self._encoder.count(texts, self._prompt, self._strategy).counts

    def windows(self, texts: Sequence[str]) -> Encoded[Sequence[WindowVectors]]:
        """See `Embedder.encode_windows`."""
        require_texts(texts)
        self._require("windows", "encode_windows")
        read = self._encoder.read(texts, self._prompt, "document", self._strategy)
        vectors = read.by_text(self._finished(read.pooled))
        found = [
            WindowVectors(rows, self._encoder.characters(text, cut, self._prompt))
            for text, cut, rows in zip(texts, read.cuts, vectors, strict=True)
        ]
        return Encoded(found, **read.counts)

    def plan(self, text: str, spans: Sequence[CharSpan]) -> list[LatePassage]:
        """See `Embedder.late_passages`."""
        self._require("late", "late_passages")
        _require_spans(text, spans)
        return self._late.plan(text, spans)

    def passages(self, passages: Sequence[LatePassage]) -> Encoded[FloatArray]:
        """See `Embedder.encode_late_passages`."""
        self._require("late", "encode_late_passages")
        if not passages:
            return Encoded(np.zeros((0, self._encoder.dim), np.float32))
        pooled = self._encoder.read_late(self._late, passages)
        return Encoded(self._finished(pooled), **late_counts(passages, self._encoder.native_tokens))

    def _whole(self, texts: Sequence[str]) -> list[LatePassage]:
        """Return each text as a document of one chunk."""
        require_texts(texts)
        return [passage for text in texts for passage in self.plan(text, [(0, len(text))])]

    @cached_property
    def _late(self) -> LateChunking:
        return self._encoder.late(self._strategy.tokens)

    def _finished(self, pooled: FloatArray) -> FloatArray:
        """Return vectors as they are stored: the last steps are the same for all that is pooled."""
        preset = self._encoder.preset
        return finish(pooled, dim=self._encoder.dim, normalize=preset.normalize, layer_norm=preset.layer_norm)

    def _require(self, strategy: str, method: str) -> None:
        if self._strategy.name != strategy:
            raise ConfigurationError(
                f"{method} is for the window strategy {strategy!r}, and this embedder has {str(self._strategy)!r}. "
                f"Load it with window={strategy!r}, or call encode_documents."
            )


def require_texts(texts: Sequence[str]) -> None:
    """Refuse what is no list of texts: a single one would be read letter by letter.

    :raises ConfigurationError: It is none, or one of its items is no text; which one is said.
    """
    if isinstance(texts, (str, bytes)):
        raise ConfigurationError("give a list of texts, not a single one: embed_documents(['…']).")
    if isinstance(texts, Mapping) or not (hasattr(texts, "__len__") and hasattr(texts, "__getitem__")):
        raise ConfigurationError(f"give a list of texts, not {_shown(texts)}: embed_documents(['…']).")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise ConfigurationError(f"texts[{place}] is {_shown(text)}; every text must be a str.")


def _shown(value: object) -> str:
    return f"{reprlib.repr(value)} of type {type(value).__name__}"


def _require_spans(text: str, spans: Sequence[CharSpan]) -> None:
    if not isinstance(text, str):
        raise ConfigurationError(f"the text is {_shown(text)}; give a str.")
    before = 0
    for place, (start, end) in enumerate(spans):
        if not 0 <= start <= end <= len(text):
            raise ConfigurationError(
                f"spans[{place}] is ({start}, {end}), which is no part of a text of {len(text)} characters; give "
                "(start, end) with 0 <= start <= end <= len(text)."
            )
        if start < before:
            raise ConfigurationError(
                f"spans[{place}] starts at {start}, before spans[{place - 1}], which starts at {before}; give "
                "sorted(spans), and expect the vectors in that order."
            )
        before = start
