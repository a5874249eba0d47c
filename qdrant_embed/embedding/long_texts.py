"""The calls of an embedder that give a long text more than one average: a vector for each window, late chunking."""

from __future__ import annotations

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from qdrant_embed.compression.truncation import finish
from qdrant_embed.embedding.encode import TextEncoder
from qdrant_embed.embedding.late_chunking import LateChunking, LatePassage, extended, tokens_read
from qdrant_embed.embedding.results import Encoded, EncodedWindows, WindowVectors
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import TokenSpan, WindowStrategy
from qdrant_embed.models.presets import Preset
from qdrant_embed.types import FloatArray


class LongTexts(ABC):
    """The part of an `Embedder` for the window strategies `windows` and `late`."""

    dim: int

    @property
    @abstractmethod
    def preset(self) -> Preset:
        """Everything that changes the model's vectors."""

    @property
    @abstractmethod
    def window(self) -> WindowStrategy:
        """What happens to texts longer than the model."""

    @property
    @abstractmethod
    def native_tokens(self) -> int:
        """Tokens beyond which a text is read by stretching the model; 0 if it is not stretched."""

    @property
    @abstractmethod
    def _reader(self) -> TextEncoder:
        """What puts texts through the model."""

    @cached_property
    def _late(self) -> LateChunking:
        return self._reader.late(self.window.tokens)

    def _finished(self, pooled: FloatArray, preset: Preset | None = None) -> FloatArray:
        """Return vectors as they are stored: the last steps are the same for all that is pooled.

        :param preset: Of the side that was read, where questions have modules of their own.
        """
        preset = preset or self.preset
        return finish(pooled, dim=self.dim, normalize=preset.normalize, layer_norm=preset.layer_norm)

    def count_documents(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the counts of a report for texts that would be embedded, without running the model.

        :return: `tokens`, `truncated`, `windowed`, `extended`.
        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        """
        require_texts(texts)
        if self.window.name == "late":
            passages = [passage for text in texts for passage in self.late_passages(text, [(0, len(text))])]
            windowed, beyond = sum(len(one.parts) > 1 for one in passages), extended(passages, self.native_tokens)
            return {"tokens": tokens_read(passages), "truncated": 0, "windowed": windowed, "extended": beyond}
        read = self._reader.count(texts, self.preset.document_prompt, self.window)
        return {
            "tokens": read.tokens,
            "truncated": sum(cut.truncated for cut in read.cuts),
            "windowed": read.windowed,
            "extended": read.extended,
        }

    def encode_windows(self, texts: Sequence[str]) -> EncodedWindows:
        """Return a vector for each window of each text, and where the windows stand.

        :raises ConfigurationError: The window strategy is another than `windows`.
        """
        require_texts(texts)
        self._require("windows", "encode_windows")
        prompt = self.preset.document_prompt
        read = self._reader.read(texts, prompt, "document", self.window)
        vectors = read.by_text(self._finished(read.pooled))
        found = [
            WindowVectors(rows, self._reader.characters(text, cut, prompt))
            for text, cut, rows in zip(texts, read.cuts, vectors, strict=True)
        ]
        return EncodedWindows(found, read.tokens, read.windowed, read.extended)

    def embed_late(self, text: str, spans: Sequence[TokenSpan]) -> FloatArray:
        """Return the vectors (n, dim), float32, of the chunks of one document; see `encode_late`."""
        return self.encode_late(text, spans).vectors

    def encode_late(self, text: str, spans: Sequence[TokenSpan]) -> Encoded:
        """Return the vectors of the chunks of one document, each with the document around it in mind.

        :param spans: Characters `[start, end)` of each chunk, ordered by where they start; they may overlap, and leave
            parts of the text out.
        :raises ConfigurationError: The window strategy is another than `late`, or the spans are not such.
        """
        return self.encode_late_passages(self.late_passages(text, spans))

    def late_passages(self, text: str, spans: Sequence[TokenSpan]) -> list[LatePassage]:
        """Return the chunks of a document with what they are read in, for `encode_late_passages`; nothing is embedded.

        :param spans: Characters `[start, end)` of each chunk, ordered by where they start; they may overlap, and leave
            parts of the text out.
        :raises ConfigurationError: The window strategy is another than `late`, or the spans are not such.
        """
        self._require("late", "late_passages")
        _require_spans(text, spans)
        return self._late.plan(text, spans)

    def encode_late_passages(self, passages: Sequence[LatePassage]) -> Encoded:
        """Return the vectors of chunks, of any documents; a macro window that several share is read once."""
        self._require("late", "encode_late_passages")
        if not passages:
            return Encoded(np.zeros((0, self.dim), np.float32))
        pooled = self._reader.read_late(self._late, passages)
        return Encoded(
            self._finished(pooled),
            tokens_read(passages),
            windowed=sum(len(one.parts) > 1 for one in passages),
            extended=extended(passages, self.native_tokens),
        )

    def _require(self, strategy: str, method: str) -> None:
        if self.window.name != strategy:
            raise ConfigurationError(
                f"{method} is for the window strategy {strategy!r}, and this embedder has {str(self.window)!r}. Load "
                f"it with window={strategy!r}, or call encode_documents."
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


def _require_spans(text: str, spans: Sequence[TokenSpan]) -> None:
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
