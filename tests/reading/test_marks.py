"""Folders of databases, caches and environments are told by what is in them, and never read as documents."""

import json

import pytest

from qdrant_embed import Collection, Recipe
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.reading.files import find_root
from qdrant_embed.reading.marks import DATABASE


def test_a_collection_wherever_it_stands_is_not_read(tree, found, tmp_path):
    folder = tree({"a.md": "x", "b/deep/c.md": "x"})
    for place in (folder / "data", folder / "b" / "deep" / "vectors", tmp_path / "outside"):
        Collection.open("c", at=place, recipe=Recipe(model="hashing")).close()
    (folder / "link").symlink_to(tmp_path / "outside")
    sources, skipped = found(folder)
    assert sources == ["a.md", "b/deep/c.md"]
    assert skipped == dict.fromkeys(("data/", "b/deep/vectors/", "link/"), DATABASE)
    assert found(folder / "**" / "*.json")[0] == []
    for inside in ("data/catalog.json", "data/shards"):
        with pytest.raises(ConfigurationError, match=DATABASE):
            find_root(folder / inside)


def test_a_folder_that_is_the_location_itself_gives_its_documents_alone(tree, found):
    folder = tree({"a.md": "x"})
    Collection.open("c", at=folder, recipe=Recipe(model="hashing")).close()
    assert found(folder)[0] == ["a.md"]


@pytest.mark.parametrize(
    ("files", "read"),
    [
        ({"catalog.json": json.dumps({"format": 1, "collections": {}}), "shards/a.json": "{}"}, []),
        ({"catalog.json": '{"books": []}', "shards/a.json": "{}"}, ["x/catalog.json", "x/shards/a.json"]),
        ({"meta.json": "{}", "collection/c/a.json": "{}", ".lock": ""}, []),
        ({"raft_state.json": "{}", "collections/c/a.json": "{}"}, []),
        ({"CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55", "a.md": "x"}, []),
        ({"CACHEDIR.TAG": "no signature", "a.md": "x"}, ["x/CACHEDIR.TAG", "x/a.md"]),
        ({"pyvenv.cfg": "home = /usr", "lib/a.py": "x"}, []),
        ({"node_modules/a.md": "x"}, ["x/node_modules/a.md"]),
        ({"package.json": "{}", "node_modules/a.md": "x"}, ["x/package.json"]),
    ],
)
def test_marks(tree, found, files, read):
    assert found(tree({f"x/{name}": text for name, text in files.items()}))[0] == read


def test_the_patterns_that_a_repository_keeps_for_itself(tree, found):
    folder = tree({".git/info/exclude": "*.log\n", "a.log": "x", "a.md": "x", "sub/b.log": "x", "sub/c.md": "x"})
    assert found(folder)[0] == ["a.md", "sub/c.md"]
    assert found(folder / "sub")[0] == ["c.md"]
