"""A proxy before a Qdrant server that counts requests and bytes, and may be as far away as one likes."""

import http.client
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Traffic:
    """What passed since it was last taken.

    :param requests: Each as method and path.
    :param sent: Bytes of bodies to the server; `received` from it.
    """

    requests: list[str] = field(default_factory=list)
    sent: int = 0
    received: int = 0


class CountingProxy(ThreadingHTTPServer):
    """Passes requests by REST on to a server; a context manager.

    :param delay: Seconds that each round trip takes longer.
    """

    daemon_threads = True

    def __init__(self, url: str, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.host, self.delay = urlsplit(url).netloc, delay
        self.traffic = Traffic()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self) -> Traffic:
        """Return what passed since this was last called."""
        taken, self.traffic = self.traffic, Traffic()
        return taken

    def __enter__(self) -> "CountingProxy":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Passing(BaseHTTPRequestHandler):
    """Passes the requests of one connection on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: CountingProxy

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Pass a request on, and its answer back."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.server.delay)
        connection = http.client.HTTPConnection(self.server.host, timeout=300)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body, kept)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        traffic = self.server.traffic
        traffic.requests.append(f"{self.command} {urlsplit(self.path).path}")
        traffic.sent += len(body)
        traffic.received += len(content)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815
