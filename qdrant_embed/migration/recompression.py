"""Changing the compression of a collection that exists: codes in place, anything else by a copy behind an alias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.collection_parts import CollectionParts, create_collection, load_codec
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.compression.transitions import is_held, learned_code, require_kept, require_refit
from qdrant_embed.compression.truncation import finish
from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.recipe_models import RecipeModels
from qdrant_embed.errors import StoreError
from qdrant_embed.migration.catch_up import CollectionCopy
from qdrant_embed.recipe import Recipe, fingerprint, of_points
from qdrant_embed.stock_client.payload_profiles import renamed
from qdrant_embed.store import quantization
from qdrant_embed.store.collection_codec import FIT_VECTORS, CollectionCodec, kept_digest
from qdrant_embed.store.copies import aliases, copy_lease
from qdrant_embed.store.copies.copy_lease import CopyLease
from qdrant_embed.store.copies.generations import resolve_alias
from qdrant_embed.store.copies.kept_settings import Settings
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.metadata import carry_failures, merge_metadata, read_metadata, read_roots
from qdrant_embed.store.own_points import own_points
from qdrant_embed.store.points import id_in_copy
from qdrant_embed.store.scroll import dense_of, pages
from qdrant_embed.store.stored_vectors import vector_pages
from qdrant_embed.types import BM25, DENSE, DENSE_SMALL, MULTIVECTOR, TOKENS, FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import PointId

PAGE_OF_TOKENS = 64
"""Points of a page with a vector for each token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecompressResult:
    """What a change of compression did.

    :param in_place: Whether the points stayed as they were.
    :param collection: The collection that holds the points now; the old name leads to it.
    """

    recipe: Recipe
    in_place: bool
    collection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a collection shall be changed to.

    :param trained: The transform of a learned code.
    :param refit: Learn again from the vectors that there are now, even if no more than that changes.
    """

    compression: str
    trained: Transform | None = None
    refit: bool = False


def recompress(engine: Engine, name: str, parts: CollectionParts, recipe: Recipe, change: Change) -> RecompressResult:
    """Change a collection's compression without reading or embedding a document again.

    :raises ConfigurationError: It would need numbers that were not kept; the documents must be ingested again.
    :raises StoreError: The collection is being copied already, or was changed since it was opened.
    """
    old, new = Compression.parse(recipe.compression), Compression.parse(change.compression)
    wanted = replace(recipe, compression=str(new))
    if change.refit:
        require_refit(new, change.trained)
    own = resolve_alias(engine, name)
    with copy_lease.lease_of(engine, own) as mark:
        _require_current(engine, name, parts, recipe)
        quantization.require_engine(engine, new)
        code = learned_code(new, parts.codec.vector_codec, change.trained)
        if new.points == old.points and not change.refit and is_held(parts.codec.vector_codec, code):
            _switch_codes(engine, own, parts, new)
            merge_metadata(engine, own, {"recipe": wanted.as_dict()})
            return RecompressResult(recipe=wanted, in_place=True, collection=name)
        require_kept(old, new)
        return _replace(engine, name, parts, wanted, code, mark)


def _replace(
    engine: Engine, name: str, parts: CollectionParts, wanted: Recipe, code: Transform | None, mark: CopyLease
) -> RecompressResult:
    """Let a copy take the collection's place."""
    aliases.remove_unfinished_copies(engine, name)
    copy = _copy(engine, name, parts, wanted, code, mark)
    carry_failures(engine, name, copy)
    mark.require()
    # Whatever is cut off from here on, the copy will stand for the collection, which nobody may write to any more.
    mark.stay()
    aliases.switch_aliases(engine, name, copy)
    return RecompressResult(recipe=wanted, in_place=False, collection=copy)


def _require_current(engine: Engine, name: str, parts: CollectionParts, recipe: Recipe) -> None:
    """Refuse to work with what was true of a collection before another one changed it.

    :raises StoreError: Its recipe, or what was learned from its vectors, is another by now.
    """
    stored = read_metadata(engine, name)
    transform = parts.codec.vector_codec.transform
    same = kept_digest(engine, name) in (None, transform and transform.digest)
    if not same or of_points(stored["recipe"]) != of_points(recipe.as_dict()):
        raise StoreError(
            f"collection {name!r} was changed to {stored['recipe']['compression']!r} after it was opened here. Open it "
            "again, and see whether there is anything left to change."
        )


def _switch_codes(engine: Engine, name: str, parts: CollectionParts, new: Compression) -> None:
    from qdrant_client import models

    vector = DENSE_SMALL if new.full else DENSE
    quantization.require_enough_dimensions(parts.codec.vector_codec.width, new)
    codes: Any = quantization.quantization(new) or models.Disabled.DISABLED
    diff = models.VectorParamsDiff(quantization_config=codes, on_disk=bool(new.code))
    engine.update_collection(
        collection_name=name,
        vectors_config={vector: diff},
        optimizers_config=quantization.optimizers(new),
    )
    engine.finish_bulk_load(name)


def _copy(
    engine: Engine, name: str, parts: CollectionParts, recipe: Recipe, code: Transform | None, mark: CopyLease
) -> str:
    """Write every point again under another name; return that name."""
    embedders = RecipeModels.of(recipe)
    model, print_ = embedders.dense, fingerprint(recipe, embedders.identity)
    target = aliases.copy_name(engine, name)
    stored = read_metadata(engine, name)
    noted = {"roots": read_roots(engine, name), **aliases.copy_metadata(engine, name, target)}
    settings = Settings.of(engine, name, RecipeModels(parts.embedder, parts.auxiliary).layout)
    vectors = [DENSE, *([BM25] if settings.bm25_vectors else []), *embedders.auxiliary]
    # As lists of Python's floats, vectors of tokens take a megabyte a point.
    page = min(parts.codec.page, PAGE_OF_TOKENS) if {MULTIVECTOR, TOKENS} & {*vectors} else parts.codec.page
    create_collection(engine, target, recipe, noted=noted, settings=settings)
    codec = load_codec(engine, target, model)
    if code is not None:
        codec.keep(codec.vector_codec.with_transform(code))
    elif not codec.vector_codec.ready:
        first = vector_pages(own_points(engine), name, parts.codec, most=FIT_VECTORS)
        sample = [np.zeros((0, parts.embedder.dim), np.float32), *(parts.codec.raw(rows) for _, rows, _ in first)]
        codec.fit(finish(np.concatenate(sample), dim=model.dim, normalize=model.preset.normalize))

    def made(records: Sequence[models.Record]) -> list[models.PointStruct]:
        keys = [id_in_copy(record, stored["fingerprint"], print_) for record in records]
        dense = _coded(records, parts, codec, model)
        return [_point(record, key, dense.get(record.id, {})) for record, key in zip(records, keys, strict=True)]

    for records in pages(engine, name, page, fields=True, vectors=vectors):
        engine.upsert(target, made(records), wait=True)
        mark.require()
    engine.finish_bulk_load(target)
    CollectionCopy(
        engine=engine,
        source=name,
        copy=target,
        old=stored["fingerprint"],
        new=print_,
        vectors=vectors,
        page=page,
        make=made,
        alive=mark.require,
    ).catch_up()
    return target


def _coded(
    records: Sequence[models.Record], parts: CollectionParts, codec: CollectionCodec, model: Embedder
) -> dict[Any, dict[str, FloatArray]]:
    """Return by id the vectors that take the place of dense ones; what another program wrote may have none."""
    placed = [record for record in records if DENSE in (record.vector or {})]
    if not placed:
        return {}
    rows, counts = dense_of(placed)
    raw = finish(parts.codec.raw(rows), dim=model.dim, normalize=model.preset.normalize)
    coded = codec.by_point(codec.stored(raw), counts)
    return {record.id: codec.named(vector) for record, vector in zip(placed, coded, strict=True)}


def _point(record: models.Record, key: PointId, dense: dict[str, FloatArray]) -> models.PointStruct:
    """Return the point as an ingest by the new recipe would have made it."""
    from qdrant_client import models

    fields = dict(renamed(record.payload or {}, record.id, key))
    others = {k: v for k, v in dict(record.vector or {}).items() if k != DENSE}  # type: ignore[arg-type]
    return models.PointStruct.model_construct(id=key, vector={**others, **dense}, payload=fields)
