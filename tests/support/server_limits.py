"""What a Qdrant server refuses: what its version lacks, what strict mode forbids, what comes too often.

The texts are those of 1.18.3 and 1.19.0, word for word, as far as tests/data/server has them; the others are as near as
the server's sources tell. Bodies are looked at as they came, before they are anything of `qdrant_client`.
"""

import math
from uuid import UUID

TURBO_DATATYPES = {"turbo4": (1, 19), "turbo8": (1, 20), "turbo16": (1, 20)}
QUERIES = {"relevance_feedback": (1, 17), "text": (1, 20)}
MATCHES = {"prefix": (1, 19), "substring": (1, 20)}
NEVER_PANICS = (1, 18)
"""From here on a server reads `turbo4`, which 1.18 then fails to store."""

ANY_INDEX = ("bool", "datetime", "float", "geo", "integer", "keyword", "text", "uuid")
SHOWN_AS = {"prefix": "keyword", "phrase": "text"}
"""Abilities that some indexes of a type have, and that type."""
DEFAULT_LIMIT = 10
"""Of a request that has a limit and names none; it counts, too."""


class RefusedError(Exception):
    """An answer that is none.

    :ivar retry_after: Seconds of the header of that name, None for no such header.
    """

    def __init__(self, status, text, retry_after=None):
        super().__init__(text)
        self.status, self.text, self.retry_after = status, text, retry_after


def conditions_of(filter_, prefix=""):
    """Yield the conditions of a filter as pairs: each without filters in it, and the path that its key lies under."""
    for clause in ("must", "should", "must_not", "min_should"):
        given = (filter_ or {}).get(clause) or []
        given = given.get("conditions", [given]) if isinstance(given, dict) else given
        for condition in given:
            if "nested" in condition:
                yield from conditions_of(condition["nested"]["filter"], f"{prefix}{condition['nested']['key']}[].")
            elif condition.keys() & {"must", "should", "must_not", "min_should"}:
                yield from conditions_of(condition, prefix)
            else:
                yield condition, prefix


def queries_of(query):
    """Yield a query and all its prefetches, as they came."""
    yield query
    inner = query.get("prefetch") or []
    for one in [inner] if isinstance(inner, dict) else inner:
        yield from queries_of(one)


def refuse_unknown(version, body, length):
    """Refuse what a version cannot read.

    :param length: Characters of the body, which the server names as the place of the fault.
    """

    def unless(since, said):
        if version < since:
            raise RefusedError(400, f"Format error in JSON body: {said} at line 1 column {length}")

    _refuse_settings(version, body, unless)
    for query in (part for whole in body.get("searches", [body]) for part in queries_of(whole)):
        for condition, _ in conditions_of(query.get("filter")):
            for match in condition.get("match") or {}:
                unless(MATCHES.get(match, (0,)), "data did not match any variant of untagged enum MatchInterface")
            if "slice" in condition:
                unless((1, 19), NO_CONDITION)
        asked = query.get("query")
        for kind in asked if isinstance(asked, dict) else ():
            unless(QUERIES.get(kind, (0,)), "Expected some form of vector, id, or a type of query")


def _refuse_settings(version, body, unless):
    vectors = body.get("vectors") or {}
    for params in [vectors] if "size" in vectors else vectors.values():
        stored = isinstance(params, dict) and params.get("datatype")
        if stored == "turbo4" and NEVER_PANICS <= version < TURBO_DATATYPES[stored]:
            panic = "Segment DB create panickedwith:\nnot implemented: turbo4 datatype storage not yet wired up"
            raise RefusedError(500, f"Service internal error: {panic}")
        unless(TURBO_DATATYPES.get(stored, (0,)), "data did not match any variant of untagged enum VectorsConfig")
    if "turbo" in (body.get("quantization_config") or {}):
        unless((1, 18), "data did not match any variant of untagged enum QuantizationConfig")


NO_CONDITION = (
    "Expected some form of condition, which can be a field condition "
    '(like {"key": ..., "match": ... }), or some other mentioned in the documentation: '
    "https://qdrant.tech/documentation/concepts/filtering/#filtering-conditions"
)


def refuse_forbidden(strict, indexes, body, *, limited=False):
    """Refuse a question that strict mode does not allow.

    :param strict: The collection's `strict_mode_config`.
    :param indexes: By field, what its index can do: its type, `prefix`, `phrase`.
    :param limited: Whether it has a limit, be it the one by default.
    """
    searches = body.get("searches", [body])
    if "searches" in body:
        at_most(strict, "search_max_batchsize", len(searches), "search batch size")
    for part in (part for whole in searches for part in queries_of(whole)):
        if limited:
            at_most(strict, "max_query_limit", part.get("limit") or DEFAULT_LIMIT, "limit")
        refuse_filter(strict, indexes, part.get("filter"), "retrieve")
        params = part.get("params") or {}
        if strict.get("search_allow_exact") is False and (part.get("exact") or params.get("exact")):
            raise RefusedError(400, "Bad request: Exact search disabled!. Help: Set exact=false.")
        oversampling = (params.get("quantization") or {}).get("oversampling")
        at_most(strict, "search_max_oversampling", oversampling or 0, "oversampling")
        at_most(strict, "search_max_hnsw_ef", params.get("hnsw_ef") or 0, "hnsw_ef")


def refuse_filter(strict, indexes, filter_, purpose):
    """Refuse a filter that is too large, or that asks for a field whose index does not answer it.

    :param purpose: `retrieve` or `update`.
    """
    _refuse_conditions(strict, filter_)
    if strict.get(f"unindexed_filtering_{purpose}") is not False:
        return
    for condition, prefix in conditions_of(filter_):
        key, wanted = _wanted_index(condition)
        if wanted and not indexes.get(prefix + key, set()) & set(wanted):
            shown = ", ".join(sorted({SHOWN_AS.get(ability, ability) for ability in wanted}))
            said = f'Index required but not found for "{prefix + key}" of one of the following types: [{shown}]'
            advice = "Create an index for this key or use a different filter."
            raise RefusedError(400, f"Bad request: {said}. Help: {advice}")


def at_most(strict, setting, value, called):
    """Refuse a value above a setting of strict mode."""
    most = strict.get(setting)
    if most is not None and value > most:
        advice = f'Help: Reduce the "{called}" parameter to or below {most:g}.'
        raise RefusedError(400, f'Bad request: Limit exceeded {value:g} > {most:g} for "{called}". {advice}')


def _refuse_conditions(strict, filter_):
    conditions = [condition for condition, _ in conditions_of(filter_)]
    most = strict.get("filter_max_conditions")
    if most is not None and len(conditions) > most:
        advice = "Help: Reduce the amount of conditions of your filter."
        raise RefusedError(400, f"Bad request: Filter condition limit reached ({len(conditions)} > {most}). {advice}")
    most = strict.get("condition_max_size")
    for condition in conditions if most is not None else ():
        match = condition.get("match") or {}
        size = len(match.get("any") or match.get("except") or condition.get("has_id") or ())
        if size > most:
            advice = "Help: Reduce the size of your condition."
            raise RefusedError(400, f"Bad request: Condition size limit reached ({size} > {most}). {advice}")


def _wanted_index(condition):
    """Return the key of a condition, and the abilities of an index of which one is needed; none for some conditions."""
    for kind in ("is_empty", "is_null"):
        if kind in condition:
            return condition[kind]["key"], ANY_INDEX
    key, match, range_ = condition.get("key"), condition.get("match") or {}, condition.get("range")
    if any(condition.get(kind) for kind in ("geo_radius", "geo_bounding_box", "geo_polygon")):
        return key, ("geo",)
    if range_:
        dates = any(isinstance(value, str) for value in range_.values())
        return key, ("datetime",) if dates else ("float", "integer")
    if condition.get("values_count"):
        return key, ANY_INDEX
    for kind, ability in MATCHED_BY.items():
        if kind in match:
            return key, (ability,)
    values = next(iter(match.values()), [])
    values = values if isinstance(values, list) else [values]
    if not values:  # such a list finds nothing, or everything
        return key, ()
    if isinstance(values[0], (bool, int)):
        return key, ("bool" if isinstance(values[0], bool) else "integer",)
    return key, ("keyword", "uuid") if all(map(_is_uuid, values)) else ("keyword",)


MATCHED_BY = {"text": "text", "text_any": "text", "phrase": "phrase", "prefix": "prefix"}


def _is_uuid(value):
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


def cost_of_reading(body):
    """Return how many tokens a read takes: one for a question and each of its conditions, one for each id."""
    if "ids" in body:
        return len(body["ids"])
    parts = [part for whole in body.get("searches", [body]) for part in queries_of(whole) if "prefetch" not in part]
    return len(parts) + sum(1 for part in parts for _ in conditions_of(part.get("filter")))


class Bucket:
    """Lets through what a rate allows: as many tokens as a minute has at once, and then as time goes on.

    :param clock: Returns seconds.
    """

    def __init__(self, kind, per_minute, clock):
        self.kind, self.most, self.clock = kind, per_minute, clock
        self.tokens, self.seen = float(per_minute), clock()

    def take(self, cost):
        """Take tokens, or refuse."""
        exceeded = f"Rate limiting exceeded: {self.kind} rate limit exceeded"
        if cost > self.most:
            said = "request larger than rate limiter capacity, please try to split your request"
            raise RefusedError(429, f"{exceeded}, {said}")
        now = self.clock()
        self.tokens = min(self.most, self.tokens + (now - self.seen) * self.most / 60)
        self.seen = now
        if self.tokens < cost:
            wait = math.ceil(round((cost - self.tokens) * 60 / self.most, 3))
            said = f"Operation requires {cost} tokens but only {self.tokens:.1f} were available. Retry after {wait}s"
            raise RefusedError(429, f"{exceeded}: {said}", wait)
        self.tokens -= cost
