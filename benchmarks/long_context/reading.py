"""A task's documents as vectors, by every embedder that a strategy asks for; each reads them once."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.long_context.scoring import Bags
from qdrant_embed import load_embedder
from qdrant_embed.embedding import Embedder

WHOLE_TABLE = Path(__file__).parent / "whole-table.toml"


@cache
def embedder(window: str, tokens: int = 256, model: str = "minilm") -> Embedder:
    """Return the model with a window strategy.

    :param tokens: What its preset says it reads: MiniLM's files say 256, its positions go to 512.
    """
    return load_embedder(model, window=window, presets=WHOLE_TABLE if tokens == 512 else None)


class Documents:
    """Texts, and their vectors as they are asked for.

    :param model: A preset or a folder.
    :param size: Tokens of the windows that are taken as chunks where chunks are needed.
    """

    def __init__(self, texts: Sequence[str], model: str = "minilm", *, size: int = 128) -> None:
        self._texts, self._model, self._size = list(texts), model, size
        self._kept: dict[tuple[str, int], tuple[Bags, list]] = {}

    def bags(self, window: str, tokens: int = 256) -> Bags:
        """Return the vectors of each document under a window strategy, one or several."""
        return self._read(window, tokens)[0]

    def chunks(self) -> list[list[str]]:
        """Return the texts of each document's chunks."""
        spans = self._chunk_spans()
        return [[text[slice(*span)] for span in own] for text, own in zip(self._texts, spans, strict=True)]

    def _read(self, window: str, tokens: int) -> tuple[Bags, list]:
        if (window, tokens) not in self._kept:
            self._kept[window, tokens] = self._embed(embedder(window, tokens, self._model))
        return self._kept[window, tokens]

    def _embed(self, model: Embedder) -> tuple[Bags, list]:
        name = model.window.name
        if name == "windows":
            found = model.encode_windows(self._texts).vectors
            return [text.vectors for text in found], [text.spans for text in found]
        if name == "late":
            spans = self._chunk_spans()
            passages = [model.late_passages(text, own) for text, own in zip(self._texts, spans, strict=True)]
            vectors = model.encode_late_passages([passage for own in passages for passage in own]).vectors
            return np.split(vectors, np.cumsum([len(own) for own in passages])[:-1]), spans
        return [row[None] for row in model.embed_documents(self._texts)], []

    def _chunk_spans(self) -> list:
        return self._read(f"windows:{self._size}", 256)[1]

    def shifted(self, size: int) -> Bags:
        """Return the windows of some tokens, and those that begin half a window later: each half overlaps the next."""
        bags, spans = self._read(f"windows:{size}", 256)
        long = [place for place, own in enumerate(spans) if len(own) > 1]
        later = [self._texts[place][_middle(self._texts[place], spans[place][0]) :] for place in long]
        between = embedder(f"windows:{size}", 256, self._model).encode_windows(later).vectors if later else []
        more = dict(zip(long, between, strict=True))
        return [np.concatenate([bag, more[place].vectors]) if place in more else bag for place, bag in enumerate(bags)]


def _middle(text: str, span: tuple[int, int]) -> int:
    """Return the first white space after the middle of a span."""
    middle = (span[0] + span[1]) // 2
    space = text.find(" ", middle)
    return space if space >= 0 else middle
