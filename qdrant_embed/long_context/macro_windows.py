"""Macro windows for late chunking: which tokens of a document are read together, so that each chunk has its context.

Günther et al. 2024 (arXiv 2409.04701, section 3.2) read a long document in macro windows of fixed places, drop the
overlap of each but the first, and join the states. There, a chunk may lie across two windows, its context is one-sided
after every border, and a word added near the top moves all borders behind it. Here windows go by chunks:

* Chunks that stand together are joined into *cores*, as `chunking.merging` joins pieces into chunks: borders between
  chunks are removed in the order of a hash of the tokens around them as long as the core fits. An edit moves the
  borders near it, and leaves the windows further away as they were.
* A window is a core with one part in `MARGIN` of the room on each side. A chunk is pooled in one window only, in its
  middle: near a window's border a token's state lacks half of the context that the document has.
* A chunk longer than a core is read in several windows, and each token's state taken from the one that has it in its
  core.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from qdrant_embed.chunking.merging import joined
from qdrant_embed.types import IntArray, TokenSpan

MARGIN = 8
"""One in so many of a window's tokens is context on each side of its core."""
_NEARBY = 8
"""Tokens on each side of a border that its hash looks at."""


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens `[start, end)` of a document, whose states are taken from one macro window.

    :param chunk: Index of the chunk that they belong to.
    :param window: Tokens of the document that are read together.
    """

    chunk: int
    start: int
    end: int
    window: TokenSpan


def plan_macro_windows(ids: Sequence[int], chunks: Sequence[TokenSpan], room: int) -> list[Part]:
    """Return the parts of all chunks, in order of windows.

    :param ids: The document's tokens.
    :param chunks: Token spans, none empty, ordered by where they start; they may overlap.
    :param room: Tokens of a document that a window has room for.
    """
    if len(ids) <= room:
        return [Part(number, start, end, (0, len(ids))) for number, (start, end) in enumerate(chunks)]
    margin = room // MARGIN
    core = max(1, room - 2 * margin)
    pieces = [piece for number, chunk in enumerate(chunks) for piece in _pieces(number, chunk, core)]
    # The second part of a long chunk may begin behind the chunk that overlaps it; a core begins at its first piece.
    pieces.sort(key=lambda piece: piece[1:])
    parts = []
    for first, last in _cores(np.asarray(ids, np.int64), [(start, end) for _, start, end in pieces], core):
        together = pieces[first : last + 1]
        start, end = together[0][1], max(end for _, _, end in together)
        window = (max(0, start - margin), min(len(ids), end + margin))
        parts += [Part(*piece, window) for piece in together]
    return parts


def _pieces(number: int, chunk: TokenSpan, core: int) -> Iterator[tuple[int, int, int]]:
    """Yield a chunk, or its parts of equal length where it is longer than a core."""
    start, end = chunk
    count = -(-(end - start) // core)
    for first, last in pairwise(start + (end - start) * step // count for step in range(count + 1)):
        yield number, first, last


def _cores(ids: IntArray, pieces: Sequence[TokenSpan], core: int) -> list[TokenSpan]:
    """Return the first and the last piece of each core."""

    def fits(first: int, _here: int, last: int) -> bool:
        # Overlapping chunks need not end in the order in which they begin.
        return max(end for _, end in pieces[first : last + 1]) - pieces[first][0] <= core

    borders = sorted(range(1, len(pieces)), key=lambda place: (_border_hash(ids, pieces[place][0]), place))
    return joined(len(pieces), borders, fits)


def _border_hash(ids: IntArray, place: int) -> int:
    return zlib.crc32(ids[max(0, place - _NEARBY) : place + _NEARBY].tobytes())
