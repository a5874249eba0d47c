"""One setting in the real engine: recall, latency, bytes, seconds to build."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from qdrant_embed.calibration.memory_footprint import Probe, measure_footprint
from qdrant_embed.calibration.trial_search import NAME, answers
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.compression.truncation import finish
from qdrant_embed.evaluation.exact_search import ExactAnswers
from qdrant_embed.retrieval.binary.index import page_of
from qdrant_embed.store import layout as schema
from qdrant_embed.store import quantization
from qdrant_embed.store.collection_codec import FIT_VECTORS, CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.metadata import LAYOUT_VERSION, METADATA_KEY
from qdrant_embed.types import DENSE, DENSE_SMALL, FloatArray, Json

if TYPE_CHECKING:
    from qdrant_client import models

BATCH = 2000
SETTLED_KB = 1
"""Segments are packed from here on: one that still grows holds megabytes of room, whatever is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a setting gave.

    :param recall: Mean recall@k against exact float32 search; `low` and `high` bound it with 95 %.
    :param ram: Bytes of a vector in memory while searching, codes and their ids included, graph not.
    :param disk: Bytes of a vector on disk, codes included.
    :param p50: Milliseconds that half of the queries stayed below; `p95` likewise.
    :param build: Seconds from the first vector to the last code.
    :param resident: Whether `ram` is what was resident in a process that searched, and not the sizes of files.
    :param found: Numbers of the points of each query's hits, best first.
    """

    setting: str
    recall: float
    low: float
    high: float
    ram: float
    disk: float
    p50: float
    p95: float
    build: float
    resident: bool
    found: tuple[tuple[int, ...], ...] = field(repr=False)

    def as_dict(self) -> dict[str, Json]:
        """Return all but the hits as JSON-ready values."""
        values = asdict(self)
        del values["found"]
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def try_settings(
    settings: Sequence[Compression], truth: ExactAnswers, *, transform: Transform | None = None
) -> Iterator[Trial]:
    """Build a collection once, without a graph, so that a code's own loss is seen, and search it in several ways.

    :param settings: They differ in rescoring only, and come in the order of how much they rescore.
    :param transform: What the points shall be encoded by; None to learn it from the vectors.
    :raises ConfigurationError: It is a learned code, which is trained by itself.
    """
    began = time.perf_counter()
    with _built(settings[0], truth, graph=False, transform=transform) as (engine, codec, folder):
        build = time.perf_counter() - began
        answered = answers(engine, codec, settings, truth, _queries(codec, truth))
        engine.close()
        bytes_ = measure_footprint(folder, NAME, _probe(codec, truth))
    for setting, found in answered.items():
        yield Trial(
            setting=str(setting),
            ram=bytes_.ram / len(truth.vectors),
            disk=bytes_.disk / len(truth.vectors),
            build=build,
            resident=bytes_.resident,
            **found.figures(),
        )


def with_graph(trials: Sequence[Trial], truth: ExactAnswers, *, transform: Transform | None = None) -> list[Trial]:
    """Search settings again as their collection will be searched: through its graph, with pinned codes.

    Their bytes stay, since pinned codes do not show by file. Sign codes have no graph, and stay as they are.

    :param trials: They differ in rescoring only.
    """
    settings = {Compression.parse(trial.setting): trial for trial in trials}
    first = next(iter(settings))
    if first.datatype == "bits":
        return list(trials)
    began = time.perf_counter()
    with _built(first, truth, graph=True, transform=transform) as (engine, codec, _):
        build = time.perf_counter() - began
        answered = answers(engine, codec, list(settings), truth, _queries(codec, truth))
    return [replace(settings[setting], build=build, **found.figures()) for setting, found in answered.items()]


def _queries(codec: CollectionCodec, truth: ExactAnswers) -> FloatArray:
    return finish(truth.queries, dim=codec.vector_codec.dim, normalize=truth.normalize)


def _probe(codec: CollectionCodec, truth: ExactAnswers) -> Probe:
    compression, vector_codec = codec.compression, codec.vector_codec
    query = vector_codec.encode(_queries(codec, truth)[:1])[0]
    signs = compression.datatype == "bits"
    return Probe(
        vector=DENSE_SMALL if compression.full else DENSE,
        query=[query.tolist()] if codec.windows and not signs else query.tolist(),
        vectors=(DENSE_SMALL, DENSE) if compression.full else (DENSE,),
        bits=codec.vector_codec.bits if signs else 0,
        page=page_of(codec),
        encoded=bool(compression.code),
    )


@contextmanager
def _built(
    setting: Compression, truth: ExactAnswers, *, graph: bool, transform: Transform | None
) -> Iterator[tuple[Engine, CollectionCodec, Path]]:
    dim = truth.vectors.shape[1]
    # The model's cut and the collection's are the same thing here: the vectors are whole, and the codec cuts them.
    with tempfile.TemporaryDirectory(prefix="qdrant-embed-calibrate-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        engine = open_engine(folder)
        try:
            _create(engine, setting, truth, graph=graph)
            codec = CollectionCodec(
                engine,
                NAME,
                setting,
                dim=_embedded(setting, dim),
                distance=truth.distance,
                normalize=truth.normalize,
                windows=_windows(truth),
            )
            vectors = finish(truth.vectors, dim=codec.vector_codec.dim, normalize=truth.normalize)
            if transform is not None:
                codec.keep(codec.vector_codec.with_transform(transform))
            elif not codec.vector_codec.ready:
                places = np.random.default_rng(0).permutation(len(vectors))[:FIT_VECTORS]
                codec.fit(vectors[np.sort(places)])
            _load(engine, codec, vectors, truth.counts)
            yield engine, codec, folder
        finally:
            engine.close()


def _create(engine: Engine, setting: Compression, truth: ExactAnswers, *, graph: bool) -> None:
    from qdrant_client import models

    layout = schema.VectorLayout(
        dim=_embedded(setting, truth.vectors.shape[1]),
        distance=truth.distance,
        compression=setting,
        windows=_windows(truth),
    )
    params, optimizers = layout.vectors(), quantization.optimizers(setting)
    if not graph:
        params = {name: _countable(found) for name, found in params.items()}
        optimizers = models.OptimizersConfigDiff(indexing_threshold=SETTLED_KB)
    metadata = {METADATA_KEY: {"layout": LAYOUT_VERSION}}
    engine.create_collection(NAME, params, optimizers_config=optimizers, metadata=metadata)


def _embedded(setting: Compression, dim: int) -> int:
    return dim if setting.full or setting.dim is None else min(dim, setting.dim)


def _countable(params: models.VectorParams) -> models.VectorParams:
    """Return the settings without a graph, and with codes mapped instead of pinned, so that their pages count."""
    from qdrant_client import models

    changed: dict[str, Any] = {"hnsw_config": models.HnswConfigDiff(m=0)}
    codes = params.quantization_config
    if codes is not None:
        kind = next(iter(type(codes).model_fields))
        inner = getattr(codes, kind).model_copy(update={"always_ram": False})
        changed["quantization_config"] = codes.model_copy(update={kind: inner})
    return params.model_copy(update=changed)


def _windows(truth: ExactAnswers) -> bool:
    return len(truth.starts) - 1 < len(truth.vectors)


def _load(engine: Engine, codec: CollectionCodec, vectors: FloatArray, counts: Sequence[int]) -> None:
    from qdrant_client import models

    size = max(1, BATCH * len(counts) // len(vectors))
    row = 0
    for start in range(0, len(counts), size):
        portion = counts[start : start + size]
        stored = codec.by_point(codec.stored(vectors[row : row + sum(portion)]), portion)
        row += sum(portion)
        points = [
            models.PointStruct.model_construct(id=str(UUID(int=number)), vector=codec.named(vector), payload={})
            for number, vector in enumerate(stored, start)
        ]
        engine.upsert(NAME, points, wait=True)
    engine.finish_bulk_load(NAME)
