"""What is gone goes, what could not be looked at stays, and most of a root never goes unasked."""

import os
import shutil

import pytest

from qdrant_embed import Document, ReadOptions
from qdrant_embed.errors import ConfigurationError, ReadError
from qdrant_embed.ingest.prune import fate_of_file

pytestmark = pytest.mark.anywhere


def sources(collection):
    return {document.source for document in collection.documents()}


@pytest.fixture
def shelf(tmp_path):
    """Write a folder of thirty small files in two folders."""
    folder = tmp_path / "shelf"
    for name in [f"{place}/{number:02}.txt" for place in ("a", "b") for number in range(15)]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Crane {name} lifts twelve tons.")
    return folder


def test_an_empty_folder_removes_nothing_until_that_is_allowed(collection, shelf):
    collection.ingest(shelf)
    shutil.rmtree(shelf)
    shelf.mkdir()
    report = collection.ingest(shelf)
    assert (report.deleted, report.withheld, collection.count()) == (0, 30, 30)
    assert [failure.source for failure in report.failed] == ["shelf/"]
    assert "allow_delete=True" in report.failed[0].reason
    assert collection.ingest(shelf, allow_delete=True).deleted == 30
    assert collection.count() == 0
    assert collection.ingest(shelf).failed == ()


def test_another_drive_in_its_place_does_not_wear_the_refusal_down(collection, shelf):
    collection.ingest(shelf)
    shutil.rmtree(shelf)
    shelf.mkdir()
    for number in range(60):
        (shelf / f"new {number}.txt").write_text(f"Something else, number {number}.")
    for _ in range(2):
        report = collection.ingest(shelf)
        assert (report.deleted, report.withheld, collection.count()) == (0, 30, 90)
    assert collection.ingest(shelf, allow_delete=True).deleted == 30


@pytest.mark.parametrize("part", ["new 1.txt", "new *.txt", "c"], ids=["a file", "a glob", "a folder"])
def test_an_ingest_of_a_part_does_not_wear_the_refusal_down(collection, shelf, part):
    collection.ingest(shelf)
    shutil.rmtree(shelf)
    (shelf / "c").mkdir(parents=True)
    for number in range(60):
        (shelf / f"new {number}.txt").write_text(f"Something else, number {number}.")
    (shelf / "c" / "inner.txt").write_text("One more.")
    assert collection.ingest(shelf).withheld == 30
    for allow in (False, True):
        collection.ingest(shelf / part, allow_delete=allow and "*" not in part)
        report = collection.ingest(shelf)
        assert (report.deleted, report.withheld, collection.count()) == (0, 30, 91)
    assert collection.ingest(shelf, allow_delete=True).deleted == 30


def test_what_could_not_be_looked_at_does_not_wear_the_refusal_down(collection, shelf):
    collection.ingest(shelf)
    kept = shelf.rename(shelf.with_name("kept"))
    shelf.mkdir()
    for number in range(60):
        (shelf / f"new {number}.txt").write_text(f"Something else, number {number}.")
    assert collection.ingest(shelf).withheld == 30
    for place in ("a", "b"):
        (shelf / place).symlink_to(kept / "nowhere")
    assert collection.ingest(shelf).deleted == 0
    for place in ("a", "b"):
        (shelf / place).unlink()
    report = collection.ingest(shelf)
    assert (report.deleted, report.withheld, collection.count()) == (0, 30, 90)


def test_what_moved_is_not_lost(collection, shelf):
    collection.ingest(shelf)
    (shelf / "a").rename(shelf / "c")
    (shelf / "b").rename(shelf / "d")
    report = collection.ingest(shelf)
    assert (report.failed, report.embedded, report.deleted) == ((), 0, 30)
    assert {source[0] for source in sources(collection)} == {"c", "d"}


def test_a_few_or_less_than_half_go_unasked(collection, shelf):
    collection.ingest(shelf)
    for number in range(10):
        (shelf / f"a/{number:02}.txt").unlink()
    assert collection.ingest(shelf).deleted == 10
    for number in range(10):
        (shelf / f"b/{number:02}.txt").unlink()
    assert collection.ingest(shelf).deleted == 10


def test_a_folder_that_is_there_and_empty_keeps_its_documents(collection, shelf):
    for number in range(15, 50):
        for place in "ab":
            (shelf / f"{place}/{number}.txt").write_text(f"Pier {number} of {place}.")
        (shelf / f"{number}.txt").write_text(f"Gate {number}.")
    collection.ingest(shelf)
    shutil.rmtree(shelf / "a")
    (shelf / "a").mkdir()
    report = collection.ingest(shelf)
    assert (report.deleted, report.withheld, [failure.source for failure in report.failed]) == (0, 50, ["a/"])
    (shelf / "a").rmdir()
    assert collection.ingest(shelf).deleted == 50


def test_a_folder_that_cannot_be_listed_keeps_its_documents(collection, shelf, monkeypatch):
    collection.ingest(shelf)
    scandir = os.scandir

    class Broken:
        """A listing that fails half-way."""

        def __init__(self, path):
            self.entries = scandir(path)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.entries.close()

        def __iter__(self):
            yield next(self.entries)
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", lambda path: Broken(path) if str(path).endswith("/a") else scandir(path))
    report = collection.ingest(shelf)
    assert [(failure.source, failure.reason) for failure in report.failed] == [
        ("a/", "cannot be opened: input/output error")
    ]
    assert (report.deleted, collection.count()) == (0, 30)


def test_a_root_that_cannot_be_listed_is_an_error_and_leaves_no_trace(collection, shelf, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ReadError, match="permission denied"):
        collection.ingest(shelf)
    assert collection.info()["roots"] == []


def test_a_link_that_leads_nowhere_keeps_what_was_read_through_it(collection, shelf, tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    (share / "tide.txt").write_text("High water at noon.")
    (shelf / "share").symlink_to(share)
    (shelf / "loop.txt").write_text("The tide turns.")
    collection.ingest(shelf)
    share.rename(tmp_path / "unmounted")
    (shelf / "loop.txt").unlink()
    (shelf / "loop.txt").symlink_to(shelf / "loop.txt")
    for what in (shelf, f"{shelf}/**/*.txt"):
        report = collection.ingest(what)
        assert {failure.source for failure in report.failed} == {"share/", "loop.txt"}
        assert all("leads nowhere" in failure.reason for failure in report.failed)
        assert {"share/tide.txt", "loop.txt"} <= sources(collection)


def test_a_name_that_is_no_utf8_survives_a_glob_that_does_not_match_it(collection, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("Coffee is served.")
    (folder / "tea.md").write_text("Tea is served.")
    collection.ingest(folder)
    collection.ingest(f"{folder}/*.md")
    assert sources(collection) == {"caf\\xe9.txt", "tea.md"}
    (folder / os.fsdecode(b"caf\xe9.txt")).unlink()
    collection.ingest(f"{folder}/*.md")
    assert sources(collection) == {"tea.md"}


def test_a_path_too_long_to_look_at_is_unknown(tmp_path):
    assert fate_of_file(tmp_path, "x" * 300 + ".md").kind == "unknown"
    assert fate_of_file(tmp_path, "nul\0.md").kind == "unknown"
    assert fate_of_file(tmp_path, "gone.md").kind == "gone"
    assert fate_of_file(tmp_path / "nowhere", "a.md").kind == "unknown"


def test_prune_removes_what_patterns_leave_out(collection, shelf):
    collection.ingest(shelf)
    out = ReadOptions(exclude=("a/*1.txt",))
    assert collection.ingest(shelf, reading=out).deleted == 0
    assert collection.ingest(shelf, reading=out, prune=True).deleted == 2
    assert {"a/01.txt", "a/11.txt"}.isdisjoint(sources(collection))
    with pytest.raises(ConfigurationError, match="include"):
        collection.ingest(f"{shelf}/*.txt", prune=True)


def test_documents_are_removed_on_request_in_a_root_of_their_own(collection, shelf):
    def given(count):
        return [Document(text=f"Ticket {number}.", source=f"ticket {number}") for number in range(count)]

    collection.ingest(shelf)
    collection.ingest(given(30), root="tickets")
    assert collection.ingest(given(28), root="tickets").deleted == 0
    assert collection.ingest(given(28), root="tickets", sync=True).deleted == 2
    assert collection.ingest(given(3), root="tickets", sync=True).withheld == 25
    assert collection.ingest(given(3), root="tickets", sync=True, allow_delete=True).deleted == 25
    assert collection.count() == 33
    for wrong in ({}, {"root": "shelf"}):
        with pytest.raises(ConfigurationError, match="one of its own"):
            collection.ingest(given(1), sync=True, **wrong)
    with pytest.raises(ConfigurationError, match="come from no folder"):
        collection.ingest(shelf, root="tickets")


def test_a_bad_item_keeps_its_document_and_a_nameless_one_keeps_all(collection):
    collection.ingest([{"text": "One.", "source": "1"}, {"text": "Two.", "source": "2"}], root="rows", sync=True)
    report = collection.ingest([{"text": None, "source": "1"}], root="rows", sync=True)
    assert ([failure.source for failure in report.failed], sources(collection)) == (["1"], {"1"})
    report = collection.ingest([7], root="rows", sync=True)
    assert sources(collection) == {"1"}
    assert "nothing was removed" in report.warnings[0]


def test_a_dry_run_names_what_would_go_and_changes_nothing(collection, shelf):
    collection.ingest(shelf)
    (shelf / "a/03.txt").unlink()
    (shelf / "a/04.txt").write_text("Crane four was repaired.")
    (shelf / "new.txt").write_text("A new gate.")
    before = sources(collection)
    report = collection.ingest(shelf, dry_run=True)
    assert (report.to_embed, report.to_delete) == (("a/04.txt", "new.txt"), ("a/03.txt",))
    assert (report.embedded, report.deleted, sources(collection)) == (0, 0, before)
    real = collection.ingest(shelf)
    assert (real.tokens, real.chunks, real.reused) == (report.tokens, report.chunks, report.reused)
