import json

from qdrant_embed.ingest.monitoring.failure_record import (
    LEAST_BYTES,
    MOST_BYTES,
    FailureRecord,
    RecordedFailure,
    entry_of,
    failures_in,
    read_entry,
    room_for,
)
from qdrant_embed.store.metadata import FAILED_KEY

EVIL = "\x1b[31m<script>x</script>\u202e"


def failure(number, reason="encrypted"):
    return RecordedFailure(
        source=f"scans/{number:05}.pdf", root="docs", kind="unreadable", reason=reason, at="2026-01-02T03:04:05+00:00"
    )


def test_an_entry_says_what_it_was_made_of():
    failures = [failure(1), failure(2, "no such filter"), failure(3)]
    entry = json.loads(json.dumps(entry_of(failures, {"withheld": 2}, 1000)))
    assert entry["reasons"] == ["encrypted", "no such filter"]
    found = read_entry(entry, "docs")
    assert list(found) == failures
    assert (found.total, found.kinds) == (5, {"unreadable": 3, "withheld": 2})
    assert found.as_dict()["total"] == 5
    assert entry_of([], {}, 1000) == ""


def test_ten_thousand_failures_have_no_more_room_than_there_is_and_are_all_counted():
    entry = entry_of(map(failure, range(10_000)), {}, MOST_BYTES)
    assert 0.9 * MOST_BYTES < len(json.dumps(entry)) < 1.1 * MOST_BYTES
    found = read_entry(entry, "docs")
    assert found.total == 10_000
    assert 500 < len(found) < 1000
    assert f"10,000 failures, of which the first {len(found):,} are listed" in str(found)
    each = {f"{FAILED_KEY}{number}": entry for number in range(3)}
    assert room_for(each, "4") == LEAST_BYTES
    assert room_for({"other": entry}, "4") == MOST_BYTES


def test_what_others_wrote_under_the_key_is_passed_over():
    for entry in ("", None, 7, [], {"listed": 3}, {"reasons": [], "listed": [["a", 9, "b", "c"]], "unlisted": {}}):
        assert failures_in({f"{FAILED_KEY}docs": entry}) == []


def test_shown_failures_are_text_and_nothing_else():
    found = FailureRecord([RecordedFailure(source=EVIL, root=EVIL, kind=EVIL, reason=f"{EVIL}\nx", at="")])
    assert "\x1b" not in str(found) and "\u202e" not in str(found)
    assert str(found).count("\n") == 2
    assert "<script>" not in found._repr_html_()
    assert str(FailureRecord()) == "nothing failed"
