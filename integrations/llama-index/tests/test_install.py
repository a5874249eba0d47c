"""How the distribution stands beside others: a namespace, and a clear word when it is missing."""

import re
import sys
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path

import pytest

from qdrant_embed.errors import MissingExtraError

SHARED = (
    "llama_index",
    "llama_index/retrievers",
    "llama_index/embeddings",
    "llama_index/node_parser",
    "llama_index/postprocessor",
    "llama_index/vector_stores",
)


def test_shared_folders_are_namespaces():
    project = Path(__file__).parents[1]
    for folder in SHARED:
        assert (project / folder).is_dir()
        assert not (project / folder / "__init__.py").exists()
        assert find_spec(folder.replace("/", ".")).origin is None


def test_core_and_library_are_the_only_requirements():
    names = {re.split("[<>=]", requirement)[0] for requirement in requires("llama-index-qdrant-embed")}
    assert names == {"llama-index-core", "qdrant-embed"}


@pytest.mark.parametrize("missing", ["llama_index.retrievers.qdrant_embed", "llama_index.core.retrievers"])
def test_a_missing_install_says_what_to_type(make_collection, monkeypatch, missing):
    for name in list(sys.modules):
        if name.startswith("llama_index.retrievers.qdrant_embed"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'qdrant-embed\[llama-index\]'"):
        make_collection().as_retriever()
