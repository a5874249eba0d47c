"""Measure the page of a collection in headless Chromium: first paint, searches, the map, frames, memory."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import save
from benchmarks.explore.served import TOPICS, documents
from benchmarks.explore.watched import LASSO, QUESTIONS, SEARCH, megabytes, moved, opened, shown_map, spread
from tests.explore.chromium import BROWSER, DRIVER, Chromium

HERE = Path(__file__).parent
SIZES = ((1200, 800, 1), (1920, 1080, 1), (1440, 900, 2))
VIEWS = ("search", "map", "documents", "statistics", "settings")


class Server:
    """The process that serves the page of a collection; a context manager."""

    def __init__(self, at: Path, points: int, cache: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.explore.served", str(at), str(points)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "QDRANT_EMBED_CACHE": str(cache)},
        )  # fmt: skip
        self.url = self._process.stdout.readline().strip()

    def say(self, word: str) -> dict:
        """Say a word, `map` to wait until that is there, and return CPU seconds and megabytes of the process."""
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def map_made(server: Server) -> dict[str, float]:
    """Return what making the map takes of the processor, and how long it takes."""
    before, began = server.say("")["cpu"], time.perf_counter()
    after = server.say("map")["cpu"]
    return {"cpu_seconds": round(after - before, 2), "seconds": round(time.perf_counter() - began, 2)}


def measured(points: int, at: Path, frames: int, screens: Path | None) -> dict:
    """Return everything that is measured of a collection of so many points."""
    questions = [one.text.partition(" ")[0] + " " + one.text.split()[3] for one in documents(QUESTIONS + TOPICS)]
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        with Server(at, points, cache) as server:
            made = map_made(server)
        with Server(at, points, cache) as server:
            again = map_made(server)
            browser = Chromium(Path(folder) / "profile")
            try:
                found = {"points": points, "map": made, "map_cached": again, **opened(browser, server.url)}
                found["search"] = spread(browser.run(SEARCH, questions[:QUESTIONS]))
                found["frames"] = {}
                for size in SIZES:
                    shown_map(browser, server.url, size)
                    found["frames"]["{}x{}@{}".format(*size)] = moved(browser, frames)
                shown_map(browser, server.url, SIZES[0])
                found["lasso"] = lassoed(browser)
                found["frames_selected"] = moved(browser, frames)
                found["megabytes"] = {"server": server.say("")["megabytes"], **megabytes(browser)}
                if screens is not None:
                    look(browser, server.url, screens, points)
            finally:
                browser.close()
    return found


def lassoed(browser: Chromium) -> dict:
    """Draw around about a tenth of the points, and return how long it takes until they are listed."""
    taken, told = browser.run(LASSO, 0.16)
    return {"ms": round(taken), "selected": told}


def look(browser: Chromium, url: str, screens: Path, points: int) -> None:
    """Save pictures of all views, light and dark, wide and narrow."""
    screens.mkdir(parents=True, exist_ok=True)
    for width in (1200, 400):
        for theme in ("light", "dark"):
            browser.size(width, 800)
            browser.open("about:blank")
            browser.open(url)
            browser.wait("document.querySelector('.question') !== null", seconds=120)
            browser.run("document.querySelector('.qe').dataset.theme = arguments[0]", theme)
            for view in VIEWS:
                browser.run("document.querySelector(`[data-view=${arguments[0]}]`).click()", view)
                if view == "search":
                    browser.run(SEARCH, [next(documents(1)).text[:20]])
                browser.run("return new Promise((done) => setTimeout(done, 1500))")
                (screens / f"{points}-{width}-{theme}-{view}.png").write_bytes(browser.picture())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--frames", type=int, default=240, help="frames of each movement")
    parser.add_argument("--at", type=Path, help="keep the collections below this folder, for the next run")
    parser.add_argument("--screens", type=Path, help="save pictures of all views in this folder")
    given = parser.parse_args()
    if not (BROWSER and DRIVER):
        raise SystemExit("there is no chromium with its chromedriver here; on Debian: apt install chromium-driver")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for points in given.points:
            found.append(measured(points, (given.at or Path(folder)) / str(points), given.frames, given.screens))
            print(json.dumps(found[-1]), flush=True)
    save(HERE, "explore", {"frames": given.frames, "runs": found})


if __name__ == "__main__":
    main()
