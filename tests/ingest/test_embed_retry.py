import pytest

from qdrant_embed.errors import TextTooLongError
from qdrant_embed.ingest import embed_retry
from qdrant_embed.ingest.embed_retry import in_halves


@pytest.fixture
def no_waiting(monkeypatch):
    waits = []
    monkeypatch.setattr(embed_retry, "pause", waits.append)
    return waits


def test_a_batch_that_works_is_one_call():
    calls = []
    in_halves([1, 2, 3], calls.append, pytest.fail)
    assert calls == [[1, 2, 3]]


def test_a_passing_fault_is_waited_out(no_waiting):
    calls = []

    def act(items):
        calls.append(list(items))
        if len(calls) < embed_retry.ATTEMPTS:
            raise ConnectionError

    in_halves([1, 2], act, pytest.fail)
    assert calls == [[1, 2]] * embed_retry.ATTEMPTS
    assert len(no_waiting) == embed_retry.ATTEMPTS - 1


def test_the_bad_item_is_found_and_everything_else_is_done_in_order(no_waiting):
    done, bad = [], []

    def act(items):
        if 5 in items:
            raise OSError("bad item")
        done.extend(items)

    in_halves(list(range(9)), act, lambda item, error: bad.append((item, str(error))))
    assert done == [0, 1, 2, 3, 4, 6, 7, 8]
    assert bad == [(5, "bad item")]


def test_a_fault_that_is_not_in_the_items_stops_the_run(no_waiting):
    tried = []

    def act(items):
        tried.append(list(items))
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        in_halves(list(range(64)), act, lambda item, error: None)
    assert len(tried) < 32


def test_texts_that_are_too_long_are_listed_however_many(no_waiting):
    def act(items):
        raise TextTooLongError("too long")

    listed = []
    in_halves([1, 2, 3, 4, 5, 6], act, lambda item, error: listed.append(item))
    assert listed == [1, 2, 3, 4, 5, 6]
    assert no_waiting == []
