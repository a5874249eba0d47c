"""What can be handed over, and that one odd item never takes the others along."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from qdrant_embed import Collection, Document, ReadOptions, Recipe
from qdrant_embed.errors import ConfigurationError


@dataclass
class LangChainLike:
    page_content: object
    metadata: dict = field(default_factory=dict)
    id: str | None = None


@dataclass
class LlamaIndexLike:
    text: object
    metadata: dict = field(default_factory=dict)
    id_: str = "0b1c6f1e-2f58-4f5e-9c6f-5f5a3f1f7c11"

    def get_content(self):
        return self.text


def metadata_of(collection):
    return {
        document.source: dict(collection.chunks(document.source)[0].metadata) for document in collection.documents()
    }


def test_documents_of_other_libraries_keep_their_metadata_and_their_names(collection):
    loaded = [
        LlamaIndexLike("Keys rotate.", {"file_path": "/d/keys.pdf", "file_name": "keys.pdf", "page_label": "1"}),
        LlamaIndexLike("Keys are lost.", {"file_path": "/d/keys.pdf", "file_name": "keys.pdf", "page_label": "2"}),
        LlamaIndexLike("Named.", id_="minutes"),
        LlamaIndexLike("Drawn at random."),
        LangChainLike("Cranes lift.", {"source": "cranes.txt"}),
        LangChainLike("Cranes lower.", {"source": "cranes.txt"}),
    ]
    for _ in range(2):
        report = collection.ingest(iter(loaded))
        assert (report.failed, report.documents, collection.count()) == ((), 6, 6)
    found = metadata_of(collection)
    assert found["/d/keys.pdf#page=2"]["file_name"] == "keys.pdf"
    assert {"minutes", "cranes.txt", "cranes.txt#2"} < set(found)
    assert any(source.startswith("text-") for source in found)


def test_a_single_one_is_taken_as_it_is(collection):
    for one in (LlamaIndexLike("A."), LangChainLike("B."), {"text": "C."}, Document(text="D.", source="d")):
        assert collection.ingest(one).stored == 1
    assert collection.count() == 4


def test_dicts_and_their_other_keys(collection):
    collection.ingest([{"text": "Fish.", "source": 7, "pier": 2, "metadata": {"author": "Ann"}, "title": "Catch"}])
    (document,) = collection.documents()
    assert (document.source, document.title) == ("7", "Catch")
    assert metadata_of(collection) == {"7": {"pier": 2, "author": "Ann"}}


def test_fields_of_a_document_that_are_none_in_a_dict_are_no_metadata(collection):
    empty = dict.fromkeys(("title", "media_type", "text_type", "modified", "size", "page_starts", "metadata"))
    report = collection.ingest([{"text": "Fish.", "source": "a", "pier": None, **empty}])
    assert (report.stored, metadata_of(collection)) == (1, {"a": {"pier": None}})


def test_data_frames(collection):
    frame = pd.DataFrame({"body": ["Herring.", None, "Cod."], "url": ["a", "b", "c"], "pier": [2.0, 3.0, float("nan")]})
    report = collection.ingest(frame, text_column="body", source_column="url")
    assert [(failure.source, "item 1" in failure.reason) for failure in report.failed] == [("b", True)]
    assert metadata_of(collection) == {"a": {"pier": 2.0}, "c": {}}
    with pytest.raises(ConfigurationError, match=r"'body', 'url', 'pier'.*text_column"):
        collection.ingest(frame)


def test_one_bad_item_is_listed_with_its_position(collection):
    good = {"text": "Good.", "source": "good"}
    bad = [
        {"text": None, "source": "none"}, {"text": b"bytes", "source": "bytes"}, {"body": "x"}, 7, "a plain text",
        LangChainLike(None), {"text": "x", "source": None}, {"text": "x", "source": "m", "metadata": [1]}, dict(good),
        {"text": "x", "source": "o", "metadata": {"a": object()}},
    ]  # fmt: skip
    report = collection.ingest([good, *bad])
    assert (report.stored, report.documents, len(report.failed)) == (1, 11, 10)
    assert [failure.source for failure in report.failed if failure.source.startswith("item ")] == [
        "item 3", "item 4", "item 5", "item 6", "item 7",
    ]  # fmt: skip
    assert {document.source for document in collection.documents()} == {"good"}


@pytest.mark.parametrize("at", ["text", "source", "title"])
def test_half_a_character_is_replaced(collection, at):
    fields = {"text": "words", "source": "a", "title": "t"} | {at: "half \ud83d moon"}
    collection.ingest([Document(text="good words", source="g"), Document(**fields)])
    assert collection.count() == 2
    found = {document.source: document for document in collection.documents()}
    assert at != "source" or "half \ufffd moon" in found


def test_what_came_before_an_error_of_the_users_own_is_stored(collection):
    def broken():
        for number in range(100):
            yield Document(text=f"Ticket {number}.", source=f"{number}")
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away") as caught:
        collection.ingest(broken())
    assert collection.count() == 100
    assert "100 documents" in caught.value.__notes__[0]


EASTERN = timezone(timedelta(hours=2))


@pytest.fixture
def in_memory():
    """A collection that needs no disk."""
    with Collection.open("times", at=":memory:", recipe=Recipe(model="hashing")) as docs:
        yield docs


def test_times_are_taken_as_they_come(in_memory):
    times = [
        datetime(2026, 5, 1, 12, tzinfo=UTC),
        datetime(2026, 5, 1, 14, tzinfo=EASTERN),
        datetime(2026, 5, 1, 12),
        np.datetime64("2026-05-01T12"),
        np.datetime64("2026-05-01T12:00:00.000000001"),
        pd.Timestamp("2026-05-01 12:00"),
    ]
    documents = [
        Document(text=f"May {number}.", source=f"{number}", modified=time) for number, time in enumerate(times)
    ]
    in_memory.ingest(documents)
    assert in_memory.ingest(documents).reused == len(times)
    assert {found.modified for found in in_memory.documents()} == {"2026-05-01T12:00:00.000000+00:00"}


def test_a_document_of_an_impossible_time_is_listed_and_the_others_are_stored(in_memory):
    times = [np.datetime64("30000-01-01"), np.datetime64("300000-01-01"), datetime(1, 1, 1, tzinfo=EASTERN), 1.5]
    documents = [Document(text="May.", source=f"{number}", modified=time) for number, time in enumerate(times)]
    report = in_memory.ingest([*documents, Document(text="June.", source="june", modified=np.datetime64("NaT"))])
    assert [failure.source for failure in report.failed] == ["0", "1", "2", "3"]
    assert all("modified=" in failure.reason for failure in report.failed)
    assert [(found.source, found.modified) for found in in_memory.documents()] == [("june", None)]


def test_a_list_of_paths_is_checked_before_anything_is_read(collection, pages):
    with pytest.raises(ConfigurationError, match="nowhere"):
        collection.ingest([pages / "guide", pages / "nowhere"])
    assert (collection.count(), collection.info()["roots"]) == (0, [])
    report = collection.ingest([pages / "guide", f"papers={pages / 'notes'}"])
    assert (report.documents, collection.info()["roots"]) == (3, ["guide", "papers"])


def test_folders_of_one_name_are_refused_together_with_what_to_type(collection, pages, tmp_path):
    other = tmp_path / "away" / "guide"
    other.mkdir(parents=True)
    (other / "keys.md").write_text("Other keys.")
    with pytest.raises(ConfigurationError, match=r"both be called 'guide'.*guide-away="):
        collection.ingest([pages / "guide", other])
    assert collection.info()["roots"] == []
    collection.ingest([f"one={pages / 'guide'}", f"two={other}"])
    assert {document.root for document in collection.documents()} == {"one", "two"}


def test_a_refused_folder_leaves_no_root_behind(collection, pages):
    collection.ingest(pages / "guide")
    with pytest.raises(ConfigurationError, match="root of its own"):
        collection.ingest(pages)
    assert collection.info()["roots"] == ["guide"]


def test_an_unknown_option_is_refused(collection):
    with pytest.raises(ConfigurationError, match="Did you mean 'force'"):
        collection.ingest([], forced=True)


def test_force_reads_what_looks_unchanged_and_accepted_failures_are_listed_apart(collection, tmp_path):
    import os

    folder = tmp_path / "f"
    folder.mkdir()
    page = folder / "a.txt"
    page.write_text("one two")
    collection.ingest(folder)
    status = page.stat()
    page.write_text("two one")
    os.utime(page, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert collection.ingest(folder).embedded == 0
    assert collection.ingest(folder, force=True).embedded == 1
    (folder / "old.pdf").write_bytes(b"%PDF-1.7 but nothing else")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    report = collection.ingest(folder, accept_failed=("*.pdf",), list_skipped=True)
    assert (report.failed, [failure.source for failure in report.accepted]) == ((), ["old.pdf"])
    assert [(file.source, file.reason) for file in report.skipped_files] == [("photo.png", "binary")]


def test_another_encoding_is_taken_for_what_is_stored_already(collection, tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "a.txt").write_bytes("Größe und Höhe".encode("cp850"))
    (folder / "b.txt").write_text("Größe")

    def ingest(encoding):
        report = collection.ingest(folder, reading=ReadOptions(encoding=encoding))
        (chunk,) = collection.chunks("a.txt")
        return chunk.text, report.embedded

    assert ingest("cp1250") == ("Gr”áe und H”he", 2)
    assert ingest("cp850") == ("Größe und Höhe", 1)
    assert ingest("cp850") == ("Größe und Höhe", 0)
    assert ingest("") == ("Größe und Höhe", 0), "what was not changed is not opened"


def test_what_says_its_own_encoding_is_not_opened_for_another_one(collection, tmp_path):
    """Whether it does is seen by what it was read as, not by its name."""
    import os

    import openpyxl

    folder = tmp_path / "f"
    folder.mkdir()
    workbook = openpyxl.Workbook()
    workbook.active.append(["berth", "depth"])
    workbook.active.append(["Köln nine", "twelve"])
    workbook.save(folder / "book.xlsx")
    (folder / "list.xlsx").write_bytes("Größe;Höhe\nvier;fünf\n".encode("cp850"))
    collection.ingest(folder, reading=ReadOptions(encoding="cp1250"))
    book = folder / "book.xlsx"
    status = book.stat()
    book.write_bytes(b"\0" * status.st_size)
    os.utime(book, ns=(status.st_atime_ns, status.st_mtime_ns))

    report = collection.ingest(folder, reading=ReadOptions(encoding="cp850"))
    assert (report.failed, report.embedded) == ((), 1)
    assert "Größe: vier" in collection.chunks("list.xlsx")[0].text
    forced = collection.ingest(folder, force=True, reading=ReadOptions(encoding="cp850"))
    assert [failure.source for failure in forced.failed] == ["book.xlsx"]


@pytest.mark.parametrize(
    "wrong", [{"page_starts": None}, {"page_starts": "0"}, {"page_starts": [0, 1.5]}, {"text_type": 5}, {"hash": b"x"}]
)
def test_a_document_takes_no_values_of_other_types(wrong):
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=rf"Document\({name}=…\) takes .*Example: "):
        Document(text="The gate is shut.", source="a", **wrong)
