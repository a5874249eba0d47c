"""What the stand-in for a server answers about points, and all its routes."""

from itertools import groupby
from zlib import crc32

import numpy as np
from pydantic import TypeAdapter
from qdrant_client import models

from tests.support.server_collections import StoredCollections
from tests.support.server_limits import (
    DEFAULT_LIMIT,
    RefusedError,
    at_most,
    conditions_of,
    cost_of_reading,
    queries_of,
    refuse_filter,
    refuse_forbidden,
)

COLLECTION = "collections/*"
ROUTES = [
    ("GET", "collections", "read", "names"),
    ("GET", "aliases", "read", "all_aliases"),
    ("POST", "collections/aliases", "manage", "change_aliases"),
    ("GET", f"{COLLECTION}/exists", "read", "exists"),
    ("GET", f"{COLLECTION}/aliases", "read", "aliases_of"),
    ("PUT", COLLECTION, "manage", "create"),
    ("GET", COLLECTION, "read", "info"),
    ("PATCH", COLLECTION, "manage", "update"),
    ("DELETE", COLLECTION, "manage", "drop"),
    ("PUT", f"{COLLECTION}/index", "manage", "create_index"),
    ("DELETE", f"{COLLECTION}/index/*", "manage", "drop_index"),
    ("PUT", f"{COLLECTION}/points", "points", "upsert"),
    ("POST", f"{COLLECTION}/points/delete", "write", "delete"),
    ("POST", f"{COLLECTION}/points/payload", "write", "set_payload"),
    ("PUT", f"{COLLECTION}/points/payload", "write", "overwrite_payload"),
    ("POST", f"{COLLECTION}/points", "read", "retrieve"),
    ("POST", f"{COLLECTION}/points/scroll", "read", "scroll"),
    ("POST", f"{COLLECTION}/points/count", "read", "count_points"),
    ("POST", f"{COLLECTION}/facet", "read", "facet"),
    ("POST", f"{COLLECTION}/points/query", "read", "query"),
    ("POST", f"{COLLECTION}/points/query/batch", "read", "query_batch"),
]
"""Method, path (`*` stands for a name), what a key must allow, and the method of `StoredCollections` that answers."""

CREATE = "Please create one to"
WITHOUT_VECTOR = frozenset({"fusion", "rrf", "order_by", "formula", "sample", "text"})
"""Queries that compare no vectors."""
WHOLE_WORDS = (1, 19, 1)
TIED = 32
"""Hits looked at beyond those asked for: at the cut, too, a server takes any of those that are equal."""
_FILTER, _SELECTOR = TypeAdapter(models.Filter | None), TypeAdapter(models.WithPayloadInterface | None)
_RANGED = frozenset({"integer", "float", "datetime"})
_COUNTED = frozenset({"keyword", "integer", "bool", "uuid"})


class StoredPoints(StoredCollections):
    """Collections with their points, one method for each route."""

    # Points in

    def upsert(self, name, body):
        found = self._find(name)
        points = body["points"] if "points" in body else _columns(body["batch"])
        at_most(found.strict, "upsert_max_batchsize", len(points), "upsert limit")
        given = [_point(point) for point in points]
        mode = body.get("update_mode") if self.server.numbers >= (1, 17) else None
        self._take(found, "Write", len(points))
        self.points.upsert(
            found.name,
            given,
            update_filter=_FILTER.validate_python(body.get("update_filter")),
            update_mode=None if mode is None else models.UpdateMode(mode),
        )
        return self._written(found)

    def delete(self, name, body):
        return self._change(name, body, lambda found, points: self.points.delete(found, points))

    def set_payload(self, name, body):
        return self._change(
            name, body, lambda found, points: self.points.set_payload(found, body["payload"], points, body.get("key"))
        )

    def overwrite_payload(self, name, body):
        return self._change(
            name, body, lambda found, points: self.points.overwrite_payload(found, body["payload"], points)
        )

    def _change(self, name, body, change):
        found = self._find(name)
        refuse_filter(found.strict, found.abilities, body.get("filter"), "update")
        if body.get("points") is not None:
            points, cost = models.PointIdsList.model_validate({"points": body["points"]}), len(body["points"])
        else:
            points = models.FilterSelector.model_validate({"filter": body["filter"]})
            cost = 1 + sum(1 for _ in conditions_of(body["filter"]))
        self._take(found, "Write", cost)
        change(found.name, points)
        return self._written(found)

    # Points out

    def retrieve(self, name, body):
        found = self._readable(name, body, limited=False)
        return [_record(record) for record in self.points.retrieve(found.name, body["ids"], **_selected(body, True))]

    def scroll(self, name, body):
        found = self._readable(name, body)
        order = body.get("order_by")
        if order is not None:
            order = models.OrderBy.model_validate({"key": order} if isinstance(order, str) else order)
            if not found.abilities.get(order.key, set()) & _RANGED:
                raise RefusedError(
                    400, f"Wrong input: No range index for `order_by` key: `{order.key}`. {CREATE} `order_by`."
                )
        records, following = self.points.scroll(
            found.name,
            _FILTER.validate_python(body.get("filter")),
            limit=body.get("limit") or DEFAULT_LIMIT,
            order_by=order,
            offset=body.get("offset"),
            **_selected(body, True),
        )
        return {"points": [_record(record) for record in records], "next_page_offset": following}

    def count_points(self, name, body):
        """Count: about, unless exactly, as a server's estimates of filtered points may be off."""
        found = self._readable(name, body, limited=False)
        counted = self.points.count(found.name, _FILTER.validate_python(body.get("filter"))).count
        estimated = body.get("filter") and body.get("exact") is False
        return {"count": counted + counted // 8 if estimated else counted}

    def facet(self, name, body):
        found, key = self._readable(name, body), body["key"]
        if not found.abilities.get(key, set()) & _COUNTED:
            raise RefusedError(
                400, f"Wrong input: No appropriate index for faceting: `{key}`. {CREATE} facet on this field."
            )
        filter_ = _FILTER.validate_python(body.get("filter"))
        hits = self.points.facet(found.name, key, filter_, limit=body.get("limit") or DEFAULT_LIMIT).hits
        return {"hits": [{"value": hit.value, "count": hit.count} for hit in hits]}

    def query(self, name, body):
        return {"points": self._ranked(self._readable(name, body), body)}

    def query_batch(self, name, body):
        found = self._readable(name, body)
        return [{"points": self._ranked(found, search)} for search in body["searches"]]

    def _ranked(self, found, body):
        for part in queries_of(body):
            asked = part.get("query")
            if asked is not None and not (isinstance(asked, dict) and asked.keys() & WITHOUT_VECTOR):
                self._require_vector(found, part.get("using"))
                if found.strict.get("search_allow_exact") is False and not (part is body and body.get("prefetch")):
                    _refuse_without_graph(found.config, part.get("using"))
        request = models.QueryRequest.model_validate(body)
        limit, offset = DEFAULT_LIMIT if request.limit is None else request.limit, request.offset or 0
        by_score = _by_score(body.get("query"))
        points = self.points.query_points(
            found.name,
            query=request.query,
            using=request.using,
            prefetch=request.prefetch,
            query_filter=request.filter,
            search_params=_local_params(request.params),
            limit=limit + offset + TIED * by_score,  # it passes over the offset of some queries
            score_threshold=request.score_threshold,
            lookup_from=request.lookup_from,
            **_selected(body, False),
        ).points
        chosen = (_any_order(points) if by_score else points)[offset : offset + limit]
        return [{**_record(point), "version": point.version, "score": float(point.score)} for point in chosen]

    def _readable(self, name, body, *, limited=True):
        found = self._find(name)
        for query in (part for whole in body.get("searches", [body]) for part in queries_of(whole)):
            self._match_words(found, query.get("filter"))
        refuse_forbidden(found.strict, found.abilities, body, limited=limited)
        self._take(found, "Read", cost_of_reading(body))
        return found

    def _match_words(self, found, filter_):
        """Look for words as servers before 1.19.1 did in fields without a text index: for the text as it is written."""
        if tuple(map(int, self.server.version.split("."))) >= WHOLE_WORDS:
            return
        for condition, path in conditions_of(filter_):
            match = condition.get("match") or {}
            if match.keys() & {"text", "phrase"} and "text" not in found.abilities.get(path + condition["key"], ()):
                condition["match"] = {"substring": match.get("text") or match.get("phrase")}


def _refuse_without_graph(config, using):
    """Refuse to compare a query with all vectors, one by one; what a stage found may be compared so."""
    params = config["params"]["vectors"]
    graph = (params if "size" in params else params.get(using or "", {})).get("hnsw_config") or {}
    m = graph.get("m", (config.get("hnsw_config") or {}).get("m", 16))
    if m == 0 and (using or "") not in config["params"].get("sparse_vectors", {}):
        on = f" on '{using}'" if using else ""
        advice = "Use tenant-specific filter, enable global vector indexing or "
        advice += "enable strict mode `search_allow_exact` option"
        said = f"Request is forbidden{on} because global vector indexing is disabled (hnsw_config.m = 0)"
        raise RefusedError(400, f"Bad request: {said}. Help: {advice}")


def _by_score(query):
    """Tell whether hits are in the order of their scores, and of nothing else."""
    return query is not None and not (isinstance(query, dict) and query.keys() & {"sample", "order_by", "mmr"})


def _any_order(points):
    """Put hits of equal score into an order that means nothing, as the threads of a server do."""
    groups = (group for _, group in groupby(points, key=lambda point: point.score))
    return [point for group in groups for point in sorted(group, key=lambda point: crc32(str(point.id).encode()))]


def _local_params(params):
    """Keep what an engine without search indexes understands."""
    return None if params is None or params.idf is None else models.SearchParams(idf=params.idf)


def _selected(body, payload):
    wanted = body.get("with_payload", payload)
    return {
        "with_payload": _SELECTOR.validate_python(payload if wanted is None else wanted),
        "with_vectors": body.get("with_vector") or False,
    }


def _columns(batch):
    vectors = batch["vectors"]
    rows = zip(*vectors.values(), strict=True) if isinstance(vectors, dict) else vectors
    named = [dict(zip(vectors, row, strict=True)) if isinstance(vectors, dict) else row for row in rows]
    payloads = batch.get("payloads") or [None] * len(named)
    columns = zip(batch["ids"], named, payloads, strict=True)
    return [{"id": id_, "vector": vector, "payload": payload} for id_, vector, payload in columns]


def _point(given):
    vector = given["vector"]
    if isinstance(vector, dict):
        vector = {name: _vector(value) for name, value in vector.items()}
    return models.PointStruct.model_construct(id=given["id"], vector=vector, payload=given.get("payload"))


def _vector(value):
    return models.SparseVector.model_validate(value) if isinstance(value, dict) else value


def _record(record):
    """Return a point as JSON has it: what was not asked for is missing, and no null."""
    said = {"id": record.id}
    if record.payload is not None:
        said["payload"] = record.payload
    if record.vector is not None:
        said["vector"] = _plain(record.vector)
    if getattr(record, "order_value", None) is not None:
        said["order_value"] = record.order_value
    return said


def _plain(vector):
    if isinstance(vector, dict):
        return {name: _plain(value) for name, value in vector.items()}
    if isinstance(vector, models.SparseVector):
        return {"indices": _plain(vector.indices), "values": _plain(vector.values)}
    return (
        vector.tolist()
        if isinstance(vector, np.ndarray)
        else [float(x) if isinstance(x, np.floating) else x for x in vector]
    )
