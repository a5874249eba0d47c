"""A collection to look at, with a document that tries to be more than text; and its page, asked without a socket."""

import asyncio

import httpx
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.explore.explorer_session import ExplorerSession
from qdrant_embed.explore.web_app import make_app
from tests.conftest import PAGES

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> harbour </li>\u202e 𝔘𝔫 key"
)
TOKEN, HOST = "a-token", "127.0.0.1:4000"


@pytest.fixture(scope="session")
def harbour():
    """Return a collection of the harbour's pages, some equal texts, one without words, and a hostile one."""
    with Collection.open("harbour", at=":memory:", recipe=Recipe(model="hashing", chunk_tokens=24)) as docs:
        docs.ingest([Document(text=text, source=name) for name, text in PAGES.items()])
        docs.ingest(
            [Document(text="The same words twice, on a pier.", source=f"twin{number}.txt") for number in (1, 2)]
        )
        docs.ingest(Document(text="*** --- ***", source="stars.txt"))
        docs.ingest(Document(text=HOSTILE, source="<b>bold</b>.html", title="<i>title</i>", metadata={"<u>": "<s>"}))
        yield docs


@pytest.fixture
def session(harbour):
    made = ExplorerSession(harbour._handle)
    yield made
    made.close()


@pytest.fixture
def app(session):
    return make_app(session, TOKEN, [HOST])


@pytest.fixture
def request_page(app):
    """Return a function that sends a request to the application, as if by a browser at its address."""

    def send(method, path, *, token=TOKEN, **given):
        async def run():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                return await client.request(method, f"/{token}/{path}" if token else f"/{path}", **given)

        return asyncio.run(run())

    return send
