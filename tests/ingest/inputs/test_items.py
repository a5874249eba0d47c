"""Items with odd values: converted where that is sure, else listed with what to give; nothing is lost in silence."""

from pathlib import Path

import pandas as pd
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError
from tests.ingest.inputs.test_given import LangChainLike, metadata_of


@pytest.fixture
def in_memory():
    """A collection that needs no disk."""
    with Collection.open("odd", at=":memory:", recipe=Recipe(model="hashing")) as docs:
        yield docs


def test_a_document_without_text_is_named_and_so_is_one_that_lost_characters(in_memory):
    given = [
        Document(text=" \n ", source="blank"),
        LangChainLike("", {"source": "picture.png"}),
        {"text": "half \ud83d moon", "source": "moon"},
        {"text": "whole 🌕 moon", "source": "full"},
    ]
    report = in_memory.ingest(given)
    assert (report.documents, report.stored, report.failed) == (4, 2, ())
    assert [note.source for note in report.notes] == ["blank", "picture.png", "moon"]
    assert "no text" in report.notes[1].text


def test_keys_that_would_become_equal_or_are_none_are_refused_not_lost(in_memory):
    given = [
        {"text": "Cod.", "source": "equal", 1: "first", "1": "second"},
        {"text": "Cod.", "source": "surplus cells", None: ["x"]},
        {"text": "Cod.", "source": "whole", 2026: "year"},
    ]
    report = in_memory.ingest(given)
    assert [failure.source for failure in report.failed] == ["equal", "surplus cells"]
    assert metadata_of(in_memory) == {"whole": {"2026": "year"}}


@pytest.mark.parametrize("columns", [["text", "pier", "pier"], ["text", "text", "pier"], ["text", 1, "1"]])
def test_columns_of_one_name_are_refused(in_memory, columns):
    with pytest.raises(ConfigurationError, match="several columns"):
        in_memory.ingest(pd.DataFrame([["Cod.", "a", "b"]], columns=columns))
    assert in_memory.count() == 0


def test_whole_numbers_of_a_column_with_gaps_name_sources(in_memory):
    frame = pd.DataFrame({"text": ["A.", "B.", "C."], "source": [1, None, 3], "size": [10, None, None]})
    report = in_memory.ingest(frame)
    assert [(failure.source, failure.reason) for failure in report.failed] == [
        ("item 1", "its source is missing (nan); expected a text")
    ]
    assert [(found.source, found.size) for found in in_memory.documents()] == [("1", 10), ("3", None)]


def test_a_path_in_the_metadata_names_a_document(in_memory):
    in_memory.ingest([LangChainLike("Cranes lift.", {"source": Path("guide") / "cranes.md"})])
    assert [document.source for document in in_memory.documents()] == ["guide/cranes.md"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("page_starts", "abc", "ascending offsets"),
        ("page_starts", [0, 9, 4], "ascending offsets"),
        ("page_starts", 5, "ascending offsets"),
        ("size", "3 MB", "whole number of bytes"),
        ("media_type", 5, "takes a text"),
        ("modified", "yesterday", "ISO 8601"),
        ("modified", "2026-13-01", "ISO 8601"),
    ],
)
def test_a_field_of_another_type_is_listed_with_what_to_give(in_memory, name, value, says):
    report = in_memory.ingest([{"text": "Cod.", "source": "odd", name: value}, {"text": "Cod.", "source": "good"}])
    assert (report.stored, [failure.source for failure in report.failed]) == (1, ["odd"])
    assert says in report.failed[0].reason


def test_times_written_in_other_ways_are_found_by_a_range(in_memory):
    times = ("2026-05-01", "20260501T060000Z", "2026-05-01 08:00+02:00", "")
    in_memory.ingest([{"text": "May.", "source": str(number), "modified": time} for number, time in enumerate(times)])
    day = {"modified": {"gte": "2026-05-01", "lt": "2026-05-02"}}
    assert [found.source for found in in_memory.documents(filter=day)] == ["0", "1", "2"]
