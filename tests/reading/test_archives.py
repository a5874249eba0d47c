import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading import archives


def test_a_bomb_is_not_unpacked(make_zip, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_LIMIT", 1_999_999)
    bomb = make_zip({"a.xml": b"\0" * 10**6, "b.xml": b"\0" * 10**6})
    assert len(bomb) < 10_000
    with pytest.raises(ReadError, match="too large: it unpacks to 2,000,000 bytes, the limit is 1,999,999"):
        archives.open_archive(bomb)
    assert archives.open_archive(make_zip({"a.xml": b"\0" * 10**6})).namelist() == ["a.xml"]


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.epub"])
def test_text_that_takes_much_memory_once_parsed_is_refused(read, make_zip, name):
    content = make_zip({"word/document.xml": " " * (archives.MARKUP_LIMIT // 2), "b.XHTML": " " * 2**25 + "  "})
    with pytest.raises(ReadError, match="too large: its text unpacks to 67,108,866 bytes, the limit is 67,108,864"):
        read(name, content)


def test_the_title_in_the_properties(make_zip):
    core = '<a xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Spring</dc:title></a>'
    assert archives.core_title(archives.open_archive(make_zip({"docProps/core.xml": core}))) == "Spring"
    assert archives.core_title(archives.open_archive(make_zip({"docProps/core.xml": "<broken"}))) == ""
    assert archives.core_title(archives.open_archive(make_zip({"x": ""}))) == ""
    damaged = make_zip({"docProps/core.xml": core}).replace(b"docProps/core", b"docProps/cOre", 1)
    assert archives.core_title(archives.open_archive(damaged)) == ""
