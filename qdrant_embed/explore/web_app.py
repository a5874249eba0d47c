"""The page and what it asks, as an ASGI application: some files that never change, and one route for every question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from qdrant_embed.explore.http_guard import HttpGuard
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from qdrant_embed.explore.explorer_session import ExplorerSession

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def static_files() -> Mapping[str, str]:
    """Return the files of the page by their names, as they lie in the package."""
    found = files("qdrant_embed.explore").joinpath("static").iterdir()
    return {file.name: file.read_text(encoding="utf-8") for file in found if file.name.rpartition(".")[2] in TYPES}


def make_app(session: ExplorerSession, token: str, hosts: Iterable[str]) -> ASGIApp:
    """Return the application; everything is below the path `/TOKEN/`."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    async def static(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        text = static_files().get(name)
        if text is None:
            return Response("there is no such file", 404, media_type="text/plain")
        return Response(text, media_type=TYPES[name.rpartition(".")[2]])

    async def answer(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _json({"error": "send JSON, with the header content-type: application/json"}, 415)
        try:
            given = json.loads(await request.body())
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            return _json({"error": "the body has to be a JSON object"}, 400)
        found = await run_in_threadpool(session.ask, request.path_params["name"], given)
        return _json(found, 400 if "error" in found and "state" not in found else 200)

    routes = [Route("/", static), Route("/api/{name}", answer, methods=["POST"]), Route("/{name}", static)]
    return HttpGuard(Starlette(routes=routes), token, hosts)


def _json(value: Json, status: int = 200) -> Response:
    from starlette.responses import Response

    # Half of a surrogate pair, as JSON escapes it, is the one thing that UTF-8 has no bytes for.
    return Response(json.dumps(value), status, media_type="application/json")
