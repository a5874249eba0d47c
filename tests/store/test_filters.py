from datetime import date, datetime

import pytest
from qdrant_client import models

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.filters import both, to_filter


def only(plain):
    (condition,) = to_filter(plain).must
    return condition


def test_no_filter_is_no_filter():
    assert to_filter(None) is None
    assert to_filter({}) is None


def test_a_qdrant_filter_passes_as_it_is():
    given = models.Filter(must=[models.FieldCondition(key="page", match=models.MatchValue(value=1))])
    assert to_filter(given) is given


def test_payload_fields_stand_at_the_top_and_others_in_the_metadata():
    assert only({"source": "a.md"}).key == "source"
    assert only({"author": "Ann"}).key == "metadata.author"


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        ("a.md", models.MatchValue(value="a.md")),
        ("guide/*", models.MatchPrefix(prefix="guide/")),
        (["a.md", "b.md"], models.MatchAny(any=["a.md", "b.md"])),
        (("a.md",), models.MatchAny(any=["a.md"])),
        (True, models.MatchValue(value=True)),
        (7, models.MatchValue(value=7)),
    ],
)
def test_values_become_matches(wanted, match):
    assert only({"source": wanted}).match == match


def test_a_list_with_prefixes_becomes_alternatives():
    condition = only({"source": ["a.md", "guide/*"]})
    assert [alternative.match for alternative in condition.should] == [
        models.MatchValue(value="a.md"),
        models.MatchPrefix(prefix="guide/"),
    ]


def test_ranges_of_numbers_and_of_times():
    assert only({"page": {"gte": 3, "lt": 9}}).range == models.Range(gte=3, lt=9)
    assert only({"modified": {"gte": "2026-01-01"}}).range == models.DatetimeRange(gte=datetime(2026, 1, 1))
    assert only({"modified": {"lt": date(2026, 1, 1)}}).range == models.DatetimeRange(lt=date(2026, 1, 1))


def test_missing_not_any_and_all():
    assert only({"author": None}).is_empty.key == "metadata.author"
    assert only({"page": {"not": 3}}).must_not[0].match == models.MatchValue(value=3)
    assert only({"not": {"page": 3}}).must_not[0] == to_filter({"page": 3})
    assert only({"any": [{"page": 1}, {"page": 2}]}).should == [to_filter({"page": 1}), to_filter({"page": 2})]
    assert only({"all": [{"page": 1}]}).must == [to_filter({"page": 1})]


@pytest.mark.parametrize(
    ("plain", "says"),
    [
        ("page=3", "must be a dict"),
        ({"source": "*/a.md"}, "only prefixes"),
        ({"page": {"above": 3}}, "unknown operators"),
        ({"page": {}}, "unknown operators"),
        ({"modified": {"gte": "yesterday"}}, "ISO 8601"),
        ({"any": "x"}, "takes a list"),
        ({"not": {}}, "empty filter"),
        ({"page": object()}, "cannot filter"),
    ],
)
def test_nonsense_is_refused_with_what_is_possible(plain, says):
    with pytest.raises(ConfigurationError, match=says):
        to_filter(plain)


def test_both():
    first, second = to_filter({"page": 1}), to_filter({"page": 2})
    assert both(first, None) is first
    assert both(None, second) is second
    assert both(first, second).must == [first, second]
