"""Making a collection that lost its metadata, or never had any, one of this library's: where its points allow it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdrant_embed.attachment.attached_embedder import AttachedEmbedder
from qdrant_embed.attachment.attached_parts import AttachedParts
from qdrant_embed.attachment.model_proof import Way
from qdrant_embed.display import counted
from qdrant_embed.embedding.recipe_models import RecipeModels
from qdrant_embed.recipe import fingerprint
from qdrant_embed.store.filters.field_indexes import complete
from qdrant_embed.store.metadata import LAYOUT_VERSION, METADATA_KEY
from qdrant_embed.store.points import id_of_payload, is_chunk
from qdrant_embed.store.scroll import pages
from qdrant_embed.types import DENSE

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

PAGE = 1024


@dataclass(frozen=True, slots=True)
class Adoption:
    """What came of an attempt to make a collection one of this library's.

    :param name: The collection.
    :param adopted: Whether its metadata were written: `Collection.open` opens it from now on, and ingests compare.
    :param reasons: Why they were not.
    :param points: Points that it has.
    """

    name: str
    adopted: bool
    reasons: tuple[str, ...]
    points: int

    def __str__(self) -> str:
        if self.adopted:
            return (
                f"{self.name!r} is adopted: Collection.open({self.name!r}, at=…) opens it, and ingests compare with it."
            )
        lines = "\n".join(f"  {reason}" for reason in self.reasons)
        return (
            f"{self.name!r} stays as it is, and nothing was written:\n{lines}\nA migration would copy "
            f"{counted(self.points, 'point')} with their vectors into a collection of this library's layout, give each "
            "its place in its document, and let the name lead there; nothing would be embedded again."
        )


def adopt(parts: AttachedParts, name: str) -> Adoption:
    """Write this library's metadata where every point is a chunk as it would have written it; else say what is missing.

    :raises ConfigurationError: The collection was attached to be read, or without a model.
    """
    parts.attached.require_writable()
    engine, recipe = parts.attached.whole, parts.recipe
    models = RecipeModels.of(recipe)
    made_by = fingerprint(recipe, models.identity)
    points = engine.count(name, exact=True).count
    reasons = tuple(_reasons(parts, name, engine, made_by))
    if reasons:
        return Adoption(name, adopted=False, reasons=reasons, points=points)
    noted = {
        "layout": LAYOUT_VERSION, "recipe": recipe.as_dict(), **models.metadata, "fingerprint": made_by, "roots": {},
    }  # fmt: skip
    engine.update_collection(name, metadata={METADATA_KEY: noted})
    complete(engine, name)
    return Adoption(name, adopted=True, reasons=(), points=points)


def _reasons(parts: AttachedParts, name: str, engine: Engine, made_by: str) -> Iterator[str]:
    """Yield what keeps an ingest from comparing documents with what is stored."""
    layout, model = parts.layout, parts.embedder
    if layout.vector != DENSE:
        yield f"the dense vector is called {layout.vector!r}, an ingest writes {DENSE!r}"
    proof = model.proof if isinstance(model, AttachedEmbedder) else None
    if proof is not None and (proof.way != Way("document") or proof.with_metadata):
        yield f"its texts were embedded otherwise than an ingest embeds them ({proof})"
    strange = others = 0
    for page in pages(engine, name, PAGE, fields=True):
        for record in page:
            fields = record.payload or {}
            if not is_chunk(fields):
                strange += 1
            elif id_of_payload(fields, made_by) != str(record.id):
                others += 1
    if strange:
        yield f"{counted(strange, 'point')} without what an ingest compares: source, place in the document, hash"
    if others:
        yield f"{counted(others, 'point')} that another recipe made: give the recipe that it was made by"
