"""A server of embeddings on this machine that speaks each API and fails on demand, to try an API runtime against.

with ApiServer(dim=16, fault=lambda number, texts: "429" if number == 0 else "") as server:
    …  # endpoint = server.endpoint
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import numpy as np

from qdrant_embed.testing.api_faults import FAULTS, Reply
from qdrant_embed.types import FloatArray, Json

Fault = Callable[[int, Sequence[str]], str]
"""Number of the request (from 0) and its texts → name of a fault, empty for none."""

KINDS = {"search_query": "query", "retrieval.query": "query", "query": "query"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came.

    :param body: The JSON that was sent.
    """

    path: str
    headers: dict[str, str]
    body: dict[str, Json]

    @property
    def texts(self) -> list[str]:
        """The texts that were sent."""
        return list(self.body.get("input") or self.body.get("texts") or [])


def vector_of(text: str, dim: int, kind: str = "document") -> FloatArray:
    """Return the unit vector (dim,) that the server gives a text: random, but always the same."""
    seed = int.from_bytes(hashlib.blake2b(f"{kind} {text}".encode(), digest_size=8).digest(), "little")
    vector = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


class ApiServer:
    """Answers on a free port of 127.0.0.1 while the `with` block runs.

    :param dim: Dimensions of its vectors; a request may ask for fewer.
    :param fault: Which request fails, and how; names are the keys of `FAULTS`.
    :param most_texts: More texts than this are answered with 413.
    :param most_characters: A longer text is answered with 400 and a message about the context length.
    :param kinds: Whether documents and queries get different vectors.
    """

    def __init__(
        self,
        *,
        dim: int = 16,
        fault: Fault | None = None,
        most_texts: int = 1_000_000,
        most_characters: int = 1_000_000,
        kinds: bool = False,
    ) -> None:
        self.dim, self.kinds = dim, kinds
        self.seen: list[Seen] = []
        self.closing = threading.Event()
        self._fault, self._most_texts, self._most_characters = fault, most_texts, most_characters
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def endpoint(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> ApiServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def reply(self, request: Seen) -> Reply:
        """Return what is answered to a request."""
        with self._lock:
            number = len(self.seen)
            self.seen.append(request)
        texts = request.texts
        name = self._fault(number, texts) if self._fault else ""
        if not name and len(texts) > self._most_texts:
            name = "413"
        if not name and max(map(len, texts)) > self._most_characters:
            name = "length"
        reply = Reply(200, {}, self._answer(request))
        return FAULTS[name](reply, request.headers) if name else reply

    def _answer(self, request: Seen) -> dict[str, Json]:
        body = request.body
        stated = body.get("input_type") or body.get("task") or ""
        kind = KINDS.get(stated, "document") if self.kinds else "document"
        width = body.get("dimensions") or body.get("output_dimension") or self.dim
        vectors = [vector_of(text, self.dim, kind)[:width] for text in request.texts]
        if request.path.endswith("/embed"):
            return {"embeddings": {"float": [vector.tolist() for vector in vectors]}}
        packed = "base64" in (body.get("encoding_format"), body.get("embedding_type"))
        rows = [base64.b64encode(vector.tobytes()).decode() if packed else vector.tolist() for vector in vectors]
        return {"data": [{"index": place, "embedding": row} for place, row in enumerate(rows)]}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    owner: ApiServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def do_POST(self) -> None:
        """Answer one request, or fail as told."""
        owner = self.server.owner
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = owner.reply(Seen(self.path, headers, body))
        if reply.after and owner.closing.wait(reply.after):
            return
        content = reply.raw if reply.raw is not None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self._write(content, reply)

    def _write(self, content: bytes, reply: Reply) -> None:
        if reply.cut:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        for start in range(0, len(content), reply.drip or max(len(content), 1)):
            self.wfile.write(content[start : start + (reply.drip or len(content))])
            self.wfile.flush()
            if reply.drip and self.server.owner.closing.wait(reply.pause):
                return

    def log_message(self, format: str, *arguments: Any) -> None:
        """Stay silent."""
