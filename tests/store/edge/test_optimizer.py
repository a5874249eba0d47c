"""The search graph, built by a process of its own."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed.store.edge import EdgeEngine, optimizer, shard

POINTS = 600


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Return an engine with a collection whose graph has not been built yet."""
    monkeypatch.setattr(shard, "POINTS_AT_ONCE", 10)
    shard._forked.clear()
    engine = EdgeEngine(tmp_path / "data")
    vectors = {"dense": models.VectorParams(size=16, distance=models.Distance.COSINE)}
    engine.create_collection(
        "pages", vectors_config=vectors, optimizers_config=models.OptimizersConfigDiff(indexing_threshold=10)
    )
    rows = np.random.default_rng(0).standard_normal((POINTS, 16))
    points = [models.PointStruct(id=n, vector={"dense": row.tolist()}, payload={"n": n}) for n, row in enumerate(rows)]
    engine.upsert("pages", points)
    yield engine
    engine.close()


def indexed(engine):
    return engine.get_collection("pages").indexed_vectors_count


def test_another_process_builds_it_while_threads_of_this_one_wait_and_go_on(engine):
    counts, stopped = [], threading.Event()

    def count():
        while not stopped.is_set():
            counts.append(engine.count("pages").count)

    reader = threading.Thread(target=count)
    reader.start()
    assert not indexed(engine)
    engine.finish_bulk_load("pages")
    stopped.set()
    reader.join()
    assert indexed(engine) == POINTS
    assert set(counts) == {POINTS}


def test_an_interruption_ends_the_building_and_leaves_the_collection_as_it_was(engine, monkeypatch):
    started = []

    class Interrupted(subprocess.Popen):
        def communicate(self):
            started.append(self)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(optimizer.subprocess, "Popen", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.finish_bulk_load("pages")
    assert started[0].poll() is not None
    assert engine.count("pages").count == POINTS
    engine.finish_bulk_load("pages")
    assert indexed(engine) == POINTS


@pytest.fixture
def builds(monkeypatch):
    """Return a list that gets an entry for each process that was wanted, of which none is started."""
    wanted = []
    monkeypatch.setattr(optimizer, "build", wanted.append)
    return wanted


CHANGES = {
    "points": lambda engine: engine.upsert("pages", [models.PointStruct(id=POINTS, vector={"dense": [1.0] * 16})]),
    "a payload": lambda engine: engine.set_payload("pages", payload={"n": 0}, points=[3]),
    "a deletion": lambda engine: engine.delete("pages", points_selector=[3]),
    "settings": lambda engine: engine.update_collection("pages", hnsw_config=models.HnswConfigDiff(m=8)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_process_is_started_where_nothing_changed_since_the_last_one(engine, builds, change):
    for _ in range(2):
        engine.finish_bulk_load("pages")
    assert len(builds) == 1
    engine.update_collection("pages", metadata={"a": 1})
    assert engine.count("pages").count == POINTS
    engine.close()
    again = EdgeEngine(engine.path)
    again.finish_bulk_load("pages")
    assert len(builds) == 1
    change(again)
    again.close()  # a process may end before it builds
    again = EdgeEngine(engine.path)
    again.finish_bulk_load("pages")
    again.finish_bulk_load("pages")
    again.close()
    assert len(builds) == 2


def test_a_process_that_was_killed_is_started_again(engine, monkeypatch):
    def killed(_):
        raise optimizer.NotBuiltError("no memory", killed=True)

    with monkeypatch.context() as patched:
        patched.setattr(optimizer, "build", killed)
        engine.finish_bulk_load("pages")
        assert not indexed(engine)
    engine.finish_bulk_load("pages")
    assert indexed(engine) == POINTS


@pytest.mark.parametrize("why", ["no process", "no engine"])
def test_where_there_is_no_other_process_this_one_builds_it(engine, monkeypatch, why):
    monkeypatch.setattr(sys, "executable", "/nowhere" if why == "no process" else "/bin/false")
    engine.finish_bulk_load("pages")
    assert indexed(engine) == POINTS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_after_a_fork_this_process_builds_it_since_a_child_may_hold_the_lock(engine, monkeypatch):
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        monkeypatch.setattr(optimizer, "build", lambda _: pytest.fail("the shard was let go"))
        engine.finish_bulk_load("pages")
        assert indexed(engine) == POINTS
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        shard._forked.clear()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_the_process_ends_without_the_one_that_wanted_it(tmp_path):
    words = [sys.executable, "-P", optimizer.__file__, str(tmp_path / "nowhere"), str(os.getpid() + 1)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
