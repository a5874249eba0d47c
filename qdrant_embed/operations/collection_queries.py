"""What a collection gives back: passages by question, by vector, by likeness; documents, counts, frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.display import Facts, counted
from qdrant_embed.errors import StoreError, require_type
from qdrant_embed.extras import require_extra
from qdrant_embed.operations.collection_handle import CollectionHandle
from qdrant_embed.reranking.base import Rerank, Reranker
from qdrant_embed.retrieval.documents import Documents
from qdrant_embed.retrieval.expansion import expanded
from qdrant_embed.retrieval.hits import Answers, Hit, Hits
from qdrant_embed.retrieval.search_request import FUSED, Mode, SearchRequest, as_queries, as_vector
from qdrant_embed.retrieval.searcher import Searcher
from qdrant_embed.store.copies.copy_lease import copier
from qdrant_embed.store.create import kept_options
from qdrant_embed.store.filters import filter_of, warn_of_unknown_fields, without
from qdrant_embed.store.metadata import roots_in
from qdrant_embed.store.own_points import foreign_points
from qdrant_embed.telemetry import recording
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from llama_index.core.retrievers import BaseRetriever

    from qdrant_embed.ingest.monitoring.failure_record import FailureRecord
    from qdrant_embed.stock_client.engine_clients import EngineClient

_HITS = "a hit of a search, an id, or several of these"


def search(
    handle: CollectionHandle,
    query: str | Sequence[str],
    request: SearchRequest,
    mode: Mode,
    rerank: Rerank | None = None,
) -> Hits | Answers:
    """Return the best passages for a query; for several, one list for each."""
    queries = as_queries(query)

    def ask(parts: CollectionParts) -> list[Hits]:
        if rerank is None:
            return parts.searcher.search(queries, request, mode=mode)
        return _reranked(parts.searcher, queries, request, mode, parts.reranker(rerank))

    with recording.retrieval(handle.name, handle.recipe.model, request.k, mode, queries) as operation:
        found = handle.answer(ask)
        recording.found(operation, queries, found)
    if queries:
        _warn(handle, request.where, sum(map(len, found)))
    return found[0] if isinstance(query, str) else Answers(found)


def _reranked(
    searcher: Searcher, queries: Sequence[str], wanted: SearchRequest, mode: Mode, reranker: Reranker
) -> list[Hits]:
    """Return the best passages for each query as a reranker ranks them.

    It is given as many as it says, however many are wanted; with `group_by`, the best passage of each document by the
    first list. `min_score` is compared with what it makes of them, and what is left is counted and made longer.
    """
    asked = replace(wanted, k=max(reranker.depth, wanted.last), offset=0, min_score=None, expand=0, sentences=False)
    first = searcher.search(queries, asked, mode=mode)
    # Whoever explains a ranking asks where hits stood before, and with which score.
    noted = [
        [replace(hit, first_rank=rank, first_score=hit.score) for rank, hit in enumerate(hits, 1)] for hits in first
    ]
    ranked = reranker.rerank_each(queries, noted)
    strong = [[hit for hit in hits if hit.score >= wanted.least][wanted.offset : wanted.last] for hits in ranked]
    if wanted.explain and mode in (*FUSED, "dense"):
        strong = searcher.with_sentences(strong, list(searcher.embedder.embed_queries(list(queries))))
    longer = expanded(searcher.browser, strong, wanted.expand)
    return [
        Hits(hits, query=own.query, language=own.language, offset=wanted.offset, confidence=own.confidence)
        for hits, own in zip(longer, first, strict=True)
    ]


def search_vector(handle: CollectionHandle, vector: Sequence[float] | FloatArray, request: SearchRequest) -> Hits:
    """Return the passages whose dense vectors are nearest to a given one."""
    row = as_vector(vector, handle.answer(lambda parts: parts.codec.vector_codec.dim))
    return _asked(handle, request, "vector", lambda parts: parts.searcher.nearest(row, request, "nearest to a vector"))


def similar(handle: CollectionHandle, to: Hit | str | Sequence[Hit | str], request: SearchRequest) -> Hits:
    """Return the passages that are most like given ones, these left out."""
    require_type("to", to, (Hit, str, Iterable), _HITS)
    given = [to] if isinstance(to, Hit | str) else list(to)
    for one in given:
        require_type("to", one, (Hit, str), _HITS)
    named = [one for one in given if not isinstance(one, Hit)]

    def ask(parts: CollectionParts) -> Hits:
        fetched = iter(parts.browser.get(named) if named else ())
        hits = [one if isinstance(one, Hit) else next(fetched) for one in given]
        others = without(filter_of(parts.points, handle.name, request.where), [hit.id for hit in hits])
        return parts.searcher.similar(hits, replace(request, where=others))

    return _asked(handle, request, "similar", ask)


def _asked(handle: CollectionHandle, request: SearchRequest, how: str, ask: Callable[[CollectionParts], Hits]) -> Hits:
    with recording.retrieval(handle.name, handle.recipe.model, request.k, how) as operation:
        found = handle.answer(ask)
        recording.found(operation, (), [found])
    _warn(handle, request.where, len(found))
    return found


def get(handle: CollectionHandle, ids: str | Sequence[str]) -> Hit | Hits:
    """Return one chunk by its id, or several in the order of their ids."""
    require_type("ids", ids, (str, Iterable), "an id, or a list of ids, as hit.id gives them")
    wanted = [ids] if isinstance(ids, str) else list(ids)
    found = handle.answer(lambda parts: parts.browser.get(wanted))
    return found[0] if isinstance(ids, str) else Hits(found)


def chunks(handle: CollectionHandle, source: str, root: str | None) -> Hits:
    """Return all chunks of a document, in reading order."""
    return handle.answer(lambda parts: parts.browser.chunks(source, root))


def neighborhoods(handle: CollectionHandle, hits: Sequence[Hit], before: int, after: int) -> Answers:
    """Return the chunks around each hit in its document, by one request."""
    return Answers(handle.answer(lambda parts: parts.browser.neighborhoods(hits, before, after)))


def documents(handle: CollectionHandle, where: Any) -> Documents:
    """Return the documents that have a chunk which a filter lets through."""
    found = handle.answer(lambda parts: parts.browser.documents(where))
    _warn(handle, where, len(found))
    return found


def count(handle: CollectionHandle, where: Any = None) -> int:
    """Return the number of chunks that a filter lets through."""

    def ask(parts: CollectionParts) -> int:
        condition = filter_of(parts.points, handle.name, where)
        if condition is None:
            return parts.points.count_points(handle.name)
        return parts.points.count(handle.name, count_filter=condition, exact=True).count

    found = handle.answer(ask)
    _warn(handle, where, found)
    return found


def to_pandas(handle: CollectionHandle, where: Any, *, vectors: bool) -> pd.DataFrame:
    """Return the chunks that a filter lets through as a data frame, with their dense vectors if wanted."""
    found = handle.answer(lambda parts: parts.browser.to_pandas(where, parts.codec if vectors else None))
    _warn(handle, where, len(found))
    return found


def info(handle: CollectionHandle) -> Facts:
    """Return what the collection is: recipe, model, fingerprint, counts; a folder's bytes, a server's options."""
    generation = handle.parts.generation
    shared = {key: generation.stored[key] for key in ("recipe", "model", "fingerprint")}
    measured = handle.points.disk_sizes(handle.name)
    sizes = {"disk_bytes": dict(zip(("taken", "apparent"), measured, strict=True))} if measured else {}
    if not handle.layout.ours:  # to count its documents may take long: None, then
        documents = handle.parts.browser.document_count()
        layout = handle.layout.as_dict()
        return Facts(
            name=handle.name, chunks=count(handle), documents=documents, layout=layout, **shared, roots=[], **sizes
        )
    options = kept_options(handle.engine, handle.name)
    told = {"copied_by": copier(generation.metadata), "held_by": handle.engine.held_by}
    return Facts(
        name=handle.name,
        chunks=count(handle),
        documents=handle.answer(lambda parts: parts.browser.document_count()),
        foreign_points=foreign_points(handle.points, handle.name),
        **shared,
        roots=sorted(roots_in(generation.metadata)),
        failed=failures(handle).total,
        **sizes,
        **({"server": options} if options else {}),
        **{key: who for key, who in told.items() if who},
    )


def failures(handle: CollectionHandle) -> FailureRecord:
    """Return what could not be ingested when it was last looked at."""
    from qdrant_embed.ingest.monitoring.failure_record import failures_in

    return failures_in(handle.parts.generation.metadata)


def described(handle: CollectionHandle) -> str:
    """Return a line about a collection."""
    try:
        chunks = counted(count(handle), "chunk")
    except StoreError:  # closed, or its server is away; looking at a variable must not raise
        chunks = "not reachable"
    return f"Collection({handle.name!r}, model={handle.recipe.model!r}, {chunks})"


def retriever_class() -> Callable[..., BaseRetriever]:
    """Return the class of LlamaIndex retrievers over collections, see `Collection.as_retriever`."""
    require_extra("as_retriever()", "llama-index")
    module = import_module("llama_index.retrievers.qdrant_embed")
    made: Callable[..., BaseRetriever] = module.QdrantEmbedRetriever
    return made


def _warn(handle: CollectionHandle, where: Any, found: int) -> None:
    """Warn where nothing was found because no document has a field that the filter names."""
    warn_of_unknown_fields(handle.points, handle.name, where, found)


def client_of(handle: CollectionHandle) -> EngineClient:
    """Return a `QdrantClient` over the engine, which writes only where the collection may be written to."""
    from qdrant_embed.stock_client.engine_clients import EngineClient

    return EngineClient(handle.engine, before_writing=handle.require_writable)
