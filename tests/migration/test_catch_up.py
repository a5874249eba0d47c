"""What others do to a collection while it is being copied: kept, or refused, and never lost."""

import time

import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import CollectionNotFoundError, StoreError, UnknownNameError
from qdrant_embed.ingest.pipeline import IngestOptions
from qdrant_embed.migration.recompression import Change, recompress
from qdrant_embed.operations import collection_handle
from qdrant_embed.store.copies import copy_lease
from qdrant_embed.store.copies.generations import COPYING, find_generation

pytestmark = pytest.mark.anywhere


def documents(count=60):
    return [Document(text=f"Crane {n} lifts {n * 7} tons at pier {n}.", source=f"{n}.txt") for n in range(count)]


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    return tmp_path / "qdrant_data" if request.param == "folder" else QdrantClient(":memory:")


@pytest.fixture
def handles(place):
    """Return two handles on one collection."""
    with (
        Collection.open("cranes", at=place, recipe=Recipe(model="hashing")) as one,
        Collection.open("cranes", at=place) as other,
    ):
        one.ingest(documents())
        yield one, other


def after_a_page(collection, patch, action, *, times=1):
    """Let something happen each time that the copier has written a page."""
    write, left = collection.engine.upsert, [times]

    def writing(*given, **named):
        done = write(*given, **named)
        if left[0]:
            left[0] -= 1
            action()
        return done

    patch.setattr(collection.engine, "upsert", writing, raising=False)


def estimating(patch, engine):
    """Let an engine say the same of all collections, unless points are counted by a filter."""
    count = engine.count

    def estimated(name, where=None, **named):
        return models.CountResult(count=60) if where is None else count(name, where, **named)

    patch.setattr(engine, "count", estimated, raising=False)


def leave_a_mark(collection, by, beats=1):
    mark = {COPYING: {"by": by, "host": "elsewhere", "program": "recompress", "process": 7, "beats": beats}}
    collection.engine.update_collection(collection_name=collection.name, metadata=mark)


@pytest.mark.parametrize("exact", [True, False])
def test_what_was_on_its_way_when_the_copy_began_is_in_it(handles, monkeypatch, exact):
    one, other = handles
    if not exact:
        estimating(monkeypatch, one.engine)

    def finish_writing():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(collection_handle, "settled", find_generation)
            patch.setattr(copy_lease.WriteGuard, "require", lambda _: None)
            other.ingest([Document(text="A whale was seen.", source="7.txt"), Document(text="Fog.", source="new.txt")])
            other.delete("8.txt")
            other.engine.set_payload("cranes", {"checked": True}, [other.chunks("9.txt")[0].id])

    after_a_page(one, monkeypatch, finish_writing)
    one.recompress("rotate")
    assert one.engine.count("cranes", models.Filter(must=[])).count == 60
    assert one.search("A whale was seen.", k=1, mode="dense")[0].source == "7.txt"
    assert [len(one.chunks(source)) for source in ("7.txt", "new.txt")] == [1, 1]
    assert "8.txt" not in {document.source for document in one.documents()}
    with pytest.raises(UnknownNameError, match=r"8\.txt"):
        one.chunks("8.txt")
    record = one.engine.retrieve("cranes", [one.chunks("9.txt")[0].id])[0]
    assert record.payload["checked"] is True


def test_nothing_is_written_to_a_collection_that_is_being_copied(handles, monkeypatch):
    one, other = handles
    refused = []

    def write():
        for action in (
            lambda: other.ingest(documents(3)),
            lambda: other.delete("7.txt"),
            lambda: other.index_field("team"),
            lambda: other.recompress("float16"),
            lambda: other.recompress("int8"),
        ):
            with pytest.raises(StoreError, match="is being copied") as raised:
                action()
            refused.append(raised)

    after_a_page(one, monkeypatch, write)
    one.recompress("rotate")
    assert (len(refused), one.count(), one.recipe.compression) == (5, 60, "rotate")
    assert one.search("crane 12", k=1, mode="dense")[0].source == "12.txt"
    assert one.ingest(documents(61)).embedded == 1


def test_an_ingest_stops_when_the_collection_is_another_than_it_began_with(handles):
    one, other = handles
    changed = []

    def change(_report):
        if not changed:
            changed.append(other.recompress("rotate"))

    with pytest.raises(StoreError, match=r"was changed after.*ingest again"):
        one.ingest(documents(600), options=IngestOptions(progress=change))
    other.ingest(documents(600))
    assert other.count() == 600
    assert other.search("crane 577", k=1, mode="dense")[0].source == "577.txt"


def test_a_name_that_leads_nowhere_for_a_moment_is_told_of_as_a_change(handles):
    one, other = handles
    guard = one.parts.target.write_guard
    guard.require()
    other.engine.delete_collection("cranes--1")
    with pytest.raises(StoreError, match=r"was changed after.*or it was removed.*ingest again"):
        guard.require()


@pytest.mark.parametrize("method", ["scroll", "upsert"])
def test_an_ingest_that_finds_no_collection_says_that_it_was_changed(handles, monkeypatch, method):
    one, _ = handles

    def gone(*_given, **_named):
        raise CollectionNotFoundError("there is no collection 'cranes' here")

    monkeypatch.setattr(one.engine, method, gone)
    with pytest.raises(StoreError, match=r"was changed after.*or it was removed.*ingest again"):
        one.ingest([Document(text="A crane of its own.", source="new.txt")])


def test_a_collection_that_never_stands_still_is_left_as_it_was(handles, monkeypatch):
    one, other = handles
    chunk = one.chunks("9.txt")[0].id
    stamps = iter(range(99))
    after_a_page(one, monkeypatch, lambda: other.engine.set_payload("cranes", {"at": next(stamps)}, [chunk]), times=99)
    with pytest.raises(StoreError, match="writes to collection 'cranes' all the time"):
        one.recompress("rotate")
    assert other.ingest(documents()).embedded == 0
    assert other.search("crane 12", k=1, mode="dense")[0].source == "12.txt"
    monkeypatch.undo()
    assert not one.recompress("rotate").in_place


def test_what_was_true_before_another_change_is_not_worked_with(handles):
    one, other = handles
    parts, recipe = one.parts, one.recipe
    assert parts.codec.vector_codec.ready
    other.recompress("float16")
    with pytest.raises(StoreError, match="was changed to 'float16'"):
        recompress(one.engine, "cranes", parts, recipe, Change(compression="rotate"))


def test_a_copier_of_this_machine_that_is_gone_is_in_nobodys_way(handles):
    one, _ = handles
    for write in (lambda: one.ingest(documents(3)), lambda: one.recompress("rotate"), lambda: one.delete("7.txt")):
        leave_a_mark(one, "a process that died")
        write()
        assert not one.engine.get_collection("cranes").config.metadata.get(COPYING)


@pytest.fixture
def shared(handles, monkeypatch):
    """Return a handle on an engine that says to be a server, with the copier's times made short."""
    one, _ = handles
    monkeypatch.setattr(type(one.engine), "shared", True)
    for name, seconds in {"GONE_SECONDS": 0.3, "LOOK_SECONDS": 0.02, "BEAT_SECONDS": 0.02, "TELL_SECONDS": 0.1}.items():
        monkeypatch.setattr(copy_lease, name, seconds)
    return one


def test_on_a_server_a_copier_whose_counter_stands_still_is_given_up_and_said_so(shared, caplog):
    leave_a_mark(shared, "a process elsewhere")
    shared.ingest(documents(3))
    shared.delete("7.txt")
    said = [record.getMessage() for record in caplog.records if "cranes--1" in record.getMessage()]
    assert "begun by recompress (process 7 on elsewhere)" in said[0]
    assert "it is given up in 0 s" in said[-1]


def test_on_a_server_a_copier_whose_counter_moves_is_waited_for(shared, monkeypatch):
    beats = iter(range(2, 99))
    monkeypatch.setattr(copy_lease, "pause", lambda _seconds: leave_a_mark(shared, "a process elsewhere", next(beats)))
    leave_a_mark(shared, "a process elsewhere")
    said = r"is being copied by recompress \(process 7 on elsewhere\).*given up after 0\.3 seconds.*try again"
    for write in (lambda: shared.ingest(documents(3)), lambda: shared.recompress("int8")):
        with pytest.raises(StoreError, match=said):
            write()
    assert shared.search("crane 12", k=1, mode="dense")[0].source == "12.txt"


def test_a_server_that_was_away_says_nothing_of_a_copier(shared, monkeypatch):
    looks, mark_of = iter([0, 0.4, 0]), copy_lease.mark_of

    def slow(*given):
        time.sleep(next(looks, 0))
        return mark_of(*given)

    leave_a_mark(shared, "a process elsewhere")
    monkeypatch.setattr(copy_lease, "mark_of", slow)
    began = time.monotonic()
    copy_lease.give_up_dead_copy(shared.engine, "cranes--1")
    assert time.monotonic() - began >= 0.4 + copy_lease.GONE_SECONDS


def test_a_copier_moves_its_counter_as_long_as_it_is_at_work_and_gives_up_where_another_took_over(shared):
    with copy_lease.lease_of(shared.engine, "cranes--1") as lease:
        first = copy_lease.mark_of(shared.engine, "cranes--1")["beats"]
        until = time.monotonic() + 20
        while copy_lease.mark_of(shared.engine, "cranes--1")["beats"] < first + 3:
            assert time.monotonic() < until
            time.sleep(0.01)
        lease.require()
        leave_a_mark(shared, "a process elsewhere")
        with pytest.raises(StoreError, match="another process has taken this copy for given up"):
            lease.require()
    assert copy_lease.mark_of(shared.engine, "cranes--1")["by"] == "a process elsewhere"
