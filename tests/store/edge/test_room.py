"""A full disk is told before the engine writes: writing into a mapped file would end the process."""

import multiprocessing
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import CollectionNotFoundError, DiskFullError
from qdrant_embed.store.edge.room import MEGABYTE, require_room
from qdrant_embed.testing.conformance.engine_cases import NAME, load


@pytest.fixture
def free(monkeypatch):
    """Set how many megabytes are free."""

    def leave(megabytes):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=megabytes * MEGABYTE))

    return leave


def notes(first, count):
    return [
        Document(text=f"Note {number}: the gate opens at nine.", source=f"n{number}") for number in range(first, count)
    ]


def test_no_collection_is_made_on_a_full_disk(tmp_path, free):
    free(5)
    with pytest.raises(DiskFullError, match=r"can take 5 MB more, and this needs 40 MB\. Make room for 35 MB"):
        Collection.open("c", at=tmp_path / "q", recipe=Recipe(model="hashing"))
    free(500)
    with Collection.open("c", at=tmp_path / "q", recipe=Recipe(model="hashing")) as docs:
        assert docs.ingest(notes(0, 3)).chunks == 3


def test_a_disk_that_fills_up_ends_the_ingest_and_keeps_what_was_stored(tmp_path, free):
    with Collection.open("c", at=tmp_path / "q", recipe=Recipe(model="hashing")) as docs:
        docs.ingest(notes(0, 5))
        free(1)
        with pytest.raises(DiskFullError, match="the disk is full"):
            docs.ingest(notes(0, 20))
        assert docs.count() == 5
        assert docs.search("gate")
        free(500)
        docs.ingest(notes(0, 20))
        assert docs.count() == 20


def test_a_quota_is_noticed(tmp_path, monkeypatch):
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("there is no way to try here")

    def refuse(*_):
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(DiskFullError):
        require_room(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="children let go of files where these are listed")
def test_a_forked_child_does_not_hold_the_shards_of_its_parent(tmp_path):
    with Collection.open("c", at=tmp_path / "q", recipe=Recipe(model="hashing")) as docs:
        docs.ingest(notes(0, 5))
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        child.start()
        try:
            docs.recompress("float32+int8+rescore4")
            assert len(docs.search("gate")) == 5
            assert docs.ingest(notes(5, 6)).chunks == 1
        finally:
            child.kill()
            child.join()


def test_holes_of_files_are_told_from_what_is_taken(folder_engine):
    load(folder_engine)
    taken, apparent = folder_engine.disk_sizes(NAME)
    assert taken > 0
    assert apparent > 30 * MEGABYTE, "the log and the storage of payloads are made large beforehand"
    with pytest.raises(CollectionNotFoundError):
        folder_engine.disk_sizes("nowhere")


def test_info_tells_what_a_folder_takes_on_the_disk(tmp_path):
    with Collection.open("docs", at=tmp_path, recipe=Recipe(model="hashing")) as docs:
        assert set(docs.info()["disk_bytes"]) == {"taken", "apparent"}
    with Collection.open("docs", at=":memory:", recipe=Recipe(model="hashing")) as docs:
        assert "disk_bytes" not in docs.info()
