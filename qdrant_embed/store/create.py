"""Creating a collection: its vectors, payload indexes and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError, UnsupportedByEngineError
from qdrant_embed.servers.server_options import ARGUMENTS, ServerOptions
from qdrant_embed.store import quantization
from qdrant_embed.store.copies.generations import resolve_alias
from qdrant_embed.store.filters.field_indexes import complete, declared
from qdrant_embed.store.layout import VectorLayout
from qdrant_embed.store.metadata import LAYOUT_VERSION, METADATA_KEY
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.store.copies.kept_settings import Settings
    from qdrant_embed.store.engine import Engine


def create(
    engine: Engine,
    name: str,
    layout: VectorLayout,
    made_by: Mapping[str, Json],
    settings: Settings | None = None,
    server: ServerOptions | None = None,
    index: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Create a collection with its vectors, payload indexes and metadata.

    :param made_by: What `read_metadata` shall return.
    :param settings: Those of a collection that this one is to be a copy of.
    :param server: How a server is to keep it.
    :param index: Fields of the user's own metadata that get an index, as in `Recipe`.
    """
    others = {**declared(index), **(settings.index_schemas if settings is not None else {})}
    _require_server(engine, server)
    quantization.require_engine(engine, layout.compression)
    quantization.require_room(engine, layout.compression, layout.cut_dim)
    # A copy keeps what it copies: its points come with the vectors, or with the terms.
    as_vectors = settings.bm25_vectors if settings is not None else bool(engine.lacks("text ranking"))
    layout = replace(layout, bm25_vectors=as_vectors)
    given: dict[str, Any] = {
        "vectors_config": layout.vectors(),
        "sparse_vectors_config": layout.sparse_vectors(),
        "optimizers_config": quantization.optimizers(layout.compression),
        "metadata": {METADATA_KEY: {"layout": LAYOUT_VERSION, **made_by}},
    }
    if settings is not None:
        given = settings.added_to(given, layout)
    if server is not None:
        given |= server.arguments()
    engine.create_collection(collection_name=name, **given)
    complete(engine, name, others, tell=True)


def kept_options(engine: Engine, name: str) -> dict[str, int | bool | str]:
    """Return how a server keeps a collection, by the names of `ServerOptions`; nothing where there is no server."""
    if engine.lacks("server options"):
        return {}
    params = engine.get_collection(name).config.params
    found = {option: getattr(params, argument) for option, argument in ARGUMENTS.items()}
    if params.sharding_method is not None:
        found["sharding"] = params.sharding_method.value
    return {option: value for option, value in found.items() if value is not None}


def require_kept(engine: Engine, name: str, server: ServerOptions | None) -> None:
    """Refuse options that a collection was not made with.

    :raises UnsupportedByEngineError: Its location has no such options.
    :raises ConfigurationError: It has others; both are named.
    """
    if server is None:
        return
    _require_server(engine, server)
    kept = kept_options(engine, name)
    other = {option: value for option, value in server.given().items() if value != kept.get(option)}
    if other:
        has, own = {option: kept.get(option) for option in other}, resolve_alias(engine, name)
        raise ConfigurationError(
            f"collection {name!r} has {_listed(has)}, not {_listed(other)}; such options count when a collection is "
            "made. Leave them out to use it as it is. All but the number of shards can be changed at the server, by "
            f"PATCH /collections/{own} with 'params'; for other shards, ingest into a new collection."
        )


def _require_server(engine: Engine, server: ServerOptions | None) -> None:
    """Refuse options of a server where there is none.

    :raises UnsupportedByEngineError: The location has no such options.
    """
    given = server.given() if server is not None else {}
    why = engine.lacks("server options") if given else ""
    if why:
        raise UnsupportedByEngineError(
            f"{_listed(given)}: such options are a server's, and {why}. Leave them out, or give the URL of a server as "
            "the location."
        )


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{option}={value}" for option, value in options.items())
