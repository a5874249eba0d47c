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


def test_the_title_in_the_properties(make_zip):
    core = '<a xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Spring</dc:title></a>'
    assert archives.core_title(archives.open_archive(make_zip({"docProps/core.xml": core}))) == "Spring"
    assert archives.core_title(archives.open_archive(make_zip({"docProps/core.xml": "<broken"}))) == ""
    assert archives.core_title(archives.open_archive(make_zip({"x": ""}))) == ""
