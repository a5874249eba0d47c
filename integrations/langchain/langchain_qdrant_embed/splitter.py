"""The splitter: LangChain's calls, answered by the chunkers of `qdrant_embed`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain_core.documents import BaseDocumentTransformer, Document

from qdrant_embed import Chunk, Recipe, load_recipe
from qdrant_embed import Document as Text
from qdrant_embed.chunking import chunk_document


class QdrantEmbedTextSplitter(BaseDocumentTransformer):
    """Cut documents into chunks that fit a model, counted with its own tokenizer.

    Metadata of a chunk are its document's, `start_index` (with which `text[start_index:]` begins with the chunk), and
    `headings`, where it stands under any. It has the methods of LangChain's `TextSplitter`.

    :param model: Whose tokens are counted, and whose limit holds.
    :param chunker: `auto`, `markdown`, `recursive`, `sentences`, `tokens`, `code`, or another package's.
    :param chunk_tokens: The most tokens of a chunk; None for as many as the model reads, or its preset says.
    :param overlap: Tokens that a chunk shares with the one before it.
    :param media_type: What texts are, for `auto`; a document's own `media_type` in its metadata goes before.
    :raises UnknownNameError: There is no such model or chunker; near names are listed.
    """

    def __init__(
        self,
        model: str = "minilm",
        *,
        chunker: str = "auto",
        chunk_tokens: int | None = None,
        overlap: int = 0,
        media_type: str = "text/plain",
    ) -> None:
        self.recipe = Recipe(model=model, chunker=chunker, chunk_tokens=chunk_tokens, overlap=overlap)
        _, self._chunker = load_recipe(self.recipe)
        self._media_type = media_type

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self.recipe.model!r}, chunker={self.recipe.chunker!r})"

    def split_text(self, text: str) -> list[str]:
        """Return the chunks of a text."""
        return [chunk.text for chunk in self._chunks(text, self._media_type)]

    def create_documents(
        self, texts: Sequence[str], metadatas: Sequence[dict[str, Any]] | None = None
    ) -> list[Document]:
        """Return the chunks of texts as documents."""
        whose = metadatas if metadatas is not None else [{} for _ in texts]
        pairs = zip(texts, whose, strict=True)
        return self.split_documents([Document(page_content=text, metadata=own) for text, own in pairs])

    def split_documents(self, documents: Iterable[Document]) -> list[Document]:
        """Return the chunks of documents, in order."""
        return list(self._split(documents))

    def transform_documents(self, documents: Sequence[Document], **kwargs: Any) -> list[Document]:
        """See `split_documents`."""
        return self.split_documents(documents)

    def _split(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            kind = document.metadata.get("media_type", self._media_type)
            for chunk in self._chunks(document.page_content, str(kind)):
                headings = {"headings": list(chunk.headings)} if chunk.headings else {}
                metadata = {**copy.deepcopy(document.metadata), **headings, "start_index": chunk.start}
                yield Document(page_content=chunk.text, metadata=metadata)

    def _chunks(self, text: str, media_type: str) -> Iterator[Chunk]:
        return chunk_document(Text(text=text, source="", media_type=media_type), self._chunker)
