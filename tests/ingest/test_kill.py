"""A process killed at a random moment, and run again, ends in the points of one that was never disturbed."""

import random
import signal
import subprocess
import time

import pytest

from qdrant_embed import Collection, Recipe
from qdrant_embed.store.edge import EdgeEngine
from tests.support.forks import Fork

RECIPE = Recipe(model="hashing", chunk_tokens=32)
INGEST = """
import sys
from qdrant_embed import Collection, Recipe
print("started", flush=True)
with Collection.open("pages", at=sys.argv[2], recipe=Recipe(model="hashing", chunk_tokens=32)) as collection:
    collection.ingest(sys.argv[1])
"""


@pytest.fixture
def many_pages(tmp_path):
    words = random.Random(3)
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in range(40):
        lines = (f"Rope {words.randrange(10**6)} lies at pier {words.randrange(90)}, page {number}." for _ in range(60))
        (folder / f"{number}.md").write_text(f"# Page {number}\n\n" + "\n\n".join(lines))
    return folder


def start(folder, at):
    return Fork("-c", INGEST, folder, at, stdout=subprocess.PIPE)


def undisturbed(folder, at):
    began = time.perf_counter()
    with start(folder, at) as process:
        process.communicate()
    assert process.returncode == 0
    return time.perf_counter() - began


def points(at):
    with Collection.open("pages", at=at) as collection:
        frame = collection.to_pandas(vectors=True)
    return {row["id"]: (row["source"], row["text"], row["start"], tuple(row["vector"])) for _, row in frame.iterrows()}


def test_a_killed_ingest_is_resumed_to_the_same_points(many_pages, tmp_path):
    seconds = undisturbed(many_pages, tmp_path / "whole")
    expected = points(tmp_path / "whole")
    moments = random.Random(5)
    running, latest = 0, 0.8 * seconds
    for trial in range(8):
        at = tmp_path / f"killed-{trial}"
        with start(many_pages, at) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0, latest))
            alive = process.poll() is None
            process.send_signal(signal.SIGKILL)
        if not alive:  # it was faster than the one that was timed; the next is killed sooner
            latest /= 2
            continue
        running += 1
        with Collection.open("pages", at=at, recipe=RECIPE) as collection:
            collection.ingest(many_pages)
        assert points(at) == expected
        if running == 2:
            break
    assert running, "every trial was over before it was killed: make the pages more"


def test_a_creation_that_was_cut_off_is_completed_at_the_next_opening(tmp_path, pages, monkeypatch):
    def cut_off(*_, **__):
        raise KeyboardInterrupt

    recipe = Recipe(model="hashing")
    with monkeypatch.context() as patched:
        patched.setattr(EdgeEngine, "create_payload_index", cut_off)
        with pytest.raises(KeyboardInterrupt):
            Collection.open("pages", at=tmp_path / "data", recipe=recipe)
    with Collection.open("pages", at=tmp_path / "data", recipe=recipe) as collection:
        assert collection.ingest(pages).documents == 4
        assert collection.ingest(pages).embedded == 0
