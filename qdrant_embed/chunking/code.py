"""The `code` chunker: along the syntax tree where a grammar is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from semantic_text_splitter import CodeSplitter

from qdrant_embed.chunking.base import Chunker, ChunkLimit
from qdrant_embed.chunking.fitting import Fitter
from qdrant_embed.chunking.plain import RecursiveChunker
from qdrant_embed.chunking.ruler import Ruler
from qdrant_embed.tokens import HuggingFaceTokens, TokenCounter
from qdrant_embed.types import Span

GRAMMARS: Mapping[str, str] = {
    "text/x-python": "tree_sitter_python:language",
    "text/javascript": "tree_sitter_javascript:language",
    "text/x-typescript": "tree_sitter_typescript:language_typescript",
    "text/x-go": "tree_sitter_go:language",
    "text/x-java": "tree_sitter_java:language",
    "text/x-rust": "tree_sitter_rust:language",
}
"""Media type → the function that gives its grammar; the packages come with the extra `code`."""


class CodeChunker:
    """Cuts source code between functions, classes and statements.

    *Does*: for languages with an installed grammar, cuts at nodes of the syntax tree; for others, at blank lines and
    lines like `recursive`. *Needs*: the extra `code` for the grammars. *Relation*: `auto` chooses it by media type.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit, *, media_type: str = "") -> None:
        self._counter = counter
        self._limit = limit
        self._media_type = media_type
        self._fitter = Fitter(counter, limit)

    def for_media_type(self, media_type: str) -> Chunker:
        """Return the chunker for a language."""
        return CodeChunker(self._counter, self._limit, media_type=media_type)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        language = _grammar(self._media_type)
        if language is None:
            return RecursiveChunker(self._counter, self._limit).spans(text)
        offsets = [offset for offset, _ in self._splitter(language).chunk_indices(text)] or [0]
        bounds = [0, *offsets[1:], len(text)]
        spans = (Span(start, end) for start, end in zip(bounds, bounds[1:], strict=False))
        return self._fitter.fit(Ruler(text, self._counter), spans)

    def _splitter(self, language: Any) -> CodeSplitter:
        room = self._limit.tokens - self._limit.overlap
        if isinstance(self._counter, HuggingFaceTokens):
            return CodeSplitter.from_huggingface_tokenizer(language, self._counter.tokenizer, room)
        return CodeSplitter.from_callback(language, self._counter.count, room)


@lru_cache(maxsize=16)
def _grammar(media_type: str) -> Any | None:
    module, _, function = GRAMMARS.get(media_type, "").partition(":")
    if not module:
        return None
    try:
        return getattr(import_module(module), function)()
    except ImportError:
        return None
