import sys

import pytest

from qdrant_embed.reading.formats import BINARY, READERS, TEXT_MEDIA_TYPES, UNSUPPORTED, load, reason_to_skip


@pytest.mark.parametrize("extension", list(READERS))
def test_every_reader_can_be_imported(extension):
    assert callable(READERS.get(extension))


def test_each_extension_stands_in_one_table():
    tables = [set(READERS), set(TEXT_MEDIA_TYPES), set(BINARY), set(UNSUPPORTED)]
    assert sum(map(len, tables)) == len(set().union(*tables))


def test_a_plug_in_makes_its_files_readable(plugin, tmp_path):
    path = tmp_path / "a.chatty"
    path.write_bytes(b"\0\1\2")
    assert reason_to_skip(path) is None


def test_only_files_of_unknown_extension_are_opened(tmp_path):
    for name in ("a.md", "a.pdf", "a.py", "a.zip", "a.odt"):
        reason_to_skip(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        reason_to_skip(tmp_path / "a.unheard")


def test_a_reader_and_what_it_needs_are_imported_before_its_first_file(plugin):
    assert "badreaders" not in sys.modules
    load(".chatty")
    assert "badreaders" in sys.modules
    load(".no reader")
