"""How a server keeps a collection: shards, copies, where payloads lie; no part of a recipe, since no vector changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_embed.errors import ConfigurationError

ARGUMENTS: Mapping[str, str] = {
    "shards": "shard_number",
    "replicas": "replication_factor",
    "write_consistency": "write_consistency_factor",
    "payload_on_disk": "on_disk_payload",
}
"""What the engine calls each option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How a server keeps a collection: said when it is made, and kept by copies that `recompress` makes of it.

    None leaves an option to the server.

    :param shards: Parts that the points are spread over by their ids; the server's rule is one for each node.
    :param replicas: Copies of each shard, on nodes of their own.
    :param write_consistency: Copies that have to have a write before it counts as done.
    :param payload_on_disk: Whether payloads are read from disk, and only their indexes are held in memory.
    :param sharding: `auto`; `custom` is refused, for every point would have to name the key of its shard.
    :param shard_keys: Of `custom` sharding; refused with it.
    :raises ConfigurationError: A number is none, or sharding is to be custom.
    """

    shards: int | None = None
    replicas: int | None = None
    write_consistency: int | None = None
    payload_on_disk: bool | None = None
    sharding: str = "auto"
    shard_keys: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("shards", "replicas", "write_consistency"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ConfigurationError(f"{name}={value!r} must be a whole number from 1 on, or None.")
        if type(self.payload_on_disk) not in (bool, type(None)):
            raise ConfigurationError(f"payload_on_disk={self.payload_on_disk!r} must be True, False or None.")
        if self.write_consistency and self.replicas and self.write_consistency > self.replicas:
            raise ConfigurationError(
                f"a write cannot be waited for in {self.write_consistency} copies where there are {self.replicas}; "
                f"give write_consistency={self.replicas} at most."
            )
        if self.sharding != "auto" or self.shard_keys:
            raise ConfigurationError(
                f"sharding={self.sharding!r}, shard_keys={list(self.shard_keys)!r}: only 'auto' can be had, which "
                "spreads points by their ids. With shard keys every write has to name the one that its points go to, "
                "and an ingest has no rule for that. Keep tenants apart by a collection each, or by a field of the "
                "metadata that searches filter by: Collection.index_field."
            )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `create_collection` for what is not left to the server."""
        return {ARGUMENTS[option]: value for option, value in self.given().items()}

    def given(self) -> dict[str, int | bool]:
        """Return the options that are not left to the server, by their names."""
        return {option: value for option in ARGUMENTS if (value := getattr(self, option)) is not None}
