"""The user's handle: a name at a location, with its recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from qdrant_embed.collection_compression import Compressing
from qdrant_embed.collection_parts import create_collection
from qdrant_embed.compression import Compression
from qdrant_embed.display import Facts, counted
from qdrant_embed.errors import CollectionNotFoundError, ConfigurationError, RecipeMismatchError, StoreError
from qdrant_embed.recipe import Recipe, require_recipe, require_same_recipe
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.store.copies import aliases, copy_lease
from qdrant_embed.store.copies.revision import bump_revision
from qdrant_embed.store.create import complete, index_metadata_field
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PlainFilter, both, filter_of, warn_of_unknown_fields
from qdrant_embed.store.listing import Listing, list_collections
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.metadata import merge_metadata, read_metadata
from qdrant_embed.store.own_points import foreign_points

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

    from qdrant_embed.ingest.context import IngestContext
    from qdrant_embed.ingest.monitoring.report import IngestReport
    from qdrant_embed.ingest.options import IngestOptions, IngestSettings
    from qdrant_embed.ingest.roots import Roots

DEFAULT_LOCATION = "./qdrant_data"


class Collection(Compressing):
    """Documents as searchable chunks: open one with `Collection.open`.

    A collection remembers the recipe it was made with; opening it again needs only its name and place. Use it as a
    context manager, or call `close`, to let another process open the same folder.
    """

    # Opening and closing

    @classmethod
    def open(
        cls,
        name: str,
        *,
        at: str | Path | QdrantClient = DEFAULT_LOCATION,
        recipe: Recipe | None = None,
        runtime: str = "auto",
    ) -> Self:
        """Open a collection; with a recipe, create it if it does not exist.

        :param at: A folder (embedded engine), a server's URL, `:memory:`, or a `QdrantClient` of yours.
        :param runtime: What runs the model here and now: `auto`, `openvino`, `openvino:int8`, `torch:bf16`, `onnx` …
            Not kept with the collection, and free to differ between ingest and search.
        :raises CollectionNotFoundError: It does not exist and no recipe says how to make it.
        :raises RecipeMismatchError: It was made with another recipe.
        :raises LocationLockedError: Another process holds the folder.
        """
        if runtime != "auto":
            RuntimeChoice.parse(runtime)
        if recipe is not None:
            require_recipe(recipe)
        engine = open_engine(at, make=recipe is not None)
        try:
            return cls._open(engine, name, recipe, runtime)
        except BaseException:
            engine.close()
            raise

    @classmethod
    def _open(cls, engine: Engine, name: str, recipe: Recipe | None, runtime: str) -> Self:
        aliases.finish_switch(engine, name)
        copy_lease.release_expired(engine, name)
        if recipe is not None and not engine.collection_exists(name):
            create_collection(engine, name, recipe)
            return cls(engine, name, recipe, runtime)
        stored = read_metadata(engine, name)
        complete(engine, name)
        if recipe is not None:
            require_same_recipe(name, stored["recipe"], recipe)
        return cls(engine, name, Recipe.from_dict(stored["recipe"]), runtime)

    @staticmethod
    def list(*, at: str | Path | QdrantClient = DEFAULT_LOCATION) -> Listing:
        """Return the collections of a location, by name; in a notebook they draw themselves as a table."""
        return list_collections(at)

    @staticmethod
    def drop(name: str, *, at: str | Path | QdrantClient = DEFAULT_LOCATION) -> bool:
        """Remove a collection and everything in it, a damaged one too; return whether there was one."""
        try:
            engine = open_engine(at, make=False)
        except CollectionNotFoundError:
            return False
        try:
            aliases.finish_switch(engine, name)
            aliases.remove_unfinished_copies(engine, name)
            existed = engine.collection_exists(name)
            if existed:
                engine.delete_collection(aliases.resolve_alias(engine, name))
            return existed
        finally:
            engine.close()

    def close(self) -> None:
        """Let go of the location; a folder can then be opened by another process."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            chunks = counted(self.count(), "chunk")
        except StoreError:  # closed, or its server is away; looking at a variable must not raise
            chunks = "not reachable"
        return f"Collection({self.name!r}, model={self.recipe.model!r}, {chunks})"

    # Documents in

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
        from qdrant_embed.ingest.pipeline import ingest

        copy_lease.require_no_copy(self._engine, self.name)
        return ingest(*_asked(self._points, self.name, options, settings), what, self._target)

    def ingest_each(
        self, paths: Sequence[str | Path], *, options: IngestOptions | None = None, **settings: Unpack[IngestSettings]
    ) -> Iterator[IngestReport]:
        """Ingest paths one after the other, all of them checked before the first; yield the report of each.

        :raises ConfigurationError: A path does not exist or matches nothing, or two would have the same label.
        """
        from qdrant_embed.ingest.pipeline import ingest_each

        copy_lease.require_no_copy(self._engine, self.name)
        return ingest_each(*_asked(self._points, self.name, options, settings), paths, self._target)

    def _target(self) -> IngestContext:
        """Return what is written to, checked to be what this handle was opened for.

        :raises RecipeMismatchError: The collection was dropped and made anew with another recipe or model.
        """
        target = self._parts.target
        stored = read_metadata(self._engine, self.name)
        if stored["fingerprint"] != target.fingerprint:
            require_same_recipe(self.name, stored["recipe"], self.recipe)
            raise RecipeMismatchError(
                f"collection {self.name!r} has fingerprint {stored['fingerprint']}, what this handle would write has "
                f"{target.fingerprint}: it was made anew since. Open it again: Collection.open({self.name!r}, at=…)."
            )
        return target

    def delete(
        self,
        source: str | None = None,
        *,
        root: str | None = None,
        filter: PlainFilter | models.Filter | None = None,
        dry_run: bool = False,
    ) -> int:
        r"""Remove what all given conditions hold for; return how many chunks went.

        :param source: A source, or a pattern: `guide/*`, `*.pdf`; `\*` for a star that is part of the name.
        :param root: Label of an ingested folder.
        :param filter: As for `search`. Chunks go one by one: a filter by page leaves the other pages of a document.
        :param dry_run: Count only.
        :raises ConfigurationError: Nothing was given.
        :raises StoreError: The collection's compression is being changed by a copy.
        """
        plain = {name: value for name, value in (("source", source), ("root", root)) if value is not None}
        where = both(filter_of(self._points, self.name, plain), filter_of(self._points, self.name, filter))
        if where is None:
            raise ConfigurationError("say what to delete: source, root or filter; Collection.drop removes all.")
        removed = self._points.count(self.name, count_filter=where, exact=True).count
        warn_of_unknown_fields(self._points, self.name, filter, removed)
        if dry_run:
            return removed
        copy_lease.require_no_copy(self._engine, self.name)
        if removed:
            self._points.delete(self.name, points_selector=where)
            bump_revision(self._engine, self.name, Compression.parse(self.recipe.compression))
        if root is not None and source is None and not filter:
            _forget_root(self._engine, self.name, root)
        return removed

    # Settings

    def index_field(self, field: str, kind: str = "keyword") -> None:
        """Index one of your own metadata fields: faster filters, and needed on servers in strict mode.

        :raises StoreError: The collection's compression is being changed by a copy.
        """
        copy_lease.require_no_copy(self._engine, self.name)
        index_metadata_field(self._engine, self.name, field, kind)

    def info(self) -> Facts:
        """Return what the collection is: recipe, model, fingerprint, counts; a dict that also draws itself."""
        stored = read_metadata(self._engine, self.name)
        measure = getattr(self._engine, "disk_sizes", None)  # a folder's engine alone knows
        sizes = {"disk_bytes": dict(zip(("taken", "apparent"), measure(self.name), strict=True))} if measure else {}
        return Facts(
            name=self.name,
            chunks=self.count(),
            documents=self.count(filter={"chunk_index": 0}),
            foreign_points=foreign_points(self._points, self.name),
            **{key: stored[key] for key in ("recipe", "model", "fingerprint")},
            roots=sorted(stored["roots"]),
            **sizes,
        )


def _asked(
    engine: Engine, name: str, options: IngestOptions | None, settings: IngestSettings
) -> tuple[Roots, IngestOptions]:
    from qdrant_embed.ingest.options import IngestOptions
    from qdrant_embed.ingest.roots import Roots

    return Roots(engine, name), (options or IngestOptions()).changed(settings)


def _forget_root(engine: Engine, name: str, root: str) -> None:
    roots = read_metadata(engine, name)["roots"]
    merge_metadata(engine, name, {"roots": {label: place for label, place in roots.items() if label != root}})
