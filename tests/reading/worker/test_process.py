import math
import os
import threading
import time

import psutil
import pytest

from qdrant_embed.reading.worker.process import StoppedError, Worker

LIMITS = {"bytes": 2**26, "characters": 2**26, "memory": 2**31, "encoding": ""}
HANGING = {".slow", ".stuck"}


@pytest.fixture
def worker(plugin, request):
    """Return a worker that waits long for each file, unless the test wants one to hang."""
    hangs = "extension" in request.fixturenames and request.getfixturevalue("extension") in HANGING
    worker = Worker(3.0 if hangs else 60.0, LIMITS)
    yield worker
    worker.close()


@pytest.fixture
def ask(worker, tmp_path):
    """Return a function that writes files, given as (extension, content), and yields the worker's answers for them."""

    def run(*files):
        paths = []
        for number, (extension, content) in enumerate(files):
            path = tmp_path / f"file{number}{extension}"
            path.write_bytes(content)
            paths.append(str(path))
        return worker.answers(paths)

    return run


def pid(ask):
    ((answer, _),) = ask((".chatty", b"words"))
    assert "metadata" in answer, answer
    return answer["metadata"]["pid"]


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        (".slow", "timed out: reading took longer than 3 s; raise ReadOptions.file_timeout"),
        (".stuck", "timed out"),
        (".crash", "crashed the worker process (exit code -6)"),
        (".odd", "no JSON"),
    ],
)
def test_a_reader_that_misbehaves_costs_its_file_only(ask, extension, reason):
    before = pid(ask)
    first, bad, last = ask((".chatty", b"first"), (extension, b"words"), (".chatty", b"last"))
    assert (first[1], last[1]) == (b"first", b"last")
    assert reason in bad[0]["error"]
    after = last[0]["metadata"]["pid"]
    assert (after == before) == (extension == ".odd")
    assert psutil.pid_exists(before) == (extension == ".odd")


@pytest.mark.skipif(os.name != "posix", reason="address space is limited where the system can")
def test_memory_is_limited(ask):
    greedy, chatty = ask((".greedy", b""), (".chatty", b"words"))
    assert "needs more memory" in greedy[0]["error"]
    assert chatty[1] == b"words"


def test_one_process_reads_many_files_and_ends_with_the_reader(ask, worker):
    pids = {answer["metadata"]["pid"] for answer, _ in ask(*[(".chatty", b"words")] * 20)}
    assert len(pids) == 1
    worker.close()
    assert not psutil.pid_exists(pids.pop())
    assert pid(ask), "it starts anew after a close"


def test_answers_that_are_not_awaited_are_not_taken_for_the_next_ones(ask):
    answers = ask((".chatty", b"first"), (".chatty", b"second"), (".chatty", b"third"))
    assert next(answers)[1] == b"first"
    answers.close()
    ((_, text),) = ask((".chatty", b"fourth"))
    assert text == b"fourth"


def test_an_interrupt_does_not_mix_up_answers(ask, monkeypatch):
    def interrupt(stream):
        raise KeyboardInterrupt

    assert pid(ask)
    with monkeypatch.context() as patch:
        patch.setattr("qdrant_embed.reading.worker.process.receive", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(ask((".chatty", b"second")))
    ((_, text),) = ask((".chatty", b"third"))
    assert text == b"third"


def test_large_texts_come_in_parts_on_request(plugin, tmp_path):
    data = b"words " * 600_000
    for name, content in {"a": data, "b": b"second", "c": data, "d": b"last"}.items():
        (tmp_path / f"{name}.chatty").write_bytes(content)
    worker = Worker(60.0, LIMITS)
    answers = worker.answers([str(tmp_path / f"{name}.chatty") for name in "abcd"])
    answer, text = next(answers)
    assert len(text) < len(data)
    while answer["more"]:
        answer, part = worker.more()
        text += part
    assert text == data
    assert next(answers)[1] == b"second"
    assert next(answers)[0]["more"]
    worker.more()
    worker.enough()
    assert next(answers)[1] == b"last"
    worker.close()


def test_it_waits_without_limit_and_stops_from_another_thread(plugin, tmp_path):
    path = tmp_path / "file.stuck"
    path.write_bytes(b"words")
    worker = Worker(math.inf, LIMITS)
    stopper = threading.Timer(1.0, worker.stop)
    stopper.start()
    began = time.monotonic()
    with pytest.raises(StoppedError):
        next(worker.answers([str(path)]))
    assert time.monotonic() - began < 60
    with pytest.raises(StoppedError):
        next(worker.answers([str(path)]))
