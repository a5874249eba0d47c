import sys

import pytest

from qdrant_embed.chunking import CHUNKERS, ChunkLimit, chunk_document, make_chunker
from qdrant_embed.errors import UnknownNameError
from qdrant_embed.registry import Registry
from qdrant_embed.testing.conformance.chunkers import LIMITS, check_chunker
from qdrant_embed.tokens import WordTokens
from qdrant_embed.types import Document

PLUGIN = '''
from qdrant_embed.types import Span


class OneWordEach:
    """Makes a chunk of every word, long words in parts."""

    def __init__(self, counter, limit):
        self.most = limit.tokens

    def spans(self, text):
        start = 0
        for place, character in enumerate(text + " "):
            if character.isspace():
                if start < place:
                    yield Span(start, place)
                start = place + 1
            elif place - start == self.most:
                yield Span(start, place)
                start = place
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a package that offers a chunker, as pip would lay it out; return a registry that has not looked yet."""
    (tmp_path / "one_word_each.py").write_text(PLUGIN)
    info = tmp_path / "one_word_each-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: one-word-each\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[qdrant_embed.chunkers]\none-word-each = one_word_each:OneWordEach\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("qdrant_embed.chunking.CHUNKERS", Registry("chunker", CHUNKERS.group, CHUNKERS._targets))
    yield
    sys.modules.pop("one_word_each", None)


def test_a_chunker_of_another_package_is_found_by_name(plugin):
    chunker = make_chunker("one-word-each", WordTokens(), ChunkLimit(tokens=8))
    document = Document(text="The gates open.", source="a.txt")
    assert [chunk.text for chunk in chunk_document(document, chunker)] == ["The", "gates", "open."]


def test_the_suite_runs_over_it(plugin):
    without_overlap = [limit for limit in LIMITS if not limit.overlap]
    check_chunker(
        lambda counter, limit: make_chunker("one-word-each", counter, limit), WordTokens(), limits=without_overlap
    )


def test_an_unknown_chunker_is_named_with_those_that_are_known():
    with pytest.raises(UnknownNameError, match="markdown"):
        make_chunker("markdwon", WordTokens(), ChunkLimit(tokens=8))


def test_a_collection_takes_it(plugin, make_collection, tmp_path):
    collection = make_collection(chunker="one-word-each", chunk_tokens=16)
    report = collection.ingest([Document(text="The gates open.", source="a.txt")])
    assert report.chunks == 3
    assert [chunk.text for chunk in collection.chunks("a.txt")] == ["The", "gates", "open."]
