import pytest

from qdrant_embed import ReadOptions, read_documents
from qdrant_embed.errors import ConfigurationError, UnreadableWarning


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.md").write_text("# Cod\n\nPier seven.")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 nothing")
    (tmp_path / "c.txt").write_text("Eel.")
    return tmp_path


def test_what_cannot_be_read_is_told_and_all_else_is_read(folder):
    failed = []
    found = list(read_documents(folder, failed=lambda source, reason: failed.append((source, reason))))
    assert [(document.source, document.title) for document in found] == [("a.md", "Cod"), ("c.txt", "c")]
    assert [source for source, _ in failed] == ["b.pdf"] and failed[0][1]
    with pytest.warns(UnreadableWarning, match=r"b\.pdf is left out"):
        assert [document.text for document in read_documents(folder)][1] == "Eel."


def test_files_are_chosen_by_options_and_globs(folder):
    assert [one.source for one in read_documents(folder, reading=ReadOptions(include=("*.md",)))] == ["a.md"]
    assert [one.source for one in read_documents(folder / "*.txt")] == ["c.txt"]
    with pytest.raises(ConfigurationError, match="there is no file or folder"):
        list(read_documents(folder / "gone"))
