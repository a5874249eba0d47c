"""The `code` chunker: along the syntax tree where a grammar is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from semantic_text_splitter import CodeSplitter

from qdrant_embed.chunking.base import Chunker, ChunkLimit
from qdrant_embed.chunking.fitting import Fitter
from qdrant_embed.chunking.plain import RecursiveChunker, pieces_between
from qdrant_embed.chunking.ruler import Ruler
from qdrant_embed.tokens import HuggingFaceTokens, TokenCounter, encodable
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
        self._media_type = media_type
        self._fitter = Fitter(counter, limit)

    def for_media_type(self, media_type: str) -> Chunker:
        """Return the chunker for a language."""
        return CodeChunker(self._fitter.counter, self._fitter.limit, media_type=media_type)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        counter = self._fitter.counter
        language = _grammar(self._media_type)
        if language is None:
            return RecursiveChunker(counter, self._fitter.limit).spans(text)
        starts = [offset for offset, _ in self._splitter(language).chunk_indices(encodable(text))]
        return self._fitter.fit(Ruler(text, counter), pieces_between(text, [0, *starts[1:]]))

    def _splitter(self, language: Any) -> CodeSplitter:
        counter, room = self._fitter.counter, self._fitter.room
        if isinstance(counter, HuggingFaceTokens):
            return CodeSplitter.from_huggingface_tokenizer(language, counter.tokenizer, room)
        return CodeSplitter.from_callback(language, counter.count, room)


@lru_cache(maxsize=16)
def _grammar(media_type: str) -> Any | None:
    module, _, function = GRAMMARS.get(media_type, "").partition(":")
    if not module:
        return None
    try:
        return getattr(import_module(module), function)()
    except ImportError:
        return None
