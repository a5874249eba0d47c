"""A stage that stands still is named, with where it stands, and one that goes on is not."""

import ctypes
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from qdrant_embed import Document, IngestOptions, concurrency
from qdrant_embed.concurrency import went_on
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.monitoring import watchdog
from qdrant_embed.ingest.prefetch import Prefetcher
from tests.support import forks


def numbers():
    yield from range(3)


def stands_still(said):
    """Yield numbers, the second one not before the watchdog has barked."""
    yield 0
    deadline = time.monotonic() + 30
    while "stands still" not in said() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield 1


@pytest.fixture
def said(capsys):
    """Return a function for what was written to stderr so far, by any thread."""
    seen = []

    def so_far():
        seen.append(capsys.readouterr().err)
        return "".join(seen)

    return so_far


def test_the_stage_that_stands_still_is_named_and_the_ingest_goes_on(said):
    with Prefetcher(stall_seconds=0.5) as flow:
        first = flow.stage(stands_still(said), 2, "chunk")
        assert list(flow.stage((number for number in first), 2, "embed")) == [0, 1]
    assert "stage 'chunk' stands still" in said()
    assert "embed' stands" not in said()
    assert "in stands_still" in said(), "the stacks show where"
    assert "'qdrant-embed-chunk'" in said()
    assert said().count("in stands_still") == 1, "the stacks are shown once"


def test_the_stage_in_the_caller_is_named_too(said):
    with Prefetcher(stall_seconds=0.5) as flow:
        for _ in zip(flow.stage(numbers(), 2, "read"), stands_still(said), strict=False):
            pass
    assert "stage 'write' stands still" in said()


class Clock:
    """A clock that moves when it is told to, and knows when the watchdog has looked at it."""

    def __init__(self, patch):
        self.now, self.looked = 100.0, threading.Event()
        patch.setattr(concurrency, "time", SimpleNamespace(monotonic=lambda: self.now))
        patch.setattr(watchdog, "time", SimpleNamespace(monotonic=self._look))

    def _look(self):
        self.looked.set()
        return self.now

    def pass_by(self, seconds):
        self.now += seconds

    def let_it_look(self):
        for _ in range(2):  # what it makes of the first look is there at the second
            self.looked.clear()
            assert self.looked.wait(60)


def test_a_slow_stage_that_goes_on_is_left_alone_until_it_stands_still(said, monkeypatch):
    clock, before = Clock(monkeypatch), []

    def slow():
        for _ in range(3):
            clock.pass_by(0.09)
            went_on()
            clock.let_it_look()
        before.append(said())
        clock.pass_by(0.11)
        clock.let_it_look()
        yield 1

    with Prefetcher(stall_seconds=0.1) as flow:
        assert list(flow.stage(slow(), 2, "embed")) == [1]
    assert before == [""]
    assert "stage 'embed' stands still" in said()


def test_no_thread_is_left_of_it(said):
    before = set(threading.enumerate())  # those of the test before may end meanwhile
    with Prefetcher(stall_seconds=60.0) as flow:
        assert list(flow.stage(numbers(), 2, "read")) == [0, 1, 2]
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not set(threading.enumerate()) - before


LOCKED = """
import ctypes
from qdrant_embed.ingest.prefetch import Prefetcher
from tests.support import forks

def holds_the_lock():
    yield 0
    ctypes.PyDLL(None).usleep(2_500_000)  # as a native library that waits with the interpreter's lock held
    yield 1

with Prefetcher(stall_seconds=0.5) as flow:
    print(list(flow.stage(holds_the_lock(), 2, "embed")))
"""


@pytest.mark.skipif(not hasattr(ctypes.pythonapi, "usleep") and sys.platform != "linux", reason="usleep is POSIX")
def test_stacks_are_shown_although_the_interpreters_lock_is_held():
    done = forks.run("-c", LOCKED)
    assert done.stdout == "[0, 1]\n"
    assert "Timeout" in done.stderr
    assert "in holds_the_lock" in done.stderr


def test_an_ingest_is_watched(make_collection, said):
    def documents():
        for number in stands_still(said):
            yield Document(text=f"Crane {number} lifts twelve tons.", source=f"{number}.txt")

    report = make_collection().ingest(documents(), options=IngestOptions(stall_seconds=0.5))
    assert report.documents == 2
    assert "stage 'read' stands still" in said()


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_time_that_makes_no_sense_is_refused(seconds):
    with pytest.raises(ConfigurationError, match="stall_seconds"):
        IngestOptions(stall_seconds=seconds)
