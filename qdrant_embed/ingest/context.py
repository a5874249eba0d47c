"""Where an ingest writes to: everything the stages share, and the questions they ask the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from qdrant_client import models

from qdrant_embed.chunking import Chunker
from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.embedding.recipe_models import AuxiliaryModels
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.copies.copy_lease import WriteGuard
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import answerable
from qdrant_embed.store.scroll import pages

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import PointId

SCROLL_PAGE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestContext:
    """A collection as the ingest stages see it.

    :param fingerprint: Fingerprint of the recipe; part of every point id.
    :param write_guard: Says no where the collection is being copied, or a copy has taken its name.
    :param auxiliary: Models whose vectors stand beside the dense one.
    :param payload_profile: Whose store shall find chunks where it looks; see `payload_profiles`.
    :param bm25_vectors: Whether BM25's terms are sparse vectors, and not in a text index.
    """

    engine: Engine
    name: str
    embedder: Embedder
    chunker: Chunker
    bm25: Bm25Encoder
    fingerprint: str
    codec: CollectionCodec
    write_guard: WriteGuard
    auxiliary: AuxiliaryModels = field(default_factory=dict)
    bm25_vectors: bool = False
    payload_profile: str = ""

    def scroll(
        self, where: models.Filter, fields: Sequence[str], *, vectors: Sequence[str] = ()
    ) -> Iterator[models.Record]:
        """Yield every point that matches, page by page, with some of its payload fields and vectors."""
        page = self.codec.page if vectors else SCROLL_PAGE
        found = pages(self.engine, self.name, page, where=where, fields=fields or False, vectors=vectors)
        return chain.from_iterable(found)

    def delete_ids(self, ids: Iterable[PointId]) -> int:
        """Delete points by id and return how many."""
        listed = list(ids)
        self.write_guard.require()
        for start in range(0, len(listed), SCROLL_PAGE):
            self.engine.delete(
                self.name, points_selector=models.PointIdsList(points=list(listed[start : start + SCROLL_PAGE]))
            )
        return len(listed)


def matching(**fields: str | int | Iterable[str]) -> models.Filter:
    """Return the filter that every field has its value, or one of its values where these are several."""

    def condition(name: str, wanted: str | int | Iterable[str]) -> models.FieldCondition:
        if isinstance(wanted, str | int):
            return models.FieldCondition(key=name, match=models.MatchValue(value=wanted))
        return models.FieldCondition(key=name, match=models.MatchAny(any=list(wanted)))

    return models.Filter(must=[condition(name, wanted) for name, wanted in fields.items()])


def below(engine: Engine, name: str, root: str, within: str) -> models.Filter | None:
    """Return the filter for the points of a root whose sources begin with a prefix."""
    of_root = models.FieldCondition(key="root", match=models.MatchValue(value=root))
    begun = models.FieldCondition(key="source", match=models.MatchPrefix(prefix=within))
    return answerable(engine, name, models.Filter(must=[of_root, begun] if within else [of_root]))
