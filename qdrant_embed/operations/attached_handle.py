"""Opening a collection that something else wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from qdrant_embed.attachment.attached_embedder import AttachedEmbedder
from qdrant_embed.attachment.attached_engine import AttachedEngine
from qdrant_embed.attachment.attached_parts import AttachedParts
from qdrant_embed.attachment.foreign_layout import ForeignLayout, LayoutSettings
from qdrant_embed.attachment.known_models import candidates, named_model
from qdrant_embed.attachment.layout_detection import detect_layout
from qdrant_embed.attachment.surface_terms import words_index
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.operations.collection_handle import CollectionHandle, require_name
from qdrant_embed.recipe import Recipe, require_recipe
from qdrant_embed.store.copies.generations import find_generation
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PAYLOAD_FIELDS
from qdrant_embed.store.filters.field_indexes import declared
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.metadata import METADATA_KEY
from qdrant_embed.store.tracing.traced_engine import TracedEngine

if TYPE_CHECKING:
    from qdrant_embed.ingest.context import IngestContext
    from qdrant_embed.store.location import Location

T = TypeVar("T")

NO_MODEL = "none"
"""Given as the model: search by words and filters alone."""


class AttachedHandle(CollectionHandle):
    """A collection that something else wrote; what its parts are made for does not change under it."""

    def __init__(self, engine: Engine, parts: AttachedParts, runtime: str) -> None:
        self.engine, self.name, self.runtime = engine, parts.generation.name, runtime
        self._made: AttachedParts = parts

    @property
    def parts(self) -> AttachedParts:
        """What the layout and the model are made into."""
        return self._made

    @property
    def layout(self) -> ForeignLayout:
        """Where the other program put what chunks are made of."""
        return self._made.layout

    def go_on(self) -> None:
        """Do nothing: whatever another program changes, it does not tell."""

    def answer(self, ask: Callable[[CollectionParts], T]) -> T:
        """Return what the parts answer."""
        return ask(self._made)

    def settle(self) -> AttachedParts:
        """Return the parts of what may be written to.

        :raises ConfigurationError: It was attached to be read.
        """
        self._made.attached.require_writable()
        return self._made

    def require_writable(self) -> None:
        """Refuse to write where it was attached to be read.

        :raises ConfigurationError: It was.
        """
        self._made.attached.require_writable()

    def require_ours(self) -> None:
        """Refuse to change how vectors of another program are stored.

        :raises ConfigurationError: Always.
        """
        raise ConfigurationError(
            f"collection {self.name!r} is another program's, so its compression stays as it is. Ingest into a "
            "collection of your own to choose one."
        )

    def index_field(self, field: str, kind: str) -> None:
        """Index a field of the metadata, or the text, by which words can be ranked then."""
        schemas = {**declared({field: kind})}
        if field in PAYLOAD_FIELDS:
            schemas = {field: next(iter(schemas.values()))}
        if (field, kind) == ("text", "text"):
            schemas = {field: words_index(self._made.recipe.language, stems=not self.engine.lacks("indexes"))}
        for path, schema in schemas.items():
            self._made.attached.create_payload_index(self.name, path, schema)
        self._made = self._made.anew()

    def target(self) -> IngestContext:
        """Refuse to ingest; see `AttachedParts.target`."""
        return self._made.target


def attach_handle(
    name: str,
    at: Location,
    model: str,
    recipe: Recipe | None,
    runtime: str,
    given: LayoutSettings,
    *,
    writable: bool,
) -> AttachedHandle:
    """See `Collection.attach`."""
    require_name(name)
    require_type("model", model, str, "the name of a model, or 'none'")
    if recipe is not None:
        require_recipe(recipe)
    engine = open_engine(at, make=False)
    try:
        parts = _attached(engine, name, _wanted(model, recipe), runtime, given, writable=writable)
        return AttachedHandle(engine, parts, runtime)
    except BaseException:
        engine.close()
        raise


def attached_of(handle: CollectionHandle) -> AttachedHandle:
    """Return the handle of what something else wrote.

    :raises ConfigurationError: It is one of a collection of this library.
    """
    if not isinstance(handle, AttachedHandle):
        raise ConfigurationError(
            f"collection {handle.name!r} is this library's own: bring documents into it by ingest(…). "
            "attachment.add(…) and attachment.adopt() are for what Collection.attach opens."
        )
    return handle


def _wanted(model: str, recipe: Recipe | None) -> Recipe | None:
    """Return the recipe that was asked for; None where the collection is to say its model."""
    if model and recipe is not None:
        raise ConfigurationError(f"model={model!r} and recipe=… both name a model; give one of them.")
    return recipe if recipe is not None else Recipe(model=model) if model else None


def _attached(
    engine: Engine, name: str, wanted: Recipe | None, runtime: str, given: LayoutSettings, *, writable: bool
) -> AttachedParts:
    metadata = find_generation(engine, name).metadata
    if METADATA_KEY in metadata:
        raise ConfigurationError(
            f"collection {name!r} was made by this library and says how: Collection.open({name!r}, at=…)."
        )
    layout = detect_layout(engine, name, given)
    recipe = wanted or Recipe(model=_model_of(name, layout, metadata))
    found = None
    if recipe.model != NO_MODEL:
        found = AttachedEmbedder.proved(recipe, runtime, engine, name, layout)
    told: dict[str, Any] = {"recipe": recipe.as_dict(), "model": {}}
    if found is not None:
        told |= {"model": {**found.fingerprint, "proof": str(found.proof)}}
    return AttachedParts(AttachedEngine(TracedEngine(engine), layout, told, writable=writable), name, found)


def _model_of(name: str, layout: ForeignLayout, metadata: Mapping[str, Any]) -> str:
    """Return the model that a collection names.

    :raises ConfigurationError: It names none, or none that is run by weights of this machine; what to type is said.
    """
    if not layout.searchable:
        return NO_MODEL
    found = named_model(layout, metadata)
    if found is not None and found.name:
        return found.name
    if found is not None:
        raise ConfigurationError(
            f"collection {name!r} names the model {found.stated!r:.80} {found.sign}, which is no preset with its "
            "weights on this machine, and nothing is fetched because a collection says so. Where you trust it, type: "
            f"Collection.attach({name!r}, model={found.stated!r:.80})."
        )
    raise ConfigurationError(
        f"nothing in collection {name!r} says which model made its vectors ({layout.dim} dimensions, "
        f"{layout.distance}), and none is guessed. Models with as many: {candidates(layout.dim)}. Type: "
        f"Collection.attach({name!r}, model='…'); it is proved on stored texts. Or model='none' to search by "
        "words and filters alone."
    )
