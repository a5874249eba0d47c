"""The catalog and the shards that it names: whole after any crash, and told where they do not agree."""

import os

import pytest
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.store.edge.catalog_file import CATALOG_FILE, Catalog
from qdrant_embed.store.location import open_engine

VECTORS = {"v": models.VectorParams(size=2, distance=models.Distance.DOT)}


def shards(at):
    return sorted(path.name for path in (at / "shards").iterdir())


def make(at, *names):
    engine = open_engine(at)
    for name in names:
        engine.create_collection(name, VECTORS)
        engine.upsert(name, [models.PointStruct(id=1, vector={"v": [1.0, 1.0]}, payload={"n": 1})])
    engine.close()
    return {name: Catalog.read(at).collections[name].folder for name in names}


def test_a_crash_before_a_collection_was_in_the_catalog(tmp_path):
    folders = make(tmp_path, "a", "b")
    catalog = Catalog.read(tmp_path)
    catalog.without("b").write(tmp_path)
    (tmp_path / "shards" / folders["b"]).rename(tmp_path / "shards" / f"{folders['b']}.new")
    engine = open_engine(tmp_path)
    assert not engine.collection_exists("b")
    assert engine.count("a").count == 1
    engine.close()
    assert shards(tmp_path) == [folders["a"]]


def test_a_crash_after_a_collection_was_in_the_catalog(tmp_path):
    folders = make(tmp_path, "a")
    (tmp_path / "shards" / folders["a"]).rename(tmp_path / "shards" / f"{folders['a']}.new")
    engine = open_engine(tmp_path)
    assert engine.count("a").count == 1
    engine.close()


def test_a_crash_while_a_collection_was_deleted(tmp_path):
    folders = make(tmp_path, "a", "b")
    (tmp_path / "shards" / folders["a"]).rename(tmp_path / "shards" / f"{folders['a']}.deleted")
    engine = open_engine(tmp_path)
    assert [found.name for found in engine.get_collections().collections] == ["b"]
    engine.close()
    assert shards(tmp_path) == [folders["b"]]


def test_a_shard_that_the_catalog_does_not_know_is_left_alone(tmp_path):
    folders = make(tmp_path, "a", "b")
    Catalog.read(tmp_path).without("b").write(tmp_path)
    open_engine(tmp_path).close()
    assert shards(tmp_path) == sorted(folders.values())


def test_a_shard_that_is_gone_is_told(tmp_path):
    folders = make(tmp_path, "a")
    (tmp_path / "shards" / folders["a"]).rename(tmp_path / "elsewhere")
    engine = open_engine(tmp_path)
    with pytest.raises(StoreError, match="lost the data of 'a'"):
        engine.count("a")
    engine.close()
    (tmp_path / "elsewhere").rename(tmp_path / "shards" / folders["a"])
    open_engine(tmp_path).close()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2, "collections": {}, "aliases": {}}'])
def test_a_damaged_catalog_is_told_and_kept(tmp_path, content):
    make(tmp_path, "a")
    (tmp_path / CATALOG_FILE).write_text(content)
    with pytest.raises(StoreError, match=r"catalog\.json"):
        open_engine(tmp_path)
    assert (tmp_path / CATALOG_FILE).read_text() == content


def test_shards_without_a_catalog_are_told(tmp_path):
    make(tmp_path, "a")
    (tmp_path / CATALOG_FILE).unlink()
    with pytest.raises(StoreError, match="holds shards but no"):
        open_engine(tmp_path)


def test_the_catalog_is_replaced_whole(tmp_path, monkeypatch):
    make(tmp_path, "a")
    before = (tmp_path / CATALOG_FILE).read_text()
    engine = open_engine(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(StoreError, match="disk full"):
        engine.update_collection("a", metadata={"x": 1})
    monkeypatch.undo()
    assert (tmp_path / CATALOG_FILE).read_text() == before
    assert engine.get_collection("a").config.metadata is None
    engine.close()
