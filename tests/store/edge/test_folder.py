"""A folder: shared in a process, closed to others, and kept through a kill."""

import gc
import json
import os
import signal
import subprocess
import sys

import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed.errors import (
    CollectionNotFoundError,
    ConfigurationError,
    LocationLockedError,
    QdrantEmbedError,
    StoreError,
)
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.edge.catalog_file import Catalog
from qdrant_embed.store.edge.lock import LOCK_FILE
from qdrant_embed.store.location import open_engine
from tests.support.forks import Fork

VECTORS = {"v": models.VectorParams(size=2, distance=models.Distance.DOT)}

CHILD = """
import sys
from qdrant_client import models
from qdrant_embed.store.location import open_engine
from tests.support.forks import Fork
engine = open_engine(sys.argv[1])
"""

WRITER = """
engine.create_collection("c", {"v": models.VectorParams(size=2, distance=models.Distance.DOT)})
number = 0
while True:
    points = [models.PointStruct(id=number + i, vector={"v": [1.0, i]}, payload={"n": number + i}) for i in range(50)]
    engine.upsert("c", points)
    number += 50
    print(number, flush=True)
"""

HOLDER = "print('held', flush=True)\nsys.stdin.read()"


def child(code, at):
    return Fork("-c", CHILD + code, at, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def kill(process):
    process.kill()
    process.communicate()


def point(number):
    return models.PointStruct(id=number, vector={"v": [1.0, float(number)]}, payload={"n": number})


def shards(at):
    return sorted(path.name for path in (at / "shards").iterdir())


def test_opening_twice_in_one_process_gives_the_same_data(tmp_path):
    first, second = open_engine(tmp_path), open_engine(f"{tmp_path}/../{tmp_path.name}")
    first.create_collection("c", VECTORS)
    second.upsert("c", [point(1)])
    assert first.count("c").count == 1
    first.close()
    first.close()
    assert second.count("c").count == 1
    with pytest.raises(StoreError, match="has been closed"):
        first.count("c")
    second.close()


def test_an_engine_that_is_forgotten_lets_go(tmp_path):
    open_engine(tmp_path)
    gc.collect()
    process = child(HOLDER, tmp_path)
    assert process.stdout.readline() == "held\n"
    kill(process)


def test_the_error_for_a_folder_that_is_held_says_by_whom(tmp_path):
    process = child(HOLDER, tmp_path)
    assert process.stdout.readline() == "held\n"
    with pytest.raises(
        LocationLockedError, match=rf"held by process {process.pid} .*docs\.close\(\).*server"
    ) as caught:
        EdgeEngine(tmp_path)
    assert caught.value.pid == process.pid
    kill(process)
    open_engine(tmp_path).close()


def test_a_note_of_a_process_that_has_died_does_not_lock(tmp_path):
    (tmp_path / LOCK_FILE).write_text('{"pid": 999999, "program": "gone", "started": "long ago"}')
    open_engine(tmp_path).close()
    assert (tmp_path / LOCK_FILE).read_text() == ""


def test_the_note_tells_no_arguments(tmp_path):
    engine = open_engine(tmp_path)
    note = json.loads((tmp_path / LOCK_FILE).read_text())
    engine.close()
    assert note["pid"] == os.getpid()
    assert "/" not in note["program"]
    assert not any(argument in note["program"] for argument in sys.argv[1:])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_leaves_the_folder_to_its_parent(tmp_path):
    code = """
import os, warnings
warnings.simplefilter("ignore")
engine.create_collection("c", {"v": models.VectorParams(size=2, distance=models.Distance.DOT)})
child = os.fork()
if not child:
    try:
        engine.count("c")
    except Exception as error:
        os.write(1, f"{type(error).__name__}: forked\\n".encode() if "forked" in str(error) else b"?")
    os._exit(0)
os.waitpid(child, 0)
print(engine.count("c").count, flush=True)
"""
    process = child(code, tmp_path)
    output, _ = process.communicate(timeout=60)
    assert output.splitlines() == ["StoreError: forked", "0"]


def test_acknowledged_points_survive_a_kill(tmp_path):
    process = child(WRITER, tmp_path)
    for _ in range(10):
        acknowledged = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    acknowledged = max([acknowledged, *map(int, rest.split())])
    engine = open_engine(tmp_path)
    numbers = {record.payload["n"] for record in engine.scroll("c", limit=10**6)[0]}
    engine.close()
    assert set(range(acknowledged)) <= numbers


def test_only_the_shards_that_are_asked_for_are_opened(tmp_path):
    engine = open_engine(tmp_path)
    for name in "abc":
        engine.create_collection(name, VECTORS)
    engine.close()
    engine = open_engine(tmp_path)
    engine.count("b")
    assert [shard.collection for shard in engine.folder()._shards.values()] == ["b"]
    assert {found.name for found in engine.get_collections().collections} == set("abc")
    engine.close()


def test_any_name_will_do(tmp_path):
    engine = open_engine(tmp_path)
    for name in ("../../etc", "a/b", "CON", "ü ?*", "x" * 300):
        engine.create_collection(name, VECTORS)
        engine.upsert(name, [point(1)])
    with pytest.raises(ConfigurationError, match="not empty"):
        engine.create_collection("", VECTORS)
    engine.close()
    engine = open_engine(tmp_path)
    assert engine.count("../../etc").count == engine.count("x" * 300).count == 1
    engine.close()
    assert len(shards(tmp_path)) == 5


def test_a_refused_configuration_leaves_nothing(tmp_path):
    engine = open_engine(tmp_path)
    with pytest.raises(StoreError, match="no collections whose points have no vectors"):
        engine.create_collection("c")
    engine.close()
    assert shards(tmp_path) == []
    assert not Catalog.read(tmp_path).collections


def test_data_of_others_is_not_taken_for_ours(tmp_path):
    client = QdrantClient(path=str(tmp_path / "local"))
    client.close()
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "raft_state.json").write_text("{}")
    (tmp_path / "file").write_text("")
    for name, message in (("local", r"at=QdrantClient\(path=…\)"), ("server", "server's URL"), ("file", "is a file")):
        with pytest.raises(ConfigurationError, match=message):
            open_engine(tmp_path / name)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "shards").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="cannot be used"):
        open_engine(tmp_path)


def test_deleting_forgets_everything(tmp_path):
    engine = open_engine(tmp_path)
    engine.create_collection("c", VECTORS)
    engine.upsert("c", [point(1)])
    assert engine.delete_collection("c")
    assert not engine.delete_collection("c")
    with pytest.raises(CollectionNotFoundError, match=r"'c'.*none"):
        engine.count("c")
    engine.create_collection("c", VECTORS)
    assert engine.count("c").count == 0
    engine.close()
    assert len(shards(tmp_path)) == 1


def test_every_error_is_ours(tmp_path):
    engine = open_engine(tmp_path)
    engine.create_collection("c", VECTORS)
    engine.upsert("c", [point(1)])
    for ask in (
        lambda: engine.facet("c", "n"),
        lambda: engine.scroll("c", order_by="n"),
        lambda: engine.scroll("c", order_by="n", offset=1),
        lambda: engine.set_payload("c", {"n": 1}, points=[404]),
        lambda: engine.upsert("c", [models.PointStruct(id=1, vector={"v": [1.0, 2.0]}, payload={"n": float("inf")})]),
        lambda: engine.query_points("c", "5f0e0000-0000-0000-0000-000000000000", using="v"),
        lambda: engine.retrieve("c", ["no id"]),
    ):
        with pytest.raises(QdrantEmbedError):
            ask()
    engine.close()
