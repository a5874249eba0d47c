"""One request over HTTP: deadlines, redirects, the key, and what went wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from qdrant_embed.native import make_lock
from qdrant_embed.runtimes.api.errors import (
    MalformedResponseError,
    PermanentError,
    RequestError,
    TransientError,
    fault_of,
    said_by,
    shortened,
)
from qdrant_embed.runtimes.api.keys import Key, is_local, require_safe, shown
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 1 << 30
"""An answer that is larger is not read to its end."""
_MOST_REDIRECTS = 3
_KEEPING_REDIRECTS = (307, 308)


class Connection:
    """Posts JSON to one address. For several threads; opens nothing before the first request.

    :param timeout: Seconds for a whole request, its answer included, however slowly that drips in; they count from
        when it is sent, and not while it waits for others to end.
    :param size: Requests at once.
    :raises ConfigurationError: The key must not be sent there.
    """

    def __init__(self, address: str, key: Key, *, timeout: float, size: int) -> None:
        require_safe(address, key)
        self.address, self._key, self._timeout, self._size = address, key, timeout, size
        self._client: httpx.Client | None = None
        self._lock = make_lock()
        self._free = threading.BoundedSemaphore(size)

    def close(self) -> None:
        """Close the sockets; a later request opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def post(self, request: Mapping[str, Json]) -> bytes:
        """Send a request and return the answer's body.

        :raises Fault: No usable answer came.
        :raises ConfigurationError: The key is not set.
        """
        content = json.dumps(request).encode()
        address = self.address
        for _ in range(_MOST_REDIRECTS + 1):
            status, headers, body = self._send(address, content)
            if 200 <= status < 300:
                return body
            if not 300 <= status < 400:
                fault = fault_of(status, headers, shortened(self._key.scrub(said_by(body))))
                del body  # it may repeat the key, and tracebacks can show local variables
                raise fault
            address = self._redirected(address, status, headers.get("location", ""))
        raise PermanentError(f"more than {_MOST_REDIRECTS} redirects one after the other")

    def _redirected(self, address: str, status: int, location: str) -> str:
        """Return where to go on, which is never another host: the key was given for this one."""
        target = urljoin(address, location)
        here, there = urlsplit(address), urlsplit(target)
        same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
        if status in _KEEPING_REDIRECTS and location and same:
            return target
        raise PermanentError(
            f"the server redirects (status {status}) to {self._key.scrub(shown(target))!r}, which is not followed: "
            "texts and key go only where the preset says. If that address is right, write it as endpoint"
        )

    def _send(self, address: str, content: bytes) -> tuple[int, Mapping[str, str], bytes]:
        import httpx

        fault: RequestError
        try:
            with self._free:
                return self._exchange(address, content)
        except httpx.TimeoutException as error:
            fault = TransientError(f"no answer within {self._timeout:g} s ({type(error).__name__})")
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            fault = PermanentError(f"{shown(address)!r} is no address ({type(error).__name__})")
        except httpx.DecodingError:
            fault = MalformedResponseError("the answer's compression is broken")
        except httpx.HTTPError as error:
            fault = TransientError(shortened(self._key.scrub(f"{type(error).__name__}: {error}")))
        # Outside the handlers: httpx keeps the request, with its headers, in each of its errors.
        raise fault

    def _exchange(self, address: str, content: bytes) -> tuple[int, Mapping[str, str], bytes]:
        deadline = time.monotonic() + self._timeout
        body = bytearray()
        with self._opened().stream("POST", address, content=content, auth=self._signed) as response:
            fault = self._read(response, body, deadline)
            if fault is None:
                return response.status_code, response.headers, bytes(body)
        body.clear()  # it may repeat the key, and tracebacks can show local variables
        raise fault

    def _read(self, response: httpx.Response, body: bytearray, deadline: float) -> RequestError | None:
        """Append the answer to `body`; return what is wrong with it, if anything is."""
        for part in response.iter_bytes():
            body += part
            if time.monotonic() > deadline:
                return TransientError(f"the answer was not complete after {self._timeout:g} s")
            if len(body) > MOST_BYTES:
                return PermanentError(f"the answer has more than {MOST_BYTES} bytes")
        return None

    def _signed(self, request: httpx.Request) -> httpx.Request:
        """Put the key into a request at the last moment."""
        key = self._key.value()
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    def _opened(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    headers={"Content-Type": "application/json", "Accept": "application/json"},
                    timeout=httpx.Timeout(self._timeout, connect=min(10.0, self._timeout), pool=None),
                    limits=httpx.Limits(max_connections=self._size, max_keepalive_connections=self._size),
                    # A proxy is for the outside world; it must not see what is meant for this machine.
                    trust_env=not is_local(urlsplit(self.address).hostname or ""),
                    follow_redirects=False,
                )
            return self._client
