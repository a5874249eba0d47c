"""The texts that all contenders embed, and how many tokens those have."""

import json
from functools import cache

from benchmarks.common import data

LIMIT = 256
"""Tokens that MiniLM reads of a text, special tokens included."""


@cache
def corpora(size: int) -> dict[str, list[str]]:
    """Return corpus → its texts.

    :param size: How many of each, 0 for all; taken evenly from the whole.
    """
    every = {"cranfield": cranfield("corpus.jsonl"), "queries": cranfield("queries.jsonl"), "docs": doc_chunks()}
    return {name: thinned(texts, size) for name, texts in every.items()}


def thinned(texts: list[str], size: int) -> list[str]:
    """Return every n-th text, so that `size` of them are left."""
    return texts[:: max(1, len(texts) // size)][:size] if size else texts


def cranfield(file: str) -> list[str]:
    """Return the texts of a Cranfield file, each with its title."""
    return [joined(item) for item in map(json.loads, (data("cranfield") / file).read_text().splitlines())]


def joined(item: dict) -> str:
    """Return title and text as one."""
    return ". ".join(part for part in (item.get("title", ""), item["text"]) if part)


def doc_chunks() -> list[str]:
    """Return the pages of `docs/` as our own chunker cuts them, for a model of 256 tokens."""
    from qdrant_embed import Document, Recipe, load_recipe
    from qdrant_embed.chunking import chunk_document

    _, chunker = load_recipe(Recipe(model="minilm"), "torch")
    pages = sorted((data("docs") / "fastapi").rglob("*.md"))
    documents = (Document(text=page.read_text(), source=page.name) for page in pages)
    return [chunk.embed_text for document in documents for chunk in chunk_document(document, chunker)]


def token_lengths(texts: list[str], limit: int = LIMIT) -> list[int]:
    """Return the tokens that a model with this limit reads of each text, special tokens included."""
    from benchmarks.embedding.contenders import MODEL
    from qdrant_embed.models.resolve import resolve

    tokenizer = resolve(MODEL).files.tokenizer()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [min(limit, len(encoding.ids)) for encoding in tokenizer.encode_batch(texts)]
