"""What a collection remembers of documents that could not be ingested, over runs, processes and places."""

import os
import shutil
import signal
import subprocess

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import AccessDeniedError, StoreError
from qdrant_embed.ingest.monitoring.failure_ledger import FailureLedger
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.servers.patience import patience_now, patient
from qdrant_embed.store.metadata import FAILED_KEY
from tests.support.forks import Fork

BROKEN = b"%PDF-1.4 nothing follows"
KILLED = """
import os, signal, sys
from qdrant_embed import Collection, Recipe
def tell(report):
    os.kill(os.getpid(), signal.SIGKILL)
with Collection.open("pages", at=sys.argv[2], recipe=Recipe(model="hashing")) as collection:
    collection.ingest(sys.argv[1], progress=tell)
"""
PART = """
import sys
from qdrant_embed import Collection
with Collection.open("pages", at=sys.argv[2]) as collection:
    for _ in range(3):
        collection.ingest(sys.argv[1], progress=None)
"""


@pytest.fixture
def shelf(tmp_path):
    """Write a folder with good and broken files in two folders."""
    folder = tmp_path / "shelf"
    for place in ("a", "b"):
        (folder / place).mkdir(parents=True)
        (folder / place / "good.txt").write_text(f"Crane {place} lifts twelve tons.")
        (folder / place / "bad.pdf").write_bytes(BROKEN)
    return folder


@pytest.fixture(params=["folder", "memory", "server"])
def docs(request, tmp_path):
    at = {"folder": tmp_path / "q", "memory": ":memory:"}.get(request.param) or request.getfixturevalue("server_url")
    with Collection.open("pages", at=at, recipe=Recipe(model="hashing")) as docs:
        yield docs


def failed(docs):
    return [(one.root, one.source) for one in docs.failures()]


def test_what_failed_is_kept_until_it_is_read_or_gone(docs, shelf):
    assert docs.failures() == []
    report = docs.ingest(shelf, dry_run=True)
    assert [one.source for one in report.failed] == ["a/bad.pdf", "b/bad.pdf"]
    assert docs.failures() == []
    report = docs.ingest(shelf)
    found = docs.failures()
    assert [one.source for one in found] == [one.source for one in report.failed] == ["a/bad.pdf", "b/bad.pdf"]
    assert {(one.root, one.kind) for one in found} == {("shelf", "unreadable")}
    assert found[0].reason and "\n" not in found[0].reason
    assert found[0].at.startswith("20")
    assert docs.info()["failed"] == 2
    os.replace(shelf / "a/good.txt", shelf / "a/bad.pdf.txt")  # noqa: PTH105
    (shelf / "a/bad.pdf").unlink()
    docs.ingest(shelf / "a")
    assert failed(docs) == [("shelf", "b/bad.pdf")]
    docs.ingest(shelf, accept_failed=("*.pdf",))
    assert docs.failures() == []


def test_an_ingest_of_a_part_leaves_the_rest_alone(collection, shelf):
    collection.ingest(shelf)
    (shelf / "a/bad.pdf").unlink()
    collection.ingest(f"{shelf}/b/*.txt")
    assert len(collection.failures()) == 2
    collection.ingest(f"{shelf}/**/*.txt")
    assert failed(collection) == [("shelf", "b/bad.pdf")]
    (shelf / "b/bad.pdf").write_bytes(b"%PDF-1.4 other")
    collection.ingest(shelf / "b/bad.pdf")
    assert failed(collection) == [("shelf", "b/bad.pdf")]


def test_each_root_has_its_own_and_loses_it_with_its_documents(collection, shelf, tmp_path):
    shutil.copytree(shelf, tmp_path / "other")
    collection.ingest([shelf, tmp_path / "other"])
    assert len(collection.failures()) == 4
    collection.delete(root="other")
    assert {one.root for one in collection.failures()} == {"shelf"}


def test_documents_that_are_given_are_remembered_by_their_sources(collection):
    given = [{"text": 3, "source": "b"}, {"no": "text"}, Document(text="Rope.", source="a")]
    collection.ingest(given)
    assert [(one.source, one.kind) for one in collection.failures()] == [("b", "refused"), ("item 1", "nameless")]
    collection.ingest([{"text": "Cod.", "source": "c"}])
    assert failed(collection) == [("", "b")]
    collection.ingest([{"text": "Cod.", "source": "b"}])
    assert failed(collection) == []


def test_a_withheld_deletion_is_kept_until_it_is_allowed(collection, shelf):
    for number in range(30):
        (shelf / f"{number}.txt").write_text(f"Crane {number}.")
    collection.ingest(shelf)
    shutil.rmtree(shelf)
    shelf.mkdir()
    collection.ingest(shelf)
    (one,) = collection.failures()
    assert (one.source, one.kind) == ("shelf/", "withheld")
    collection.ingest(shelf, allow_delete=True)
    assert collection.failures() == []


def test_a_copy_by_another_compression_takes_the_record_along(collection, shelf):
    collection.ingest(shelf)
    before = collection.failures()
    collection.recompress("float16")
    assert collection.failures() == before != []


def test_a_run_that_is_killed_leaves_what_it_had_met(shelf, tmp_path):
    for number in range(300):
        (shelf / f"c{number}.txt").write_text(f"Crane {number} lifts twelve tons.")
    process = Fork("-c", KILLED, shelf, tmp_path / "q", stdout=subprocess.PIPE)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with Collection.open("pages", at=tmp_path / "q") as docs:
        assert ("shelf", "a/bad.pdf") in failed(docs)
        docs.ingest(shelf)
        assert len(docs.failures()) == 2


def test_two_processes_that_look_at_parts_of_a_root_lose_none(shelf, tmp_path):
    with Collection.open("pages", at=tmp_path / "q", recipe=Recipe(model="hashing")) as docs:
        docs.ingest(shelf)
        for place in ("a", "b"):
            for number in range(20):
                (shelf / place / f"{number}.pdf").write_bytes(BROKEN)
        parts = [Fork("-c", PART, shelf / place, tmp_path / "q") for place in ("a", "b")]
        assert [part.wait() for part in parts] == [0, 0]
        assert len(docs.failures()) == 42


def test_ten_thousand_failures_take_little_and_are_noted_now_and_then(collection, monkeypatch):
    tally = Tally()
    ledger = FailureLedger(collection.engine, collection.name, "docs", tally)
    ledger.note()
    for number in range(10_000):
        tally.fail(f"scans/{number:05}.pdf", f"cannot be read \x1b[31m: page {number % 7}", "unreadable")
    written, update = [], collection.engine.update_collection
    monkeypatch.setattr(collection.engine, "update_collection", lambda *a, **k: (written.append(k), update(*a, **k)))
    for _ in range(200):
        ledger.note()
    assert len(written) == 1
    assert collection.failures().total == 10_000
    ledger.settle("", lambda _: True)
    found = collection.failures()
    assert found.total == 10_000 > len(found) > 300
    assert "\x1b" not in found[0].reason
    assert len(str(collection.engine.stored_metadata(collection.name)[f"{FAILED_KEY}docs"])) < 60_000
    FailureLedger(collection.engine, collection.name, "docs", Tally()).settle("scans/0", lambda _: True)
    again = collection.failures()
    assert again == []
    assert again.total == 10_000 - len(found)
    FailureLedger(collection.engine, collection.name, "docs", Tally()).settle("", lambda _: True)
    assert collection.failures().total == 0


def test_a_key_that_may_not_change_metadata_is_told_of_and_ends_no_ingest(collection, shelf, monkeypatch):
    collection.ingest(shelf / "b/good.txt", root="shelf")

    def refuse(*_, **__):
        raise AccessDeniedError("this key may only write points")

    monkeypatch.setattr(collection.engine, "update_collection", refuse)
    report = collection.ingest(shelf / "b")
    assert (len(report.failed), report.stored) == (1, 1)
    assert "may not change its metadata" in report.warnings[0]


def test_a_server_that_is_away_is_not_waited_for_once_more(collection, monkeypatch):
    tally, waits = Tally(), []
    ledger = FailureLedger(collection.engine, collection.name, "docs", tally)
    tally.fail("a.txt", "broken", "unreadable")

    def away(*_, **__):
        waits.append(patience_now())
        raise StoreError("the server is away")

    monkeypatch.setattr(collection.engine, "stored_metadata", away)
    for error in (StoreError("the server is away"), KeyboardInterrupt()):
        with pytest.raises(type(error)), patient(100), ledger.kept():
            raise error
    assert waits == [0]


def test_no_path_of_the_machine_stands_in_a_reason(collection, tmp_path):
    tally = Tally()
    ledger = FailureLedger(collection.engine, collection.name, "docs", tally)
    with pytest.raises(KeyboardInterrupt), ledger.kept(str(tmp_path)):
        tally.fail("a.txt", f"cannot open {tmp_path}/a.txt", "unreadable")
        raise KeyboardInterrupt
    assert collection.failures()[0].reason == "cannot open a.txt"
