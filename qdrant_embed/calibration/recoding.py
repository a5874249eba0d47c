"""Changing the compression of a collection that exists: codes in place, anything else by a copy behind an alias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.compression import Compression, Transform
from qdrant_embed.compression.vectors import finish
from qdrant_embed.embedders import Embedders
from qdrant_embed.errors import ConfigurationError, RecipeMismatchError, StoreError, UnsupportedByEngineError
from qdrant_embed.ingest.fitting import FIT_VECTORS
from qdrant_embed.parts import Parts, coding_of, create_collection
from qdrant_embed.recipe import Recipe, fingerprint, require_equal
from qdrant_embed.store import compressed, schema, succession
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.points import chunk_id, chunk_of
from qdrant_embed.types import FloatArray, Json

if TYPE_CHECKING:
    from qdrant_client import models

PAGE_OF_TOKENS = 64
"""Points of a page with a vector for each token: as lists of Python's floats these take a megabyte each."""
PRECISION = {"bits": 0, "turbo8": 1, "uint8": 1, "turbo16": 2, "float16": 2, "float32": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoded:
    """What a change of compression did.

    :param in_place: Whether the points stayed as they were.
    :param collection: The collection that holds the points now; the old name leads to it.
    """

    recipe: Recipe
    in_place: bool
    collection: str


def recompress(
    engine: Engine, name: str, parts: Parts, recipe: Recipe, compression: str, *, trained: Transform | None = None
) -> Recoded:
    """Change a collection's compression without reading or embedding a document again.

    :param trained: The transform of a learned code.
    :raises ConfigurationError: It would need numbers that were not kept; the documents must be ingested again.
    """
    old, new = Compression.parse(recipe.compression), Compression.parse(compression)
    wanted = replace(recipe, compression=str(new))
    if new.points == old.points:
        compressed.require_engine(engine, new)
        _switch_codes(engine, name, parts, new)
        schema.merge_metadata(engine, name, {"recipe": wanted.as_dict()})
        return Recoded(recipe=wanted, in_place=True, collection=name)
    require_kept(old, new)
    succession.clear(engine, name)
    copy = _copy(engine, name, parts, wanted, trained)
    succession.take_over(engine, name, copy)
    return Recoded(recipe=wanted, in_place=False, collection=copy)


def require_same_recipe(name: str, stored: Mapping[str, Json], recipe: Recipe) -> None:
    """Refuse another recipe than a collection's; where only the compression differs, say what would have to be done.

    :raises RecipeMismatchError: The two differ.
    """
    given = recipe.as_dict()
    before, after = (Compression.parse(str(values["compression"])) for values in (stored, given))
    if before == after:
        given = {**given, "compression": stored["compression"]}
    if before == after or any(stored.get(key) != given.get(key) for key in {*stored, *given} - {"compression"}):
        require_equal(name, stored, given)
        return
    change = f"Collection.open({name!r}, at=…).recompress({str(after)!r})"
    if before.points == after.points:
        what = f"Only the codes differ: they are switched in place and no point changes. Type: {change}"
    else:
        what = (
            "What is stored differs, so every point must be written again; nothing is embedded again as long as the "
            f"numbers were kept. Type: {change}, which makes a copy and puts it behind the name."
        )
    raise RecipeMismatchError(
        f"collection {name!r} has compression {str(before)!r}, you gave {str(after)!r}. {what} To use it as it is, "
        "open it without a recipe."
    )


def _switch_codes(engine: Engine, name: str, parts: Parts, new: Compression) -> None:
    from qdrant_client import models

    vector = schema.DENSE_SMALL if new.full else schema.DENSE
    compressed.require_enough_dimensions(parts.coding.coder.width, new)
    codes: Any = compressed.quantization(new) or models.Disabled.DISABLED
    diff = models.VectorParamsDiff(quantization_config=codes, on_disk=bool(new.code))
    try:
        engine.update_collection(
            collection_name=name,
            vectors_config={vector: diff},
            optimizers_config=compressed.optimizers(new),
        )
    except UnsupportedByEngineError:
        # Codes that an engine cannot take away stay on disk; searches pass them by from now on.
        if new.code:
            raise
    except StoreError as error:
        raise compressed.explained(error, new) from error
    engine.finish_bulk_load(name)


def require_kept(old: Compression, new: Compression) -> None:
    """Refuse a change for which a collection's vectors lack dimensions or precision.

    :raises ConfigurationError: It would need numbers that were not kept.
    """
    whole = "float16" if old.full and old.datatype == "float16" else "float32" if old.full else old.datatype
    fewer = new.dim is not None and not new.full
    narrow = old.dim is not None and not old.full and not (fewer and (new.dim or 0) <= old.dim)
    stored = new.datatype if not (new.full and new.datatype not in ("float32", "float16")) else "float32"
    if whole == "bits" or narrow or PRECISION[stored] > PRECISION[whole]:
        raise ConfigurationError(
            f"a collection stored as {str(old.points)!r} does not hold the numbers that {str(new)!r} needs. Ingest the "
            f"documents into a new collection: Recipe(…, compression={str(new)!r})."
        )


def _copy(engine: Engine, name: str, parts: Parts, recipe: Recipe, trained: Transform | None) -> str:
    """Write every point again under another name; return that name."""
    models = Embedders.of(recipe)
    model, print_ = models.dense, fingerprint(recipe, models.identity)
    target = succession.copy_name(name, print_)
    create_collection(engine, target, recipe, noted=succession.begun(engine, name))
    schema.merge_metadata(engine, target, {"roots": schema.read_metadata(engine, name)["roots"]})
    coding = coding_of(engine, target, model)
    if trained is not None:
        coding.keep(coding.coder.with_transform(trained))
    elif not coding.coder.ready:
        sample = np.concatenate(
            list(_raw_vectors(engine, name, parts, FIT_VECTORS)) or [np.zeros((0, model.dim), np.float32)]
        )
        coding.fit(finish(sample, dim=model.dim, normalize=model.preset.normalize))
    for records in pages(engine, name, parts.coding.page, with_payload=True, beside=list(models.beside)):
        rows, counts = dense_of(records)
        raw = finish(parts.coding.raw(rows), dim=model.dim, normalize=model.preset.normalize)
        points = [
            _point(record, coding.named(vector), print_)
            for record, vector in zip(records, coding.by_point(coding.stored(raw), counts), strict=True)
        ]
        engine.upsert(target, points, wait=True)
    engine.finish_bulk_load(target)
    if engine.count(target).count != engine.count(name).count:
        raise StoreError(f"the copy {target!r} does not hold every point of {name!r}; nothing was changed. Try again.")
    return target


def pages(
    engine: Engine, name: str, size: int, *, with_payload: bool, beside: Sequence[str] = ()
) -> Iterator[list[models.Record]]:
    """Yield all points with the vectors `dense` and `bm25`, a page at a time.

    :param size: Points of a page at most.
    :param beside: Further vectors, by name.
    """
    offset: Any = None
    limit = min(size, PAGE_OF_TOKENS) if schema.MULTIVECTOR in beside else size
    wanted = [schema.DENSE, schema.BM25, *beside]
    while True:
        records, offset = engine.scroll(
            name, limit=limit, offset=offset, with_payload=with_payload, with_vectors=wanted
        )
        if records:
            yield records
        if offset is None:
            return


def dense_of(records: Sequence[models.Record]) -> tuple[FloatArray, list[int]]:
    """Return what the vectors `dense` hold, (rows, width), and how many rows each record has: one, or its windows."""
    vectors = [record.vector[schema.DENSE] for record in records if isinstance(record.vector, dict)]
    rows = [np.atleast_2d(np.asarray(vector, np.float32)) for vector in vectors]
    return np.concatenate(rows), [len(found) for found in rows]


def _raw_vectors(engine: Engine, name: str, parts: Parts, most: int) -> Iterator[FloatArray]:
    """Yield the model's vectors of the first points; ids are hashes, so that these are a random sample."""
    seen = 0
    for records in pages(engine, name, parts.coding.page, with_payload=False):
        found = parts.coding.raw(dense_of(records)[0])
        yield found
        seen += len(found)
        if seen >= most:
            return


def _point(record: models.Record, dense: dict[str, FloatArray], print_: str) -> models.PointStruct:
    """Return the point as an ingest by the new recipe would have made it, id included."""
    from qdrant_client import models

    fields: dict[str, Any] = dict(record.payload or {})
    key = chunk_id(fields["document_id"], chunk_of(fields), fields["text_hash"], print_)
    others = {k: v for k, v in dict(record.vector or {}).items() if k != schema.DENSE}  # type: ignore[arg-type]
    return models.PointStruct.model_construct(id=key, vector={**others, **dense}, payload=fields)
