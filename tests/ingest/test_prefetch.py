import itertools
import threading
import time

import pytest

from qdrant_embed.concurrency import went_on
from qdrant_embed.ingest.prefetch import Prefetcher


def test_items_come_in_order_through_several_stages():
    with Prefetcher() as flow:
        first = flow.stage(range(100), 3, "numbers")
        second = flow.stage((number * 2 for number in first), 2, "doubles")
        assert list(second) == [number * 2 for number in range(100)]


def test_a_stage_runs_ahead_by_no_more_than_its_capacity():
    made = []

    def numbers():
        for number in itertools.count():
            made.append(number)
            yield number

    with Prefetcher() as flow:
        stage = flow.stage(numbers(), 4, "numbers")
        next(stage)
        deadline = time.monotonic() + 5
        while len(made) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        assert len(made) == 6  # one taken, four queued, one in the producer's hand


def test_an_error_arrives_after_what_was_made_before_it():
    def numbers():
        yield 1
        yield 2
        raise ValueError("three")

    got = []
    with pytest.raises(ValueError, match="three"), Prefetcher() as flow:
        got.extend(flow.stage((number for number in flow.stage(numbers(), 8, "a")), 8, "b"))
    with Prefetcher() as flow:
        stage = flow.stage(numbers(), 8, "a")
        assert [next(stage), next(stage)] == [1, 2]


def test_leaving_early_ends_every_thread_and_closes_the_source():
    closed = threading.Event()

    def numbers():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    before = set(threading.enumerate())
    with Prefetcher() as flow:
        stage = flow.stage((number for number in flow.stage(numbers(), 2, "a")), 2, "b")
        assert next(stage) == 0
    assert closed.is_set()
    assert not set(threading.enumerate()) - before


def test_an_error_while_a_source_is_closed_arrives_and_is_not_waited_for():
    class Numbers:
        def __iter__(self):
            return self

        def __next__(self):
            raise StopIteration

        def close(self):
            raise OSError("the pipe is gone")

    with pytest.raises(OSError, match="the pipe is gone"), Prefetcher() as flow:
        list(flow.stage(Numbers(), 2, "a"))


def test_a_stage_that_cannot_be_interrupted_holds_nobody_up():
    going = threading.Event()

    def numbers():
        yield 0
        going.wait(120)
        yield 1

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Prefetcher() as flow:
        for _ in flow.stage((number for number in flow.stage(numbers(), 2, "a")), 2, "b"):
            raise KeyboardInterrupt
    assert time.monotonic() - began < 10
    going.set()


def test_a_long_step_of_a_stage_that_tells_of_its_progress_ends_with_the_flow():
    ended = threading.Event()

    def numbers():
        yield 0
        try:
            while True:
                time.sleep(0.01)
                went_on()
        finally:
            ended.set()

    with Prefetcher() as flow:
        assert next(flow.stage(numbers(), 2, "a")) == 0
    assert ended.wait(10)


def test_a_stage_that_waits_for_something_else_is_told_first():
    released = threading.Event()

    def waiting():
        yield 1
        released.wait(60)

    began = time.monotonic()
    with Prefetcher(stop=released.set) as flow:
        next(flow.stage(waiting(), 1, "waiting"))
    assert time.monotonic() - began < 20
