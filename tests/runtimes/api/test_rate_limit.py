"""No window of time sees more than was allowed."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.runtimes.api import rate_limit
from qdrant_embed.runtimes.api.rate_limit import Gate, Stopped


class Clock:
    """A clock that moves when somebody waits at a gate, and only then."""

    def __init__(self, patch):
        self.now = 100.0
        patch.setattr(rate_limit, "time", self)
        patch.setattr(rate_limit, "pause", self.pause)

    def monotonic(self):
        return self.now

    def pause(self, seconds, ended):
        assert not ended.is_set()
        self.now += seconds


@given(
    sizes=st.lists(st.tuples(st.integers(1, 40), st.floats(0, 30)), max_size=40),
    requests=st.integers(0, 5),
    tokens=st.integers(0, 60),
)
def test_limits_hold_in_every_window(sizes, requests, tokens):
    with pytest.MonkeyPatch.context() as patch:
        clock, stop = Clock(patch), threading.Event()
        limit, passed = Gate(requests=requests, tokens=tokens), []
        for size, idle in sizes:
            clock.now += idle
            limit.enter(size, stop)
            passed.append((clock.now, size))
    for start, size in passed:
        within = [other for moment, other in passed if start <= moment < start + 59.99]
        assert not requests or len(within) <= requests
        assert not tokens or sum(within) <= max(tokens, size)


def test_no_limit_means_no_waiting(monkeypatch):
    clock, stop, limit = Clock(monkeypatch), threading.Event(), Gate()
    for _ in range(1000):
        limit.enter(10**6, stop)
    assert clock.now == 100.0


def test_a_pause_holds_everybody(monkeypatch):
    clock, limit = Clock(monkeypatch), Gate()
    limit.pause(7)
    limit.pause(3)
    limit.enter(1, threading.Event())
    assert clock.now == 107.0


def test_waiting_ends_with_the_call():
    stop, limit = threading.Event(), Gate(requests=1)
    limit.enter(1, stop)
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Stopped):
        limit.enter(1, stop)
