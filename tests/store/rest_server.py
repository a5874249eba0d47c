"""A Qdrant server that plays the few REST calls which the tests make, and misbehaves when told to."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIG = {
    "params": {"vectors": {"v": {"size": 2, "distance": "Dot"}}},
    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
    "optimizer_config": {"default_segment_number": 0, "flush_interval_sec": 5},
}


class FakeServer(ThreadingHTTPServer):
    """Plays the few REST calls that the tests make; `faults` are spent first, one for each request of points."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.points, self.sizes, self.calls, self.keys = [], {}, [], [], set()
        self.strict = None
        self.optimizers = dict(CONFIG["optimizer_config"])
        self.statuses = ["green"]
        self.largest_body = 10**9

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, status, result=None, error=None, headers=()):
        body = json.dumps({"result": result, "status": {"error": error} if error else "ok", "time": 0.0}).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        server = self.server
        server.calls.append(f"GET {self.path}")
        server.keys.add(self.headers.get("api-key"))
        if self.path == "/":
            body = json.dumps({"title": "qdrant", "version": "1.16.0"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/collections/c":
            config = {**CONFIG, "optimizer_config": server.optimizers, "strict_mode_config": server.strict}
            status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
            info = {"status": status, "optimizer_status": "ok", "segments_count": 1, "payload_schema": {}}
            self.reply(200, {**info, "points_count": len(server.points), "config": config})
        else:
            self.reply(404, error="Not found: Collection `nowhere` doesn't exist!")

    def do_PATCH(self):
        changes = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.optimizers.update(changes["optimizers_config"])
        self.reply(200, True)

    def do_PUT(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.calls.append(f"{self.command} {self.path.split('?')[0]}")
        if len(body) > server.largest_body:
            return self.reply(413, error="Payload too large")
        if server.faults and (fault := server.faults.pop(0)) is not None:
            return fault(self)
        content = json.loads(body)
        if self.command == "PUT" and "/points" in self.path:
            server.sizes.append(len(content["points"]))
            server.points |= {point["id"]: point for point in content["points"]}
            return self.reply(200, {"operation_id": 1, "status": "completed"})
        if self.command == "PUT":
            return self.reply(200, True)
        return self.reply(200, {"points": [{"id": 1, "version": 0, "score": 0.5}]})


def refuse(status, error="no", headers=()):
    return lambda handler: handler.reply(status, error=error, headers=headers)


def cut(handler):
    handler.close_connection = True
    handler.connection.shutdown(2)


def hang(handler):
    time.sleep(1.5)
    cut(handler)
