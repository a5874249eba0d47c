"""Limits as a server tells them, and its refusals as it words them."""

import json
from pathlib import Path

import pytest
from qdrant_client import models

from qdrant_embed.store.client.limits import Limits, in_parts, least, limit_error

RECORDED = Path(__file__).parents[2] / "data/server"
INFO = {
    "params": {"vectors": {"v": {"size": 2, "distance": "Dot"}}},
    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
    "optimizer_config": {"default_segment_number": 0, "flush_interval_sec": 5},
}


def info(**strict):
    config = {**INFO, "strict_mode_config": strict} if strict else INFO
    schema = {"source": {"data_type": "keyword", "points": 3}}
    given = {"status": "green", "optimizer_status": "ok", "segments_count": 1, "payload_schema": schema}
    return models.CollectionInfo.model_validate({**given, "config": config})


def test_limits_are_those_of_strict_mode_where_it_is_on():
    found = Limits.of(
        info(enabled=True, max_query_limit=10, search_allow_exact=False, unindexed_filtering_update=False)
    )
    assert found == Limits(max_query_limit=10, search_allow_exact=False, indexed=frozenset({"source"}))
    assert found.any
    for off in (info(enabled=False, max_query_limit=10), info(enabled=True, max_timeout=1), info()):
        assert not Limits.of(off).any


def test_least_is_what_one_request_may_have():
    assert (least(50, None, 10, 20), least(5, None, 10), least(5), least(4.0, 1.0)) == (10, 5, 5, 1.0)
    assert [list(part) for part in in_parts([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert [list(part) for part in in_parts([1, 2, 3], None)] == [[1, 2, 3]]
    assert list(in_parts([], None)) == []


def refusals():
    for version in ("1.18.3", "1.19.0"):
        for recorded in json.loads((RECORDED / f"answers-{version}.json").read_text()):
            refused = recorded["status"] >= 400 and recorded["what"].startswith("strict ")
            # What comes too often is waited for; a pause makes no request smaller.
            if refused and recorded["retry_after"] is None:
                yield pytest.param(recorded, id=f"{version}: {recorded['what']}")


@pytest.mark.parametrize("recorded", list(refusals()))
def test_a_refusal_names_the_limit_with_its_value(recorded):
    setting, value = recorded["what"].removeprefix("strict ").split(":")[0].split("=")
    detail = recorded["answer"]["status"]["error"]
    error = limit_error(detail, f"there: {detail}")
    if setting.startswith("unindexed"):
        assert "collection.index_field('team')" in str(error)
        assert "qdrant-embed ingest … --index team=keyword" in str(error)
        return
    assert error.limit == setting
    named = setting if setting.endswith("rate_limit") else f"{setting}={value.lower().removesuffix('.0')} in"
    assert named in str(error)
    assert detail in str(error)


@pytest.mark.parametrize(
    ("key", "kind", "advice"),
    [
        ("metadata.size", "integer", "collection.index_field('size', 'integer')"),
        ('metadata."two words".part', "keyword", "collection.index_field('two words.part')"),
        ("chunk_index", "integer", "with a key that may write, which makes the index"),
    ],
)
def test_a_field_without_an_index_is_named_as_it_is_typed(key, kind, advice):
    detail = f'Bad request: Index required but not found for "{key}" of one of the following types: [{kind}]. Help: x'
    assert advice in str(limit_error(detail, detail))


@pytest.mark.parametrize(
    ("detail", "named"),
    [
        ("Max points count limit of 500 reached!", "max_points_count=500 "),
        ("Max vector storage size limit of 1.5MB reached!", "max_collection_vector_size_bytes=1.5MB "),
        ("Max payload storage size limit of 2MB reached!", "max_collection_payload_size_bytes=2MB "),
        (
            "Request is forbidden on 'dense' because global vector indexing is disabled (hnsw_config.m = 0)",
            "search_allow_exact=false ",
        ),
    ],
)
def test_refusals_that_were_not_recorded_are_named_as_the_sources_word_them(detail, named):
    assert named in str(limit_error(f"Bad request: {detail}", ""))


def test_other_refusals_are_none_of_limits():
    assert limit_error("HTTP 400, Wrong input: Not existing vector name error: nope", "") is None
    assert limit_error('Bad request: Limit exceeded 3 > 2 for "patience"', "") is None
