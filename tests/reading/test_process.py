import os

import psutil
import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.process import Worker


@pytest.fixture
def worker(plugin):
    worker = Worker(timeout=1.5)
    yield worker
    worker.close()


def parse(worker, extension, data=b"words"):
    return worker.parse(data, extension, f"file{extension}")


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        (".slow", r"timed out: parsing took longer than 1\.5 s; raise ReadOptions\.file_timeout"),
        (".stuck", "timed out"),
        (".crash", r"crashed the worker process \(exit code -6\)"),
        (".odd", "no JSON"),
    ],
)
def test_a_reader_that_misbehaves_costs_its_file_only(worker, extension, reason):
    before = parse(worker, ".chatty").metadata["pid"]
    with pytest.raises(ReadError, match=reason):
        parse(worker, extension)
    after = parse(worker, ".chatty")
    assert after.text == "words"
    assert (after.metadata["pid"] == before) == (extension == ".odd")
    assert psutil.pid_exists(before) == (extension == ".odd")


@pytest.mark.skipif(os.name != "posix", reason="address space is limited where the system can")
def test_memory_is_limited(worker):
    with pytest.raises(ReadError, match="needs more memory"):
        parse(worker, ".greedy")
    assert parse(worker, ".chatty").text == "words"


def test_one_process_reads_many_files_and_ends_with_the_reader(worker):
    pids = {parse(worker, ".chatty", str(n).encode()).metadata["pid"] for n in range(20)}
    assert len(pids) == 1
    worker.close()
    assert not psutil.pid_exists(pids.pop())
    assert parse(worker, ".chatty").text == "words", "it starts anew after a close"


def test_an_interrupt_does_not_mix_up_answers(worker, monkeypatch):
    assert parse(worker, ".chatty", b"first").text == "first"

    def interrupt(stream):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("qdrant_embed.reading.process.receive", interrupt)
        with pytest.raises(KeyboardInterrupt):
            parse(worker, ".chatty", b"second")
    assert parse(worker, ".chatty", b"third").text == "third"


def test_large_files_pass_through_the_pipes(worker):
    text = "words " * 2_000_000
    assert parse(worker, ".chatty", text.encode()).text == text
