import time
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from qdrant_client import models

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.filters import MOST_NESTED, Field, Pattern, both, to_filter


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
        models.MatchAny(any=["a.md"]),
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
        ({'a "name"': 1}, "no engine can filter by"),
        ({"text": {"words": 3}}, "a text with words"),
        ({"page": [{"above": 3}]}, "unknown operators"),
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


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("team", ["metadata.team"]),
        ("metadata.team", ["metadata.team"]),
        ("team name", ['metadata."team name"']),
        ("@id", ['metadata."@id"']),
        ("", ['metadata.""']),
        ("größe", ['metadata."größe"']),
        ("a.b", ["metadata.a.b", 'metadata."a.b"']),
        ("dc:title.en", ['metadata."dc:title".en', 'metadata."dc:title.en"']),
        ('"a b".c', ['metadata."a b".c']),
        ("parts[0].size", ["metadata.parts[0].size", 'metadata."parts[0].size"']),
        ("a..b", ['metadata."a..b"']),
        ('say "hi"', []),
        ("page", ["page"]),
        ("metadata.page", ["metadata.page"]),
    ],
)
def test_keys_become_paths_of_the_engine(key, paths):
    assert list(Field.of(key).paths) == paths


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), Decimal("3.00")])
def test_a_number_of_the_metadata_is_found_however_it_was_stored(value):
    assert only({"price": value}).range == models.Range(gte=3, lte=3)


def test_large_whole_numbers_are_not_rounded():
    assert only({"price": 2**60 + 1}).match == models.MatchValue(value=2**60 + 1)


def test_nan_asks_for_what_is_missing():
    assert only({"price": float("nan")}).is_empty.key == "metadata.price"


@pytest.mark.parametrize(
    ("pattern", "found", "passed_over"),
    [
        ("*.pdf", ["a.pdf", "b/c.pdf", ".pdf"], ["a.pdf.txt", "a.PDF"]),
        ("guide/*.md", ["guide/a.md", "guide/sub/a.md"], ["a.md", "guide/a.txt", "xguide/a.md"]),
        ("guide/**/a.md", ["guide/a.md", "guide/x/a.md", "guide/x/y/a.md"], ["guide/xa.md"]),
        ("**/a.md", ["a.md", "x/a.md"], ["xa.md"]),
        (r"a\*b*", ["a*b", "a*bc"], ["ab", "axb"]),
        ("*a*b*", ["ab", "xaxbx"], ["ba"]),
        ("a**", ["a", "a/b"], ["ba"]),
        ("x**/y", ["x/y", "xz/y"], ["xy"]),
    ],
)
def test_patterns_match_whole_texts(pattern, found, passed_over):
    read = Pattern.of(pattern)
    assert [text for text in [*found, *passed_over] if read.matches(text)] == found


def test_a_pattern_takes_no_longer_than_its_text(limited=5.0):
    started = time.monotonic()
    assert not Pattern.of("*a" * 40 + "b").matches("a" * 20_000)
    assert time.monotonic() - started < limited


def test_nesting_is_limited_and_circles_are_refused():
    deep = {"a": 1}
    for _ in range(MOST_NESTED):
        deep = {"not": deep}
    assert to_filter(deep) is not None
    circle = {"a": 1}
    circle["any"] = [circle]
    by_values = {}
    by_values["a"] = {"not": by_values}
    for wrong in ({"all": [deep]}, circle, {"a": by_values}):
        with pytest.raises(ConfigurationError, match=f"at most {MOST_NESTED} deep|unknown operators"):
            to_filter(wrong)


@pytest.mark.parametrize(
    "several", [range(3, 5), np.array([3, 4]), pd.Series([3, 4]), {3: "a", 4: "b"}.keys(), frozenset([4, 3])]
)
def test_several_values_may_come_in_anything_that_holds_them(several):
    assert to_filter({"page": several}) == to_filter({"page": [3, 4]})


def test_numpys_times_are_times():
    moment = np.datetime64("2026-05-01T06:00")
    assert to_filter({"opened": moment}) == to_filter({"opened": datetime(2026, 5, 1, 6)})
    assert to_filter({"opened": {"gte": moment}}) == to_filter({"opened": {"gte": datetime(2026, 5, 1, 6)}})
    with pytest.raises(ConfigurationError, match="cannot filter"):
        to_filter({"opened": np.datetime64("300000-01-01")})


def test_a_field_called_like_a_word_of_the_grammar_is_told_how_to_be_named():
    with pytest.raises(ConfigurationError, match=r"metadata\.any"):
        to_filter({"any": "Ann"})
    assert only({"metadata.any": "Ann"}).key == "metadata.any"
