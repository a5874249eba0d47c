"""Queries within limits: no request is larger than is allowed, and none is sent that never passes."""

from types import SimpleNamespace

from qdrant_client import models

from qdrant_embed.store.client.limits import Limits
from qdrant_embed.store.client.query_pages import LimitedQueries, cost

HELD = 40


def ranked(limits, *requests):
    """Return the answers of a server that holds some points, and what it was asked."""
    asked, told = [], []

    def ask(batch):
        asked.append(list(batch))
        return [SimpleNamespace(points=hits(one)) for one in batch]

    def hits(one):
        start = one.offset or 0
        places = range(start, min(start + one.limit, HELD))
        return [models.ScoredPoint(id=place, version=0, score=1 - place / 100) for place in places]

    queries = LimitedQueries(limits, ask, lambda limit, _: told.append(limit))
    answers = queries.answers([models.QueryRequest(**{"query": [1.0], **request}) for request in requests])
    return [[point.id for point in answer.points] for answer in answers], asked, told


def test_a_long_ranking_comes_in_pages_until_it_ends():
    found, asked, _ = ranked(Limits(max_query_limit=10), {"limit": 25}, {"limit": 5, "offset": 3}, {"limit": 500})
    assert found == [list(range(25)), list(range(3, 8)), list(range(HELD))]
    assert all(page.limit <= 10 for batch in asked for page in batch)
    assert len(asked) == 1
    assert len(asked[0]) == 3 + 1 + 16


def test_equal_scores_that_stand_in_two_pages_leave_none_out():
    def hits(one):
        gone = set(one.filter.must_not[0].has_id) if one.filter else set()
        # Each page has another order of equal scores.
        order = sorted(set(range(30)) - gone, key=lambda n: (n >= 5, (n * 7 + (one.offset or 0)) % 31 if n >= 5 else n))
        found = order[one.offset or 0 :][: one.limit]
        return [models.ScoredPoint(id=place, version=0, score=1 - min(place, 5) / 100) for place in found]

    def ask(batch):
        return [SimpleNamespace(points=hits(one)) for one in batch]

    queries = LimitedQueries(Limits(max_query_limit=10), ask, lambda limit, _: None)
    (answer,) = queries.answers([models.QueryRequest(query=[1.0], limit=30)])
    found = [point.id for point in answer.points]
    assert found[:5] == list(range(5))
    assert sorted(found) == list(range(30))


def test_batches_are_as_long_and_as_costly_as_is_allowed():
    where = models.Filter(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="c"))] * 3)
    found, asked, _ = ranked(Limits(read_rate_limit=9), *[{"limit": 2, "filter": where}] * 5)
    assert found == [[0, 1]] * 5
    assert [len(batch) for batch in asked] == [2, 2, 1]
    _, asked, _ = ranked(Limits(search_max_batchsize=3), *[{"limit": 2}] * 4)
    assert [len(batch) for batch in asked] == [3, 1]


def test_stages_obey_the_conditions_around_them_and_cost_as_much():
    empty = models.IsEmptyCondition(is_empty=models.PayloadField(key="c"))
    stage = models.Prefetch(query=[1.0], filter=models.Filter(must=[empty]), limit=5)
    request = models.QueryRequest(query=[1.0], filter=models.Filter(must=[empty, empty]), prefetch=[stage, stage])
    assert cost(request) == 2 * (1 + 2 + 1)


def test_every_page_is_cut_from_as_many_rescored_points():
    codes = models.QuantizationSearchParams(rescore=True, oversampling=4.0)
    request = {"limit": 30, "params": models.SearchParams(hnsw_ef=256, quantization=codes)}
    _, ((*pages,),), told = ranked(Limits(max_query_limit=10), request)
    rescored = [(page.offset + page.limit) * page.params.quantization.oversampling for page in pages]
    assert rescored == [120.0] * 3
    assert not told
    _, ((*pages,),), told = ranked(
        Limits(max_query_limit=10, search_max_oversampling=2.0, search_max_hnsw_ef=8), request
    )
    assert [page.params.quantization.oversampling for page in pages] == [2.0] * 3
    assert {page.params.hnsw_ef for page in pages} == {8}
    assert told == ["search_max_hnsw_ef", "search_max_oversampling"]


def test_a_long_stage_is_asked_for_first_and_stages_that_are_fused_are_cut():
    near = models.Prefetch(query=[1.0], using="codes", limit=25)
    _, asked, told = ranked(Limits(max_query_limit=10), {"prefetch": near, "limit": 12})
    assert [page.using for page in asked[0]] == ["codes"] * 3
    assert [len(page.prefetch[0].filter.must[0].has_id) for page in asked[1]] == [10, 10, 5]
    assert not told
    fusion = models.FusionQuery(fusion=models.Fusion.RRF)
    _, asked, told = ranked(Limits(max_query_limit=10), {"query": fusion, "prefetch": [near, near], "limit": 5})
    assert [stage.limit for stage in asked[0][0].prefetch] == [10, 10]
    assert told == ["max_query_limit"] * 2


def test_what_is_asked_in_parts_is_cut_when_it_is_together():
    ids = models.Filter(must=[models.HasIdCondition(has_id=list(range(9)))])
    limits = Limits(condition_max_size=3, filter_max_conditions=1)
    found, asked, _ = ranked(limits, {"filter": ids, "limit": 4, "offset": 2})
    assert [(one.limit, one.offset) for one in asked[0]] == [(6, None)] * 3
    assert found == [[2, 3, 4, 5]]
