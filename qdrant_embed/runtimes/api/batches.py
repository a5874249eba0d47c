"""Which texts go into one request, and vectors that are not paid for twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from qdrant_embed.native import make_lock
from qdrant_embed.types import FloatArray, content_hash

MOST_KEPT = 8192


def batches(places: Sequence[int], counts: Sequence[int], *, texts: int, tokens: int) -> Iterator[list[int]]:
    """Yield the places in order, in batches of at most so many texts and tokens; a longer text is alone.

    :param counts: Tokens of every text, by place.
    """
    batch: list[int] = []
    held = 0
    for place in places:
        if batch and (len(batch) >= texts or held + counts[place] > tokens):
            yield batch
            batch, held = [], 0
        batch.append(place)
        held += counts[place]
    if batch:
        yield batch


class Kept:
    """Vectors that came before the rest of their call failed.

    Whoever calls again with some of the texts, as an ingest does with the halves of a batch, gets these without asking
    and paying again. Each is given out once. For several threads.
    """

    def __init__(self) -> None:
        self._vectors: OrderedDict[tuple[str, int, str], FloatArray] = OrderedDict()
        self._lock = make_lock()

    def put(self, kind: str, text: str, vector: FloatArray) -> None:
        """Keep a vector; the oldest go when there are too many."""
        with self._lock:
            self._vectors[(kind, len(vector), content_hash(text))] = vector
            while len(self._vectors) > MOST_KEPT:
                self._vectors.popitem(last=False)

    def take(self, kind: str, text: str, dim: int) -> FloatArray | None:
        """Return and forget the vector of a text, None if there is none."""
        if not self._vectors:
            return None
        with self._lock:
            return self._vectors.pop((kind, dim, content_hash(text)), None)
