"""Two and three processes on one folder: asked through its holder, and taken over when that is gone."""

import os
import re
import signal
import subprocess
import threading
from contextlib import closing

import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import CollectionExistsError, CollectionNotFoundError, StoreError
from qdrant_embed.store.edge.lock import read_holder
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.sharing import holder_link
from qdrant_embed.store.sharing.shared_engine import SharedEngine
from qdrant_embed.testing.conformance.engines import check_engine
from tests.support.forks import Fork, run

VECTORS = {"v": models.VectorParams(size=2, distance=models.Distance.DOT)}
RECIPE = Recipe(model="hashing")

START = """
import os, sys, time
from qdrant_client import models
from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.store.location import open_engine
at = sys.argv[1]
def points(first, count):
    return [models.PointStruct(id=i, vector={"v": [1.0, i]}, payload={"n": i}) for i in range(first, first + count)]
"""
HOLDER = """
engine = open_engine(at)
print("held", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Program:
    """Another process, which is told line by line what to do."""

    def __init__(self, at, code=HOLDER):
        self.process = Fork("-c", START + code, at, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "held\n"

    def begin(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def said(self):
        return self.process.stdout.readline().strip()

    def do(self, line):
        self.begin(line)
        assert self.said() == "done"

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.communicate()


@pytest.fixture
def start(tmp_path):
    """Start programs that hold the folder, or join it; they are gone at the end."""
    started = []

    def make(code=HOLDER):
        started.append(Program(tmp_path / "data", code))
        return started[-1]

    yield make
    for one in started:
        one.process.send_signal(signal.SIGCONT)
        one.kill()


@pytest.fixture
def joined(start, tmp_path):
    """Return an engine on a folder that another process holds, and that process."""
    holder = start()
    engine = open_engine(tmp_path / "data")
    assert isinstance(engine, SharedEngine)
    yield engine, holder
    engine.close()


def point(number):
    return models.PointStruct(id=number, vector={"v": [1.0, float(number)]}, payload={"n": number})


def numbers(engine):
    return sorted(record.payload["n"] for record in engine.scroll("c", limit=10**6)[0])


def test_an_engine_that_is_asked_through_its_holder_is_like_any_other(joined):
    engine, _ = joined
    check_engine(engine)


def test_errors_of_the_holder_come_back_as_they_are(joined):
    engine, _ = joined
    engine.create_collection("c", VECTORS)
    with pytest.raises(CollectionExistsError, match="'c' already exists"):
        engine.create_collection("c", VECTORS)
    with pytest.raises(CollectionNotFoundError, match="'nothing'"):
        engine.count("nothing")
    with pytest.raises(StoreError, match="the point 1 cannot be stored"):
        engine.upsert(
            "c", [models.PointStruct.model_construct(id=1, vector={"v": [1.0, 2.0]}, payload={"n": object()})]
        )
    with pytest.raises(TypeError, match="wrong"):
        engine.count("c", wrong=1)
    with pytest.raises(AttributeError):
        engine.folder()
    assert engine.count("c").count == 0


def test_the_methods_of_a_client_are_asked_for_too(joined):
    engine, _ = joined
    engine.create_collection("c", VECTORS)
    engine.upload_points("c", (point(number) for number in range(5)), batch_size=2)
    found = engine.query_points_groups("c", "n", [1.0, 1.0], using="v", limit=2, group_size=1)
    assert [group.hits[0].id for group in found.groups] == [4, 3]


def test_who_holds_the_folder_is_said(joined):
    engine, holder = joined
    assert re.search(rf"qdrant-edge-py .*, in process {holder.process.pid} \(-c, since 20", engine.described)


def test_what_a_killed_holder_had_acknowledged_is_there(joined, tmp_path):
    engine, holder = joined
    engine.create_collection("c", VECTORS)
    engine.upsert("c", [point(number) for number in range(100)])
    holder.do("engine.upsert('c', points(100, 50))")
    holder.kill()
    assert numbers(engine) == list(range(150))
    assert read_holder(tmp_path / "data")["pid"] == os.getpid()
    assert "process" not in engine.described


def test_a_holder_that_closes_is_followed_by_another_without_notice(joined):
    engine, holder = joined
    engine.create_collection("c", VECTORS)
    holder.do("engine.close()")
    engine.upsert("c", [point(1)])
    holder.do("engine = open_engine(at)")
    holder.do("engine.upsert('c', points(2, 1)); assert type(engine).__name__ == 'SharedEngine'")
    assert numbers(engine) == [1, 2]


KILLED = """
from qdrant_embed.store.edge import EdgeEngine
before = EdgeEngine.{method}
def die(self, *arguments, **named):
    {last}
    os.kill(os.getpid(), 9)
EdgeEngine.{method} = die
"""
ONCE_MORE = [
    ("upsert", lambda engine: engine.upsert("c", [point(number) for number in range(20)]), list(range(20))),
    ("delete", lambda engine: engine.delete("c", models.Filter(must=[
        models.FieldCondition(key="n", range=models.Range(gte=5))])), list(range(5))),
    ("set_payload", lambda engine: engine.set_payload("c", {"n": 7}, [1]), [0, 2, 3, 4, 5, 6, 7, 7, 8, 9]),
    ("delete_collection", lambda engine: engine.delete_collection("c"), None),
]  # fmt: skip


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("method", "call", "left"), ONCE_MORE, ids=[case[0] for case in ONCE_MORE])
def test_a_call_in_which_the_holder_is_killed_is_made_again(start, tmp_path, method, call, left, carried_out):
    last = "before(self, *arguments, **named)" if carried_out else "pass"
    start(KILLED.format(method=method, last=last) + HOLDER)
    engine = open_engine(tmp_path / "data")
    engine.create_collection("c", VECTORS)
    if method != "upsert":
        engine.upsert("c", [point(number) for number in range(10)])
    assert call(engine)
    if left is None:
        assert not engine.collection_exists("c")
    else:
        assert numbers(engine) == left
    engine.close()


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
def test_a_collection_is_made_once_where_the_holder_is_killed_meanwhile(start, tmp_path, carried_out):
    last = "before(self, *arguments, **named)" if carried_out else "pass"
    start(KILLED.format(method="create_collection", last=last) + HOLDER)
    engine = open_engine(tmp_path / "data")
    assert engine.create_collection("c", VECTORS, metadata={"made": "by us"})
    with pytest.raises(CollectionExistsError):
        engine.create_collection("c", VECTORS, metadata={"made": "by us"})
    engine.close()


def test_of_two_that_wait_one_takes_over_and_answers_the_other(joined, start, tmp_path):
    engine, holder = joined
    engine.create_collection("c", VECTORS)
    third = start()
    holder.kill()
    threads = [threading.Thread(target=engine.upsert, args=("c", [point(number)])) for number in range(8)]
    third.begin("engine.upsert('c', points(8, 100))")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert third.said() == "done"
    assert numbers(engine) == list(range(108))
    assert read_holder(tmp_path / "data")["pid"] in (os.getpid(), third.process.pid)


def test_threads_share_an_engine(joined):
    engine, _ = joined
    engine.create_collection("c", VECTORS)

    def write(first):
        for number in range(first, first + 20):
            engine.upsert("c", [point(number)])
            assert engine.retrieve("c", [number])[0].payload == {"n": number}

    threads = [threading.Thread(target=write, args=(first,)) for first in range(0, 200, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert numbers(engine) == list(range(200))


WRITER = """
docs = Collection.open("notes", at=at, recipe=Recipe(model="hashing"))
print("held", flush=True)
for line in sys.stdin:
    docs.ingest([Document(text=f"text {number} of {line}", source=f"{line.strip()}{number}") for number in range(40)])
    print(docs.count(), flush=True)
"""


def test_collections_are_searched_while_another_process_ingests(start, tmp_path):
    with Collection.open("notes", at=tmp_path / "data", recipe=RECIPE) as docs:
        docs.ingest([Document(text="the harbour crane", source="ours")])
        other = start(WRITER)
        other.begin("theirs")
        while docs.search("harbour crane", k=1)[0].source != "ours" or docs.count() < 41:
            assert other.process.poll() is None
        assert other.said() == "41"
        docs.ingest([Document(text="the harbour crane", source="ours")])
        assert docs.count() == 41
        other.kill()


def test_info_says_who_holds_the_folder(start, tmp_path):
    with Collection.open("notes", at=tmp_path / "data", recipe=RECIPE) as docs:
        assert "held_by" not in docs.info()
    holder = start()
    with Collection.open("notes", at=tmp_path / "data") as docs:
        assert docs.info()["held_by"].startswith(f"process {holder.process.pid} (-c, since 20")
        holder.do("engine.close()")
        docs.search("crane")
        assert "held_by" not in docs.info()


def test_two_ingests_of_the_same_texts_leave_them_once(start, tmp_path):
    first, second = start(WRITER), start(WRITER)
    for _ in range(2):
        first.begin("same")
        second.begin("same")
        assert (int(first.said()), int(second.said())) <= (40, 40)
    with Collection.open("notes", at=tmp_path / "data") as docs:
        assert docs.count() == 40
        first.kill()
        assert docs.count() == 40


def test_a_holder_that_is_stopped_is_told_and_asked_again_later(joined, monkeypatch):
    engine, holder = joined
    engine.create_collection("c", VECTORS)
    monkeypatch.setattr(holder_link, "STOPPED_SECONDS", 0.1)
    holder.process.send_signal(signal.SIGSTOP)
    with pytest.raises(StoreError, match=rf"process {holder.process.pid} .* is stopped.*kill -CONT"):
        engine.count("c")
    holder.process.send_signal(signal.SIGCONT)
    assert engine.count("c").count == 0


def test_programs_one_after_the_other_use_the_folder(tmp_path):
    with closing(open_engine(tmp_path / "data")) as engine:
        engine.create_collection("c", VECTORS)
        for number in range(10):
            done = run("-c", f"{START}open_engine(at).upsert('c', points({number}, 2))", tmp_path / "data")
            assert (done.returncode, done.stderr) == (0, "")
        assert numbers(engine) == list(range(11))


def test_a_holder_ends_while_others_are_connected(joined):
    engine, holder = joined
    engine.create_collection("c", VECTORS)
    holder.process.communicate(timeout=20)
    assert holder.process.returncode == 0
    assert engine.count("c").count == 0


def test_a_forked_child_asks_as_its_parent_does(joined):
    engine, holder = joined
    engine.create_collection("c", VECTORS)
    holder.do("engine.close()")
    assert numbers(engine) == []
    holder.do("engine = open_engine(at); assert engine.count('c').count == 0")
    holder.do("import warnings; warnings.simplefilter('ignore')")
    holder.do(
        "child = os.fork() or (engine.upsert('c', points(0, 3)), os._exit(0)); assert not os.waitpid(child, 0)[1]"
    )
    holder.do("engine.upsert('c', points(3, 1))")
    assert numbers(engine) == [0, 1, 2, 3]


def test_a_closed_engine_says_so(joined):
    engine, _ = joined
    engine.close()
    engine.close()
    with pytest.raises(StoreError, match="has been closed"):
        engine.count("c")


def test_reading_goes_on_page_by_page_with_another_holder(joined):
    engine, holder = joined
    engine.create_collection("c", VECTORS)
    engine.upsert("c", [point(number) for number in range(25)])
    found, offset = engine.scroll("c", limit=10)
    holder.kill()
    while offset is not None:
        page, offset = engine.scroll("c", limit=10, offset=offset)
        found += page
    assert [record.id for record in found] == list(range(25))
