"""What the stand-in for a server keeps: names, settings and indexes of collections, around an engine of points."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter
from qdrant_client import models
from qdrant_client.local.qdrant_local import QdrantLocal

from tests.support.server_limits import Bucket, RefusedError

DEFAULTS = {
    "hnsw_config": {
        "m": 16, "ef_construct": 100, "full_scan_threshold": 10_000, "max_indexing_threads": 0, "on_disk": False,
    },
    "optimizer_config": {
        "deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0,
        "max_segment_size": None, "memmap_threshold": None, "indexing_threshold": 10_000, "flush_interval_sec": 5,
        "max_optimization_threads": None, "prevent_unoptimized": None,
    },
    "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1},
}  # fmt: skip
"""What 1.18.3 says of a collection that was made without these settings."""

INDEX_OPTIONS = {"prefix": (1, 19), "memory": (1, 19), "scoring": (1, 20), "nested": (1, 20)}
"""Options that older versions pass over without a word."""


@dataclass
class Stored:
    """A collection.

    :ivar config: As `info` tells it.
    :ivar indexes: By field, what `info` tells of its index.
    :ivar operations: Number of the last write.
    """

    name: str
    config: dict
    indexes: dict = field(default_factory=dict)
    operations: int = 0
    buckets: dict = field(default_factory=dict)
    schema: tuple | None = None

    @property
    def strict(self):
        """What strict mode allows; empty where it is off."""
        strict = self.config.get("strict_mode_config") or {}
        return strict if strict.get("enabled") else {}

    @property
    def abilities(self):
        """By field, what its index can do: its type, and `prefix` or `phrase`."""
        options = {"prefix": "prefix", "phrase_matching": "phrase"}
        return {
            name: {index["data_type"], *(can for key, can in options.items() if index.get("params", {}).get(key))}
            for name, index in self.indexes.items()
        }


class StoredCollections:
    """Collections and aliases of a server, one method for each route; a caller lets one in at a time.

    :param server: Tells the clock, the version's `numbers` and the `statuses`.
    """

    def __init__(self, server):
        self.server = server
        self.points = QdrantLocal(":memory:")
        self.stored, self.aliases = {}, {}

    # Names

    def names(self, _):
        return {"collections": [{"name": name} for name in self.stored]}

    def exists(self, name, _):
        return {"exists": self.aliases.get(name, name) in self.stored}

    def all_aliases(self, _):
        return {"aliases": [{"alias_name": alias, "collection_name": to} for alias, to in self.aliases.items()]}

    def aliases_of(self, name, _):
        kept = self._find(name).name
        return {"aliases": [alias for alias in self.all_aliases(None)["aliases"] if alias["collection_name"] == kept]}

    def change_aliases(self, body):
        """Make one change after the other: those before one that fails have been made."""
        for action in body["actions"]:
            ((kind, given),) = action.items()
            if kind == "delete_alias":
                self.aliases.pop(given["alias_name"], None)
                continue
            if kind == "rename_alias":
                old, new = given["old_alias_name"], given["new_alias_name"]
                if old not in self.aliases:
                    raise RefusedError(404, f"Not found: Alias {old} does not exists!")
                target = self.aliases[old]
            else:
                new, target = given["alias_name"], given["collection_name"]
            if target not in self.stored:
                raise RefusedError(404, f"Not found: Collection `{target}` doesn't exist!")
            if new in self.stored:
                raise RefusedError(409, f"Wrong input: Collection `{new}` already exists!")
            if kind == "rename_alias":
                del self.aliases[old]
            self.aliases[new] = target
        return True

    # Settings

    def create(self, name, body):
        for kind, taken in (("Collection", self.stored), ("Alias", self.aliases)):
            if name in taken:
                raise RefusedError(409, f"Wrong input: {kind} `{name}` already exists!")
        given = models.CreateCollection.model_validate(body)
        self.points.create_collection(name, given.vectors, given.sparse_vectors)
        params = {"vectors": body.get("vectors") or {}, "shard_number": body.get("shard_number") or 1}
        params |= {key: body.get(key) or 1 for key in ("replication_factor", "write_consistency_factor")}
        params["on_disk_payload"] = body.get("on_disk_payload", True)
        params |= {key: body[key] for key in ("sparse_vectors", "sharding_method") if body.get(key)}
        config = {
            "params": params,
            **{key: _merged(DEFAULTS[key], body.get(GIVEN_AS.get(key, key))) for key in DEFAULTS},
        }
        config["quantization_config"] = body.get("quantization_config")
        self.stored[name] = Stored(name, config)
        self.update(name, {key: body[key] for key in ("metadata", "strict_mode_config") if body.get(key)})
        return True

    def info(self, name, _):
        found, statuses = self._find(name), self.server.statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return {
            "status": status,
            "optimizer_status": "ok",
            "indexed_vectors_count": 0,
            "points_count": self.points.count(found.name).count,
            "segments_count": 2,
            "config": found.config,
            "payload_schema": self._schema(found),
            "update_queue": {"length": 0},
        }

    def update(self, name, body):
        """Merge settings into those that there are; null removes an entry of the metadata."""
        config = self._find(name).config
        for key in ("hnsw_config", "optimizer_config"):
            config[key] = _merged(config[key], body.get(GIVEN_AS.get(key, key)))
        if body.get("quantization_config") is not None:
            disabled = body["quantization_config"] == "Disabled"
            config["quantization_config"] = None if disabled else body["quantization_config"]
        for vector, changes in (body.get("vectors") or {}).items():
            params = config["params"]["vectors"]
            self._require_vector(self._find(name), vector)
            changed = _merged(params[vector], changes)
            if changed.get("quantization_config") == "Disabled":
                del changed["quantization_config"]
            config["params"]["vectors"] = {**params, vector: changed}
        config["params"] = _merged(config["params"], body.get("params"))
        if body.get("metadata") is not None:
            merged = {**config.get("metadata", {}), **body["metadata"]}
            config["metadata"] = {key: value for key, value in merged.items() if value is not None}
        if body.get("strict_mode_config") is not None:
            config["strict_mode_config"] = _merged(config.get("strict_mode_config", {}), body["strict_mode_config"])
            self._find(name).buckets.clear()
        return True

    def drop(self, name, _):
        """Remove a collection and its aliases; an alias is not followed."""
        self.aliases = {alias: to for alias, to in self.aliases.items() if to != name}
        self.points.delete_collection(name)
        return self.stored.pop(name, None) is not None

    def create_index(self, name, body):
        found, key, given = self._find(name), body["field_name"], body.get("field_schema") or "keyword"
        params = models.PayloadFieldSchema
        TypeAdapter(params).validate_python(given)
        most = found.strict.get("max_payload_index_count")
        if most is not None and key not in found.indexes and len(found.indexes) >= most:
            advice = "Help: Please delete an existing index before creating a new one."
            said = f"Collection already has the maximum number of payload indices ({most}). {advice}"
            raise RefusedError(400, f"Bad request: {said}")
        found.indexes[key] = {"data_type": given if isinstance(given, str) else given["type"]}
        if not isinstance(given, str):
            numbers = self.server.numbers
            known = {name: value for name, value in given.items() if numbers >= INDEX_OPTIONS.get(name, numbers)}
            found.indexes[key]["params"] = known
            if known.get("scoring"):
                self.points.create_payload_index(found.name, key, models.TextIndexParams(**known))
        return self._written(found, 1, operations=2)

    def drop_index(self, name, key, _):
        found = self._find(name)
        found.indexes.pop(key, None)
        return self._written(found, 1, operations=2)

    # Limits

    def _find(self, name):
        found = self.stored.get(self.aliases.get(name, name))
        if found is None:
            raise RefusedError(404, f"Not found: Collection `{name}` doesn't exist!")
        return found

    def _take(self, found, kind, cost):
        rate = found.strict.get(f"{kind.lower()}_rate_limit")
        if rate is not None:
            bucket = found.buckets.setdefault(kind, None) or Bucket(kind, rate, lambda: self.server.clock())
            found.buckets[kind] = bucket
            bucket.take(cost)

    def _written(self, found, cost=0, *, operations=1):
        if cost:
            self._take(found, "Write", cost)
        found.operations += operations
        return {"operation_id": found.operations, "status": "completed"}

    def _require_vector(self, found, name):
        params = found.config["params"]
        dense = params["vectors"]
        names = {"": None} if "size" in dense else dense
        if (name or "") not in {**names, **params.get("sparse_vectors", {})}:
            raise RefusedError(400, f"Wrong input: Not existing vector name error: {name or ''}")

    def _schema(self, found):
        """Return the indexes with their numbers of points, counted anew after a write."""
        if found.schema is None or found.schema[0] != (found.operations, len(found.indexes)):
            counted = {
                key: {**index, "points": self.points.count(found.name, _having(key)).count}
                for key, index in found.indexes.items()
            }
            found.schema = (found.operations, len(found.indexes)), counted
        return found.schema[1]


GIVEN_AS = {"optimizer_config": "optimizers_config"}


def _having(key):
    return models.Filter(must_not=[models.IsEmptyCondition(is_empty=models.PayloadField(key=key))])


def _merged(old, changes):
    return {**old, **{key: value for key, value in (changes or {}).items() if value is not None}}
