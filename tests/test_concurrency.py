"""Work in several threads that can be called off."""

import threading
import time

import pytest

from qdrant_embed.concurrency import Cancelled, Job, current_job, in_threads, pause, went_on
from tests.support import forks


@pytest.fixture
def job():
    job = Job()
    outer = current_job.set(job)
    yield job
    current_job.reset(outer)


def test_answers_come_in_the_order_of_the_items():
    def slower_first(number):
        time.sleep((20 - number) / 2000)
        return number * 2

    assert in_threads(slower_first, range(20), 4, "test") == [number * 2 for number in range(20)]
    assert in_threads(slower_first, [], 4, "test") == []


def test_so_many_are_worked_on_at_once_and_no_more():
    barrier, names = threading.Barrier(3, timeout=30), set()

    def meet(_):
        barrier.wait()
        names.add(threading.current_thread().name)

    in_threads(meet, range(9), 3, "test")
    assert names == {"test_0", "test_1", "test_2"}


def test_the_first_error_ends_the_work_and_no_thread_is_left():
    seen = []

    def work(number):
        seen.append(number)
        if number == 2:
            raise ValueError("two")

    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="two"):
        in_threads(work, range(1000), 2, "test")
    assert len(seen) < 1000
    assert not set(threading.enumerate()) - before


def test_a_job_that_is_called_off_ends_its_threads_and_its_pauses(job):
    def work(number):
        if number == 3:
            job.cancelled.set()
        return number

    with pytest.raises(Cancelled):
        in_threads(work, range(1000), 2, "test")
    with pytest.raises(Cancelled):
        pause(60)


def test_a_pause_ends_early_if_it_is_told_to_and_is_no_standstill(job):
    ended = threading.Event()
    ended.set()
    before = job.last
    pause(60, ended)
    assert job.last == before
    pause(0.3)
    assert job.last > before


def test_without_a_job_there_is_nothing_to_call_off():
    went_on()
    pause(0)


HELD_UP = """
import os, signal, sys, threading, time
from qdrant_embed.concurrency import in_threads

threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    in_threads(lambda _: time.sleep(600), range(8), 4, "test")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_neither_an_interruption_nor_the_end_of_a_program_waits_for_what_a_thread_works_on():
    done = forks.run("-c", HELD_UP)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
