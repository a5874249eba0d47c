"""Where another program put what a chunk is made of: a value, with the sign by which each part of it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TypedDict

from qdrant_embed.display import aligned, html_table, one_line
from qdrant_embed.types import Json

NODE_CONTENT = "_node_content"
"""Where LlamaIndex keeps a node whole, as a JSON text."""
NODE_KEYS = (NODE_CONTENT, "_node_type", "document_id", "doc_id", "ref_doc_id")
"""What LlamaIndex puts beside a node's metadata, which stand at the top level."""
OURS = "qdrant_embed"
FLAT = ""
"""Of the metadata: they stand at the top level of the payload."""


class LayoutSettings(TypedDict, total=False):
    """The parts of a layout that can be given by hand; see `ForeignLayout`."""

    text: str
    metadata: str
    vector: str
    sparse: str
    source: str
    document: str
    index: str
    start: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLayout:
    """The layout of a collection that something else wrote. Keys of the metadata are given without what leads to them.

    :param writer: What wrote it, as far as that shows.
    :param text: Key of the text; `_node_content` where it stands in a JSON text, as LlamaIndex has it.
    :param metadata: Key under which metadata are nested; empty where they stand at the top level.
    :param vector: Name of the dense vector; empty for the unnamed one, None where there is none.
    :param dim: Its dimensions.
    :param distance: How it is compared: `cosine`, `dot`, `euclid`, or another that cannot be searched by here.
    :param sparse: Name of the sparse vector; empty for none.
    :param modifier: What the engine does to its weights: `idf`, or nothing.
    :param ids: `int`, `uuid`, or `int, uuid`.
    :param source: Key of the metadata that names the document of a chunk; empty for none.
    :param document: Key, at the top level or of the metadata, of an id that all chunks of a document share.
    :param index: Key of the metadata with a chunk's number in its document; `start` of its first character there.
    :param page: Key of the metadata with its page.
    :param points: Points that there were.
    :param fields: Keys of the metadata that were met.
    :param beside: Keys that stand at the top level beside nested metadata.
    :param signs: By which sign each part was found.
    """

    writer: str
    text: str
    metadata: str
    vector: str | None
    dim: int
    distance: str
    sparse: str
    modifier: str
    ids: str
    source: str
    document: str
    index: str
    start: str
    page: str
    points: int
    fields: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    signs: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def ours(self) -> bool:
        """Whether this library made the collection."""
        return self.writer == OURS

    @property
    def in_json(self) -> bool:
        """Whether the text stands in a JSON text, which no engine filters by or ranks."""
        return self.text == NODE_CONTENT

    @property
    def searchable(self) -> bool:
        """Whether its dense vectors can be searched by here: one for each point, by a distance that is known."""
        return self.vector is not None and self.distance in ("cosine", "dot", "euclid")

    def path(self, key: str) -> str:
        """Return the path of a field of the metadata, as engines take it; empty for none."""
        if not key:
            return ""
        first = key.split(".")[0].split("[")[0].strip('"')
        nested = self.metadata and not (first in self.beside and first not in self.fields)
        return f"{self.metadata}.{key}" if nested else key

    def as_dict(self) -> dict[str, Json]:
        """Return the layout as JSON-ready values, signs left out."""
        return {name: value for name, value in asdict(self).items() if name != "signs"}

    def __str__(self) -> str:
        return aligned(self.rows())

    def _repr_html_(self) -> str:
        return html_table(("", "found", "by"), self.rows())

    def rows(self) -> list[tuple[str, str, str]]:
        """Return each part by its name, as it was found, and by which sign."""
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("signs", "beside")}
        told["metadata"] = self.metadata or "at the top level"
        told["vector"] = "none" if self.vector is None else self.vector or "the unnamed one"
        told["fields"] = ", ".join(self.fields)
        return [
            (name, one_line(value) if value not in ("", ()) else "–", one_line(self.signs.get(name, "")))
            for name, value in told.items()
        ]
