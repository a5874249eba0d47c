"""What store and retriever share: hits as LangChain documents, and why neither is pickled."""

from __future__ import annotations

import pickle
from typing import Any

from langchain_core.documents import Document

from qdrant_embed import Collection, Hit


def of_store(hit: Hit) -> Document:
    """Return a text that a vector store was given, with the id and the metadata it was given."""
    return Document(id=hit.source, page_content=hit.text, metadata=dict(hit.metadata))


def of_passage(hit: Hit, confidence: float | None = None) -> Document:
    """Return a passage with its metadata, and where it stands: `source`, `start_index`, `page`, `headings` and so on.

    A field of the document's own goes before what would have its name, but for `source`.
    """
    place: dict[str, Any] = {
        "title": hit.title, "root": hit.root, "headings": list(hit.headings), "page": hit.page,
        "start_index": hit.start, "end_index": hit.end, "chunk_index": hit.chunk_index, "document_id": hit.document_id,
        "score": hit.score, "confidence": None if confidence is None else round(confidence, 4),
    }  # fmt: skip
    stated = {name: value for name, value in place.items() if value not in (None, "", [])}
    return Document(id=hit.id, page_content=hit.passage, metadata={**stated, **hit.metadata, "source": hit.source})


def stays_here(what: object, collection: Collection, opening: str) -> pickle.PicklingError:
    """Return the error that what holds an open collection cannot be pickled.

    :param opening: What to type where it is wanted, with the `name` of the collection.
    """
    kind = type(what).__name__
    call = f"{kind}{'' if opening.startswith('(') else '.'}{opening.format(name=collection.name)}"
    return pickle.PicklingError(
        f"a {kind} holds an open collection, which stays in its process. Type where it is wanted: {call}. A folder is "
        "shared among processes of one user."
    )
