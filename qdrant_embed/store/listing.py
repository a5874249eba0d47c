"""The collections of a location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from qdrant_embed.display import aligned, html_table, one_line
from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.store.copies.generations import names_to_open
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.metadata import read_metadata
from qdrant_embed.store.own_points import foreign_points
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.location import Location

FOREIGN = "not made by qdrant-embed"
_HEAD = ("collection", "chunks", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCollection:
    """A collection at a location.

    :param chunks: Number of points; None if it cannot be opened.
    :param recipe: How it was made; None if something else made it, or if it cannot be opened.
    :param problem: Why it cannot be opened; empty if it can.
    """

    name: str
    chunks: int | None
    recipe: Mapping[str, Json] | None
    problem: str = ""

    @property
    def model(self) -> str | None:
        """The model of its recipe, None if there is none."""
        return None if self.recipe is None else str(self.recipe["model"])

    def as_dict(self) -> dict[str, Json]:
        """Return the collection as JSON-ready values."""
        return {**asdict(self), "model": self.model}

    def row(self) -> tuple[str, str, str]:
        """Return name, number of chunks and model as a table has them."""
        counted = "–" if self.chunks is None else f"{self.chunks:,}"
        return one_line(self.name), counted, one_line(self.problem or self.model or FOREIGN)


class Listing(list[ListedCollection]):
    """Collections by name: a list that also draws itself as a table, and prints as one line for each."""

    def __str__(self) -> str:
        return aligned([_HEAD, *self._rows()], right=(1,))

    def _repr_html_(self) -> str:
        return html_table(_HEAD, self._rows(), nothing="no collections")

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        return (found.row() for found in self)


def list_collections(at: Location) -> Listing:
    """Return the collections of a location; one that cannot be opened is listed with the reason.

    Nothing is made: where there is no folder of collections, there are none.
    """
    try:
        engine = open_engine(at, make=False)
    except CollectionNotFoundError:
        return Listing()
    try:
        return Listing(_listed(engine, name) for name in names_to_open(engine))
    finally:
        engine.close()


def _listed(engine: Engine, name: str) -> ListedCollection:
    try:
        recipe = read_metadata(engine, name)["recipe"]
    except StoreError:
        recipe = None
    try:
        chunks = engine.count_points(name) - (foreign_points(engine, name) if recipe else 0)
    except StoreError as error:
        return ListedCollection(name=name, chunks=None, recipe=None, problem=str(error))
    return ListedCollection(name=name, chunks=chunks, recipe=recipe)
