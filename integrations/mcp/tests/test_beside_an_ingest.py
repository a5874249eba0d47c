"""An agent and a page over one folder, while another process ingests into it."""

import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from mcp import Client
from qdrant_embed_mcp import OpenCollections, Settings, make_server

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.explore import ExplorerPage
from tests.support.forks import Fork

INGEST = """
import itertools, sys
from qdrant_embed import Collection, Document
with Collection.open("notes", at=sys.argv[1]) as notes:
    notes.ingest([{"source": "broken.csv", "text": None}], root="made", progress=None)
    for number in itertools.count():
        texts = {f"ropes/{number}-{part}.md": f"Rope {number} lies at pier {part}." for part in range(20)}
        notes.ingest([Document(text=text, source=name) for name, text in texts.items()], root="made", progress=None)
        print(number, flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a collection of one document, which nobody holds."""
    with Collection.open("notes", at=tmp_path / "data", recipe=Recipe(model="hashing")) as notes:
        notes.ingest([Document(text="Keys are rotated every ninety days.", source="keys.md")], progress=None)
    return tmp_path / "data"


@pytest.fixture
def begin(folder):
    """Return a function that starts an ingest which goes on until it is ended, and returns what waits for a batch."""
    started = []

    def begun() -> Callable[[], int]:
        process = Fork("-c", INGEST, folder, stdout=subprocess.PIPE)
        started.append(process)
        return lambda: int(process.stdout.readline())

    yield begun
    for process in started:
        assert process.poll() is None, "it ended while it was asked"
        process.kill()
        process.communicate()


def asking(page: ExplorerPage) -> Callable[..., Any]:
    def ask(name: str, **given: Any) -> Any:
        return httpx.post(f"{page.url}api/{name}", json=given, trust_env=False, timeout=60).json()

    return ask


@pytest.mark.parametrize("first", ["the ingest", "those who ask"])
async def test_an_agent_and_a_page_answer_while_another_process_ingests(folder, begin, first):
    following = begin() if first == "the ingest" else None
    if following:
        following()  # which holds the folder, so that the others ask it
    with OpenCollections(Settings(at=folder)) as collections, Collection.open("notes", at=folder) as notes:
        following = following or begin()
        with ExplorerPage.of(notes) as page:
            async with Client(make_server(collections)) as client:
                total = await _asked(client, asking(page), following())
            while following() * 20 <= total:  # it goes on
                pass


async def _asked(client: Client, ask: Callable[..., Any], batch: int) -> int:
    """Ask all there is to ask, of a collection that grows meanwhile; return how many documents there were."""
    found = await client.call_tool("search", {"query": "how often are keys rotated", "k": 1})
    assert found.structured_content["hits"][0]["source"] == "keys.md"
    span = await client.call_tool("read", {"source": f"ropes/{batch}-7.md"})
    assert span.structured_content["text"] == f"Rope {batch} lies at pier 7."
    listed = (await client.call_tool("list_documents", {"pattern": "ropes/*", "limit": 3})).structured_content
    assert (len(listed["documents"]), listed["failed_total"]) == (3, 1)
    assert listed["total"] >= 20 * (batch + 1)
    assert ask("search", query="keys rotated", k=1)["hits"][0]["source"] == "keys.md"
    assert ask("document", source=f"ropes/{batch}-7.md")["total"] == 1
    assert ask("about")["failed"] == 1
    return int(ask("documents", like="ropes")["total"])
