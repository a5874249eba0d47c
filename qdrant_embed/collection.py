"""The user's handle: a name at a location, with its recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from qdrant_embed.calibration import CalibrateOptions, Calibration, calibration_run
from qdrant_embed.collection_parts import CollectionParts, preview_chunks
from qdrant_embed.comparison import Evaluation, EvaluationPlan, evaluation_run
from qdrant_embed.display import Facts
from qdrant_embed.embedding import Embedder
from qdrant_embed.evaluation.drawn_questions import DRAWN
from qdrant_embed.operations import CollectionAttachment, CollectionVectors, collection_changes, collection_queries
from qdrant_embed.operations.attached_handle import attach_handle
from qdrant_embed.operations.collection_handle import CollectionHandle, drop_collection, open_handle
from qdrant_embed.recipe import Recipe
from qdrant_embed.reranking.base import Rerank, RerankedSearchSettings
from qdrant_embed.retrieval import Answers, Documents, Expansion, GroupBy, Hit, Hits, Mode
from qdrant_embed.retrieval.search_request import SearchRequest
from qdrant_embed.servers.patience import RUN_SECONDS
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.listing import Listing, list_collections
from qdrant_embed.types import Document, FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from llama_index.core.retrievers import BaseRetriever

    from qdrant_embed.attachment import ForeignLayout, LayoutSettings
    from qdrant_embed.compression import Transform
    from qdrant_embed.evaluation.questions import Question
    from qdrant_embed.explore.explorer import Explorer
    from qdrant_embed.ingest import FailureRecord, IngestOptions, IngestReport, IngestSettings, Preview
    from qdrant_embed.migration.recompression import RecompressResult
    from qdrant_embed.reading.files import ReadOptions
    from qdrant_embed.servers.server_options import ServerOptions
    from qdrant_embed.stock_client.engine_clients import EngineClient
    from qdrant_embed.store.filters import FilterLike
    from qdrant_embed.store.location import Location

DEFAULT_LOCATION = "./qdrant_data"


class Collection:
    """Documents as searchable chunks: open one with `Collection.open`.

    A collection remembers the recipe it was made with; opening it again needs only its name and place. Use it as a
    context manager, or call `close`. A folder may be open in several processes of one user.
    """

    def __init__(self, handle: CollectionHandle) -> None:
        self._handle = handle

    @classmethod
    def open(
        cls, name: str, *, at: Location = DEFAULT_LOCATION, recipe: Recipe | None = None, runtime: str = "auto",
        server: ServerOptions | None = None,
    ) -> Self:  # fmt: skip
        """Open a collection; with a recipe, create it if it does not exist.

        :param at: A folder (embedded engine), a server's URL, `:memory:`, or a `QdrantClient` or `Engine` of yours.
        :param runtime: What runs the model (`auto`, `openvino:int8`, `torch:bf16` …), free to differ from run to run.
        :param server: Shards and replicas of a collection that is made; one that exists must have the same.
        :raises CollectionNotFoundError: It does not exist and no recipe says how to make it.
        :raises RecipeMismatchError: It was made with another recipe.
        :raises LocationLockedError: A process that cannot be asked holds the folder, another user's for one.
        """
        return cls(open_handle(name, at, recipe, runtime, server))

    @classmethod
    def attach(
        cls, name: str, *, at: Location = DEFAULT_LOCATION, model: str = "", recipe: Recipe | None = None,
        embedder: str = "", runtime: str = "auto", writable: bool = False, **layout: Unpack[LayoutSettings],
    ) -> Self:  # fmt: skip
        """Open a collection that something else wrote, as it is; see docs/guide/attaching.md.

        Everything that reads works as far as its vectors, indexes and payload allow; `print(collection.layout)` says
        what was found. The model is proved: some stored texts are embedded again and compared with their vectors.

        :param at: As for `open`; nothing is created.
        :param model: What made its vectors, or `none` to search by words and filters alone; `embedder` is another word
            for it. Left out, the collection has to say it, in its metadata or in the name of its vector.
        :param recipe: In place of `model`, to name also a sparse model, a language or a cut of dimensions.
        :param writable: Whether points may be added (by `attachment`), indexed and deleted.
        :param layout: Keys and vectors that are known: `text=`, `metadata=`, `vector=`, `sparse=`, `source=`,
            `document=`, `index=`, `start=`, `page=`; see `ForeignLayout` of `qdrant_embed.attachment`.
        :raises RecipeMismatchError: The model did not make the vectors; cosines and candidates are told.
        :raises ConfigurationError: No model is named, or nothing shows where the text stands.
        """
        return cls(attach_handle(name, at, model or embedder, recipe, runtime, layout, writable=writable))

    @staticmethod
    def list(*, at: Location = DEFAULT_LOCATION) -> Listing:
        """Return the collections of a location, by name; in a notebook they draw themselves as a table."""
        return list_collections(at)

    @staticmethod
    def drop(name: str, *, at: Location = DEFAULT_LOCATION) -> bool:
        """Remove a collection and everything in it, a damaged one too; return whether there was one."""
        return drop_collection(name, at)

    def close(self) -> None:
        """Let go of the location; another process that uses the folder takes over."""
        self._handle.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return collection_queries.described(self._handle)

    @property
    def name(self) -> str:
        """Its name at its location."""
        return self._handle.name

    @property
    def recipe(self) -> Recipe:
        """Everything that decides its vectors."""
        return self._handle.recipe

    @property
    def embedder(self) -> Embedder:
        """The model, checked to be the one whose vectors the collection holds."""
        return self._handle.parts.embedder

    @property
    def parts(self) -> CollectionParts:
        """What the recipe is made into: models, chunker, codec, searcher; for what has no method here."""
        return self._handle.parts

    @property
    def engine(self) -> Engine:
        """What holds the points, those of other programs too; it speaks `qdrant_client.models`."""
        return self._handle.engine

    @property
    def client(self) -> EngineClient:
        """A `QdrantClient` over the location, for stores of other packages; see docs/guide/stores.md.

        `client.to_async()` is an `AsyncQdrantClient`. It sees all collections and points until this one is closed, and
        where this one was attached to be read, it writes nothing, anywhere.
        """
        return collection_queries.client_of(self._handle)

    @property
    def layout(self) -> ForeignLayout:
        """Where points have text, metadata and vectors, and by which sign that was found."""
        return self._handle.layout

    @property
    def attachment(self) -> CollectionAttachment:
        """What only a collection has that something else wrote: points are added in its layout, or it is adopted."""
        return CollectionAttachment(self._handle)

    def info(self) -> Facts:
        """Return what the collection is: recipe, model, fingerprint, counts; a dict that also draws itself."""
        return collection_queries.info(self._handle)

    def count(self, *, filter: FilterLike = None) -> int:
        """Return the number of chunks, or of those that a filter lets through."""
        return collection_queries.count(self._handle, filter)

    # Documents in and out

    def ingest(
        self, what: Any, *, options: IngestOptions | None = None, **settings: Unpack[IngestSettings]
    ) -> IngestReport:
        """Bring the collection in line with folders, files and globs, or add documents of your own.

        Safe to run again (what is unchanged costs almost nothing), and safe to kill: the next run carries on. For a
        folder, documents whose files are gone are removed, unless they are most of it; nothing outside the folder is
        touched. One odd file or document is listed in the report, and never ends the run.

        :param what: A path, a glob such as `docs/**/*.md`, a list of these (`label=path` names the root of one); a
            `Document`, LlamaIndex's, LangChain's or Haystack's documents, dicts with `text` and perhaps `source`, an
            iterable of any of these; a data frame.
        :param options: What is read and how; its fields can also be given one by one: `ingest("docs", force=True)`.
        :raises ConfigurationError: The path does not exist or matches nothing, or this is nothing to ingest.
        :raises ReadError: The folder cannot be read. Nothing was deleted.
        :raises StoreError: Its compression is being changed by a copy.
        """
        return collection_changes.ingest(self._handle, what, options, settings)

    def ingest_each(
        self, paths: Sequence[str | Path], *, options: IngestOptions | None = None, **settings: Unpack[IngestSettings]
    ) -> Iterator[IngestReport]:
        """Ingest paths one after the other, all of them checked before the first; yield the report of each.

        :raises ConfigurationError: A path does not exist or matches nothing, or two would have the same label.
        """
        return collection_changes.ingest_each(self._handle, paths, options, settings)

    def preview(self, what: str | Path | Document, *, reading: ReadOptions | None = None) -> Preview:
        """Return the chunks that an ingest would make of a file, a text or a `Document`, and how many tokens each has.

        :raises ReadError: The file cannot be read; `ConfigurationError`: there is none.
        """
        return preview_chunks(self.recipe, what, reading=reading, runtime=self._handle.runtime)

    def delete(
        self, source: str | None = None, *, root: str | None = None, filter: FilterLike = None,
        ids: Sequence[str] | None = None, dry_run: bool = False,
    ) -> int:  # fmt: skip
        r"""Remove what all given conditions hold for; return how many chunks went, or with `dry_run` would.

        :param source: A source, or a pattern: `guide/*`, `*.pdf`; `\*` for a star that is part of the name.
        :param root: Label of an ingested folder.
        :param filter: As for `search`. Chunks go one by one: a filter by page leaves the other pages of a document.
        :param ids: Chunks, as `hit.id` gives them.
        :raises ConfigurationError: Nothing was given.
        :raises StoreError: The collection's compression is being changed by a copy.
        """
        return collection_changes.delete(self._handle, {"source": source, "root": root}, filter, ids, dry_run=dry_run)

    def failures(self) -> FailureRecord:
        """Return what could not be ingested when it was last looked at, with reasons, by root and source."""
        return collection_queries.failures(self._handle)

    def index_field(self, field: str, kind: str = "keyword") -> None:
        """Index one of your own metadata fields, as `Recipe(index=…)` does: faster filters; strict servers ask for it.

        :raises StoreError: The compression is being changed by a copy, or the server has no room for another index.
        """
        collection_changes.index_field(self._handle, field, kind)

    # By question

    @overload
    def search(self, query: str, k: int = ..., **given: Unpack[RerankedSearchSettings]) -> Hits: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, query: Sequence[str], k: int = ..., **given: Unpack[RerankedSearchSettings]) -> Answers: ...
    def search(  # noqa: PLR0913 - each a way to ask
        self, query: str | Sequence[str], k: int = 5, *,
        filter: FilterLike = None, mode: Mode = "hybrid", min_score: float | None = None,
        offset: int = 0, group_by: GroupBy | None = None, expand: Expansion = 0, rerank: Rerank | None = None,
        min_confidence: float = 0.0, explain: bool = False, feedback: bool = True,
    ) -> Hits | Answers:  # fmt: skip
        """Return the best `k` passages, best first, the first the same for every `k`; for several queries, a list each.

        :param filter: A plain dict (see docs/guide/searching.md) or a `qdrant_client.models.Filter`.
        :param mode: `hybrid` (dense, BM25 and, where there is one, the sparse model, fused by score; or, where there
            is a multi-vector model, ranked again by that), `rrf` (the same, fused by rank), or one alone: `dense`,
            `bm25`, `sparse`, `multivector`.
        :param min_score: Leave out hits below this score; its scale is the mode's, or the last reranker's.
        :param offset: Hits passed over before the first one: `offset=5, k=5` is the second page.
        :param group_by: `document` for the best passage of each document; `k` and `offset` then count documents.
        :param expand: Chunks of the document that are joined with each passage on each side, or `section` for all
            under the same headings; passages that meet become one, so there may be fewer than `k`.
        :param rerank: What ranks the first hundred again, as `mmr:0.3`; or a list of such, one after the other.
        :param min_confidence: Return nothing where it is more doubtful that the collection holds an answer (`hybrid`).
        :param explain: Say of each hit why it was found: `hit.explain()`. Embeds the sentences of the hits.
        :param feedback: Whether the question may be moved toward its first passage (`hybrid`).
        :raises ConfigurationError: A query is blank, or `k`, the mode, the filter or the reranker makes no sense.
        """
        more = SearchRequest(
            k=k, offset=offset, where=filter, min_score=min_score, group_by=group_by, expand=expand,
            min_confidence=min_confidence, explain=explain, feedback=feedback,
        )  # fmt: skip
        return collection_queries.search(self._handle, query, more, mode, rerank)

    def search_vector(
        self, vector: Sequence[float] | FloatArray, k: int = 5, *,
        filter: FilterLike = None, min_score: float | None = None, offset: int = 0,
    ) -> Hits:  # fmt: skip
        """Return the `k` passages whose dense vectors are nearest to a vector of yours, best first.

        :param vector: (dim,), as `embedder.embed_queries` gives them: whole, whatever the collection makes of its own.
        :raises ConfigurationError: It has another number of dimensions, or holds what is no number.
        """
        request = SearchRequest(k=k, offset=offset, where=filter, min_score=min_score)
        return collection_queries.search_vector(self._handle, vector, request)

    def similar(
        self, to: Hit | str | Sequence[Hit | str], k: int = 5, *,
        filter: FilterLike = None, min_score: float | None = None, offset: int = 0,
    ) -> Hits:  # fmt: skip
        """Return the `k` passages that are most like given ones, best first, these left out.

        :param to: Hits or ids of chunks; of several, the mean of their dense vectors is compared with.
        :raises ConfigurationError: There is none, or one of them is not in the collection.
        """
        request = SearchRequest(k=k, offset=offset, where=filter, min_score=min_score)
        return collection_queries.similar(self._handle, to, request)

    def as_retriever(
        self, k: int = 5, *, filter: FilterLike = None, mode: Mode = "hybrid", group_by: GroupBy | None = None,
        expand: Expansion = 0, rerank: Rerank | None = None, min_confidence: float = 0.0,
    ) -> BaseRetriever:  # fmt: skip
        """Return a LlamaIndex retriever over this collection; its arguments are those of `search`.

        :raises MissingExtraError: The integration is not installed.
        """
        more = {"group_by": group_by, "expand": expand, "rerank": rerank, "min_confidence": min_confidence}
        return collection_queries.retriever_class()(self, k=k, filter=filter, mode=mode, **more)

    @overload
    def get(self, ids: str) -> Hit: ...  # type: ignore[overload-overlap]
    @overload
    def get(self, ids: Sequence[str]) -> Hits: ...
    def get(self, ids: str | Sequence[str]) -> Hit | Hits:
        """Return one chunk by its id, or several in the order of their ids.

        :raises ConfigurationError: There is no such point.
        """
        return collection_queries.get(self._handle, ids)

    def chunks(self, source: str, *, root: str | None = None) -> Hits:
        """Return all chunks of a document, in reading order.

        :raises UnknownNameError: There is no such document; those with like names are listed.
        """
        return collection_queries.chunks(self._handle, source, root)

    def neighbors(self, hit: Hit, before: int = 1, after: int = 1) -> Hits:
        """Return a hit and the chunks of its document around it, so many before and after, in reading order."""
        return collection_queries.neighborhoods(self._handle, [hit], before, after)[0]

    def neighborhoods(self, hits: Sequence[Hit], before: int = 1, after: int = 1) -> Answers:
        """Return the `neighbors` of several hits, one list for each, by one request."""
        return collection_queries.neighborhoods(self._handle, hits, before, after)

    def documents(self, *, filter: FilterLike = None) -> Documents:
        """Return the documents by root and source, or those that have a chunk which a filter lets through."""
        return collection_queries.documents(self._handle, filter)

    def to_pandas(self, *, filter: FilterLike = None, vectors: bool = False) -> pd.DataFrame:
        """Return the chunks as a data frame; `vectors=True` adds their dense vectors, one or one for each window.

        They are the model's, whatever the collection makes of them, and as exact as the format that it stores.

        :raises ConfigurationError: Vectors are wanted, and the collection keeps nothing but signs (`bits`).
        """
        return collection_queries.to_pandas(self._handle, filter, vectors=vectors)

    def explore(self, *, port: int = 0) -> Explorer:
        """Show the collection: search, documents, a map, statistics; `selection` is what was selected in the map.

        In a notebook it is a widget, elsewhere a page on the loopback address, at its `url`, which asks nothing of any
        other machine. Close it when done; see docs/guide/exploring.md.

        :param port: Of the page; 0 for any that is free. A widget needs none.
        :raises MissingExtraError: The extra `explore`, or in a notebook `widget`, is not installed.
        """
        from qdrant_embed.explore.explorer import explore

        return explore(self._handle, port)

    def evaluate(
        self, questions: Sequence[Question] | str | Path | None = None, *, settings: Sequence[str] = (),
        compressions: Sequence[str] = (), k: int = 10, n: int = DRAWN, seed: int = 0,
        progress: Callable[[str], None] | None = None,
    ) -> Evaluation:  # fmt: skip
        """Measure how well each way to search answers questions, and whether they differ; changes nothing.

        :param questions: Questions and what answers them: a file, a folder in BEIR's layout (see `read_questions`), or
            `Question` values of `qdrant_embed.evaluation`; None to draw them from the texts (see `draw_questions`).
        :param settings: What is compared; `EvaluationPlan` of `qdrant_embed.comparison` explains all of these.
        :raises ConfigurationError: There is no such setting, or a question is not judged.
        """
        plan = EvaluationPlan(settings=settings, compressions=compressions, k=k, n=n, seed=seed, progress=progress)
        return evaluation_run.evaluate(self._handle.parts, questions, plan)

    def recompress(
        self, compression: str, *, trained: Transform | None = None, refit: bool = False, patience: float = RUN_SECONDS
    ) -> RecompressResult:
        """Change how vectors are stored and searched, without embedding anything again.

        Codes (`int8`, `binary`, …) and rescoring are switched in place; else a copy takes the name, as its alias.

        :param trained: What `vectors.train_codes` returned, for a compression with `learnedN`.
        :param refit: Learn rotations, means, medians and scales again from all vectors that there are now.
        :param patience: Seconds that a server which goes away is waited for; 0 to give up at once.
        :raises ConfigurationError: It needs numbers that were not kept.
        :raises StoreError: The compression is being changed already, or was since the collection was opened.
        """
        return collection_changes.recompress(self._handle, compression, trained=trained, refit=refit, patience=patience)

    def calibrate(
        self, questions: Sequence[str | Question] | None = None, *, options: CalibrateOptions | None = None
    ) -> Calibration:
        """Measure on this collection's own vectors what compression costs and saves; changes nothing.

        `recompress(found.chosen.setting)` takes the cheapest setting that met the target.

        :param questions: Questions that people ask; None to draw sentences and titles from the chunks. A `Question` of
            `qdrant_embed.evaluation` also says what answers it, which adds nDCG@k.
        :raises ConfigurationError: The collection holds too few chunks, or no numbers any more (`bits`).
        """
        return calibration_run.calibrate(self._handle.parts, questions, options or CalibrateOptions())

    @property
    def vectors(self) -> CollectionVectors:
        """What its vectors are good for beside search: codes trained on them and exported, what a width can rank."""
        return CollectionVectors(self._handle)
