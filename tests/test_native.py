"""First uses of native libraries: one thread at a time, and none in a forked child of their parent's."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from qdrant_embed.concurrency import Cancelled, Job, current_job
from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ForkedError
from qdrant_embed.native import Once, initializing

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")


def test_what_is_made_once_is_made_by_one_thread_while_all_others_wait():
    inside, most, made = [], [], []

    def make():
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        made.append(1)
        return object()

    several = [Once(make) for _ in range(3)]
    found = [[] for _ in several]
    threads = [
        threading.Thread(target=lambda once, seen: seen.append(once()), args=pair)
        for pair in zip(several * 4, found * 4, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3
    assert max(most) == 1
    assert all(len(set(map(id, seen))) == 1 for seen in found)


def test_what_could_not_be_made_is_tried_again():
    answers = iter([ValueError("not yet"), 7])

    def make():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    once = Once(make)
    with pytest.raises(ValueError, match="not yet"):
        once()
    assert once() == once() == 7


def test_one_thread_may_initialize_one_library_inside_another():
    with initializing("one library of this test"), initializing("another library of this test"):
        assert Once(lambda: 3)() == 3


def test_who_waits_for_another_thread_is_called_off_and_does_not_count_as_going_on():
    job, held, free, ended = Job(), threading.Event(), threading.Event(), []

    def hold():
        with initializing():
            held.set()
            free.wait(60)

    def wait():
        current_job.set(job)
        try:
            with initializing():
                ended.append("had its turn")
        except Cancelled:
            ended.append("called off")

    holder, waiter = threading.Thread(target=hold), threading.Thread(target=wait)
    holder.start()
    held.wait()
    last = job.last
    waiter.start()
    waiter.join(0.5)
    assert waiter.is_alive()
    assert job.last == last
    job.cancelled.set()
    waiter.join(60)
    free.set()
    holder.join()
    assert ended == ["called off"]


IN_A_CHILD = """
import os, sys, threading, time
from qdrant_embed.errors import ForkedError
from qdrant_embed.native import Once, initializing, make_lock, make_reentrant_lock
from qdrant_embed.tokens import WordTokens

class Loaded:
    def __del__(self):
        if os.getpid() != parent:
            os._exit(9)  # a native destructor would wait for threads, or abort

def load():
    with initializing("a library"):
        return Loaded()

parent, once, lock, again = os.getpid(), Once(load), make_lock(), make_reentrant_lock()
once()
held = threading.Event()

def hold():
    with lock, again, initializing():
        held.set()
        time.sleep(3)

threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    with lock, again, again, initializing("another library"):
        pass
    try:
        once()
    except ForkedError as error:
        refused = str(parent) in str(error) and "spawn" in str(error)
    del once
    os._exit(0 if refused else 8)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@forks
def test_a_forked_child_is_refused_what_its_parent_used_and_never_waits_for_locks_of_it():
    done = subprocess.run([sys.executable, "-c", IN_A_CHILD], capture_output=True, text=True, timeout=60)
    assert done.stdout == "0\n", done.stderr


EMBEDS = """
import os, sys
from qdrant_embed import load_embedder
from qdrant_embed.errors import ForkedError

embedder = load_embedder(sys.argv[1], runtime=sys.argv[2])
before = embedder.embed_documents(["w1 w2"])
child = os.fork()
if child == 0:
    try:
        same = (embedder.embed_documents(["w1 w2"]) == before).all()
    except ForkedError:
        os._exit(7)
    os._exit(0 if same else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@forks
def test_models_without_native_threads_work_in_a_forked_child():
    words = [sys.executable, "-c", EMBEDS, "hashing", "auto"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.stdout == "0\n", done.stderr


@forks
@pytest.mark.model
def test_models_with_native_threads_are_refused_in_a_forked_child():
    embedder = load_embedder("minilm", runtime="torch")
    embedder.embed_documents(["w1 w2"])
    child = os.fork()
    if child == 0:
        signal.alarm(120)  # where it is not refused, it may stand still for ever
        try:
            embedder.embed_documents(["w1 w2"])
        except ForkedError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
