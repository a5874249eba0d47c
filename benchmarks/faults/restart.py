"""Restart a server in the middle of an ingest, and compare the points with those of an ingest that was left alone.

The server is the tests' stand-in, by REST, in this process; the ingest runs in another one, as `child` starts it.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.common import save
from benchmarks.faults.run import HERE, PAGES, child, difference, finish, make_corpus, points
from tests.support.server_stand_in import StandIn

WRITTEN_TWICE = 1e-6
"""The stand-in scales a vector to length 1 a last digit otherwise where the point is there already."""


class Restart:
    """Stops a server at its n-th upsert, and starts it again later.

    :ivar away: Seconds from the stop to the start, and from there to the next request; None until they are over.
    """

    def __init__(self, server: StandIn, at_upsert: int, seconds: float) -> None:
        self._server, self._left, self._seconds = server, at_upsert, seconds
        self.away: list[float] = []
        self._marks: list[float] = []
        server.before.append(self._look)

    def _look(self, asked: object) -> None:
        if len(self._marks) == 2:
            self._marks.append(time.monotonic())
            self.away = [late - early for early, late in zip(self._marks, self._marks[1:], strict=False)]
        if str(asked).startswith("PUT ") and str(asked).endswith("/points"):
            self._left -= 1
            if not self._left:
                self._marks.append(time.monotonic())
                self._server.stop()
                threading.Timer(self._seconds, self._start).start()

    def _start(self) -> None:
        self._server.start()
        self._marks.append(time.monotonic())


def main() -> None:
    """Run both ingests and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="How long the server is away")
    parser.add_argument("--pages", type=int, default=PAGES["hashing"], help="Markdown pages ingested")
    parser.add_argument("--at-upsert", type=int, default=3, help="The request of points that it goes away at")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, StandIn() as calm, StandIn() as restarted:
        folder = Path(temporary) / "docs"
        make_corpus(folder, arguments.pages)
        finish(child(folder, calm.url, "hashing"))
        restart = Restart(restarted, arguments.at_upsert, arguments.seconds)
        began = time.monotonic()
        report = finish(child(folder, restarted.url, "hashing"))
        took = time.monotonic() - began
        found = difference(points(restarted.url), points(calm.url), WRITTEN_TWICE)
    if not restart.away:
        raise SystemExit("the ingest was over before the server went away; give more pages")
    results = {
        "server": f"stand-in of the tests, {restarted.version}, by REST",
        "seconds_away": round(restart.away[0], 2),
        "found_again_after_s": round(restart.away[1], 2),
        "ingest_s": round(took, 1),
        "points": report["chunks"],
        "failed": report["failed"],
        "difference": found,
    }
    print(save(HERE, "restart", results).read_text())
    if found or report["failed"]:
        raise SystemExit("the ingest ended in other points")


if __name__ == "__main__":
    main()
