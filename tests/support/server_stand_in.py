"""A stand-in for a Qdrant server: real requests by REST, answered as a server of a version answers them.

    with StandIn(version="1.18.3") as server:
        Collection.open("docs", at=server.url)

Points, filters and rankings are `qdrant_client`'s engine in memory; names, settings, indexes, limits and refusals are
kept here, since that engine knows nothing of them. It is checked against what real servers answered
(tests/data/server, tests/store/client/test_server_stand_in.py). What it lacks: gRPC, shards, replicas, snapshots.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from tests.support.server_limits import RefusedError, refuse_unknown
from tests.support.server_points import ROUTES, StoredPoints


class CutError(Exception):
    """Ends the connection without an answer; raised by a hook."""


@dataclass
class Asked:
    """A request, as hooks see it.

    :ivar path: Without its parameters.
    :ivar answer: What is about to be said, after it was done.
    """

    method: str
    path: str
    headers: dict
    body: dict = field(default_factory=dict)
    answer: dict | None = None

    def __str__(self):
        return f"{self.method} {self.path}"


class StandIn:
    """A server that runs from `start` to `stop`, and keeps its collections in between; a context manager of one run.

    :param version: What it says it is, and lacks what that version lacks.
    :param key: API key that may do everything; without one nobody is asked for any.
    :param read_only_key: API key that may read.
    :param largest_request: Bytes of a request's body.
    :ivar requests: Each as method and path, in order.
    :ivar before: Called with each `Asked` before it is looked at; may sleep, stop the server, raise `RefusedError` or
        `CutError`.
    :ivar after: The same, when all is done and nothing is said yet; may say something else.
    :ivar clock: Returns seconds, by which rates are limited; tests may set another.
    :ivar statuses: What collections say of themselves; the last one stays.
    """

    def __init__(self, version="1.18.3", *, key=None, read_only_key=None, largest_request=32 * 2**20):
        self.version, self.key, self.read_only_key = version, key, read_only_key
        self.largest_request = largest_request
        self.requests, self.before, self.after = [], [], []
        self.clock = time.monotonic
        self.statuses = ["green"]
        self.collections = StoredPoints(self)
        self._port, self._listener = 0, None
        self._lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def start(self):
        """Listen, on the same port as before."""
        self._listener = Listener(self._port, self)
        self._port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self):
        """Cut every connection and refuse new ones; collections stay. A hook may call it."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()
            listener.cut_connections()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def fail(self, *faults, path="/points"):
        """Let the next requests whose path has this in it fail, by one of these each.

        :param faults: What hooks raise, or hooks; None lets a request through.
        :returns: Those that are left, a list that shrinks.
        """
        left = list(faults)

        def spend(asked):
            fault = left.pop(0) if left and path in asked.path else None
            if isinstance(fault, Exception):
                raise fault
            if fault is not None:
                fault(asked)

        self.before.append(spend)
        return left

    def counts(self):
        """Return how often each method and path was asked for."""
        return Counter(self.requests)

    def answer(self, method, target, body, headers):
        """Return the answer to a request.

        :raises RefusedError: There is none.
        """
        asked = Asked(method, unquote(urlsplit(target).path), headers)
        self.requests.append(str(asked))
        if len(body) > self.largest_request:
            limit = f"JSON payload ({len(body)} bytes) is larger than allowed (limit: {self.largest_request} bytes)."
            raise RefusedError(413, f"Payload error: {limit}")
        with suppress(ValueError):
            asked.body = json.loads(body) if body else {}
        for hook in self.before:
            hook(asked)
        segments = [unquote(part) for part in urlsplit(target).path.strip("/").split("/")]
        route, kind, names = self._route(method, segments)
        self._require_access(kind, headers)
        if route is None:
            asked.answer = {"title": "qdrant - vector search engine", "version": self.version}
        else:
            refuse_unknown(self.numbers, asked.body if kind != "points" else {}, len(body.decode()))
            with self._lock:
                asked.answer = {"result": _play(route, names, asked.body), "status": "ok", "time": 0.0}
        for hook in self.after:
            hook(asked)
        return asked.answer

    @property
    def numbers(self):
        """The version's first two numbers."""
        return tuple(int(part) for part in self.version.split(".")[:2])

    def _route(self, method, segments):
        if segments == [""]:
            return None, "open", ()
        for wanted, path, kind, name in ROUTES:
            parts = path.split("/")
            if wanted != method or len(parts) != len(segments):
                continue
            pairs = list(zip(parts, segments, strict=True))
            if all(part in ("*", given) for part, given in pairs):
                names = [given for part, given in pairs if part == "*"]
                return getattr(self.collections, name), kind, names
        raise RefusedError(404, "")

    def _require_access(self, kind, headers):
        if self.key is None or kind == "open":
            return
        given = headers.get("api-key") or (headers.get("authorization") or "").removeprefix("Bearer ")
        if given not in {self.key, self.read_only_key} - {None}:
            raise RefusedError(401, "Invalid API key or JWT" if given else NO_KEY)
        if given != self.key and kind != "read":
            raise RefusedError(403, f"Forbidden: Global {'manage' if kind == 'manage' else 'write'} access is required")


def _play(route, names, body):
    try:
        return route(*names, body)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:2])
        raise RefusedError(400, f"Format error in JSON body: {said}") from None
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        said = str(error)
        raise RefusedError(400, said if said.startswith("Wrong input") else f"Wrong input: {said}") from None


NO_KEY = "Must provide an API key or an Authorization bearer token"


class Listener(ThreadingHTTPServer):
    """Takes connections for a stand-in, and remembers them."""

    daemon_threads = True

    def __init__(self, port, stand_in):
        super().__init__(("127.0.0.1", port), Handler)
        self.stand_in = stand_in
        self.connections = set()

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """Say nothing of a client that went away, or a connection that was cut."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def cut_connections(self):
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """Reads requests and writes answers, many on one connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            answer = self.server.stand_in.answer(self.command, self.path, body, self.headers)
        except RefusedError as refusal:
            bare = refusal.status == 401 or not refusal.text
            answer = refusal.text if bare else {"status": {"error": refusal.text}, "time": 0.0}
            return self.say(refusal.status, answer, refusal.retry_after)
        except CutError:
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        return self.say(200, answer)

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def say(self, status, answer, retry_after=None):
        body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(body)
