"""A hub on this machine: answers what the hub's client and ours ask, from folders, and breaks where it is told to.

with HubStandIn() as hub:
    hub.add("someone/model", folder)
    …  # HF_ENDPOINT=hub.url
"""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 10_000
"""Bytes from which a file is kept apart and named by its sha256, as safetensors are on the hub."""
_API = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)(?:/revision/(?P<revision>[^/]+))?")
_FILE = re.compile(r"/(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")


class HubStandIn:
    """Answers on a free port of 127.0.0.1 while the `with` block runs.

    :ivar asked: Method, path and headers of each request.
    :ivar breaks: File → bytes after which the connection ends, each time less one of its list.
    :ivar altered: File → what is sent in place of its content.
    :ivar gated, renamed: Repositories whose terms nobody accepted; old name → new one.
    :ivar plain: Whether sizes and digests are left out of lists, as mirrors do.
    """

    def __init__(self):
        self.asked, self.breaks, self.altered, self.gated, self.renamed, self.plain = [], {}, {}, set(), {}, False
        self._repositories = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads, self._http.owner = True, self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def add(self, repository, folder):
        """Offer a folder as a repository's newest version; return its commit."""
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        files = {name: (folder / name).read_bytes() for name in names}
        commit = hashlib.sha1(repr([(name, hashlib.sha1(data).digest()) for name, data in files.items()]).encode())
        self._repositories.setdefault(repository, {})[commit.hexdigest()] = files
        self._repositories[repository]["main"] = files
        self._repositories[repository]["commit"] = commit.hexdigest()
        return commit.hexdigest()

    def paths(self, method="GET"):
        """Return what was asked for, without what stands behind a question mark."""
        return [path.partition("?")[0] for asked, path, _ in self.asked if asked == method]

    def files(self):
        """Return the names of the files that were sent, each as often as a transfer of it began."""
        return [unquote(found["name"]) for path in self.paths() if (found := _FILE.fullmatch(path))]

    def answer(self, method, path, headers):
        """Return status, headers and body."""
        self.asked.append((method, path, dict(headers)))
        parts = urlsplit(path)
        found = _API.fullmatch(parts.path) or _FILE.fullmatch(parts.path)
        if found is None:
            return _error(404, "")
        repository, revision = found["id"], unquote(found["revision"] or "main")
        if repository in self.renamed:
            return 307, {"Location": path.replace(repository, self.renamed[repository], 1)}, b""
        if repository in self.gated:
            return _error(403, "GatedRepo")
        versions = self._repositories.get(repository)
        if versions is None:
            return _error(404, "RepoNotFound")
        if revision not in versions or revision == "commit":
            return _error(404, "RevisionNotFound")
        commit = versions["commit"] if revision == "main" else revision
        if "name" not in found.groupdict():
            stated = "blobs" in parse_qs(parts.query) and not self.plain
            siblings = [self._sibling(name, data, stated) for name, data in versions[revision].items()]
            told = {"id": repository, "modelId": repository, "sha": commit, "siblings": siblings, "tags": []}
            return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()
        return self._file(unquote(found["name"]), versions[revision], commit, headers)

    def _sibling(self, name, data, stated):
        if not stated:
            return {"rfilename": name}
        large = {"lfs": {"size": len(data), "sha256": _sha256(data), "pointerSize": 130}} if len(data) >= LARGE else {}
        return {"rfilename": name, "size": len(data), "blobId": _git(data), **large}

    def _file(self, name, files, commit, headers):
        if name not in files:
            return _error(404, "EntryNotFound")
        data = files[name]
        etag = _sha256(data) if len(data) >= LARGE else _git(data)
        sent = {"X-Repo-Commit": commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        data = self.altered.get(name, data)
        start = int((headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if start:
            sent["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return 206 if start else 200, {**sent, "Content-Length": str(len(data) - start)}, data[start:]

    def cut(self, path, body):
        """Return how much of a body is sent before the connection ends."""
        found = _FILE.fullmatch(urlsplit(path).path)
        left = self.breaks.get(unquote(found["name"])) if found else None
        return body[: left.pop(0)] if left else body


def _error(status, code):
    return status, {"X-Error-Code": code, "X-Error-Message": code, "Content-Type": "application/json"}, b"{}"


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def _git(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        status, headers, body = self.server.owner.answer(self.command, self.path, self.headers)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        sent = self.server.owner.cut(self.path, body)
        self.wfile.write(sent)
        if len(sent) < len(body):
            self.close_connection = True

    do_GET = do_HEAD = _answer  # noqa: N815 - as the base class calls them

    def log_message(self, *_):
        """Say nothing."""
