"""One contender in a process of its own, so that memory and start-up are its own; it does what it is told on stdin."""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.embedding.contenders import CONTENDERS
from benchmarks.embedding.texts import corpora, thinned


def memory_mb(field: str) -> float | None:
    """Return a figure of this process from /proc (Linux), in MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = [line for line in status.read_text().splitlines() if line.startswith(field)]
    return round(int(lines[0].split()[1]) / 1024, 1)


def serve(name: str, size: int, timed_size: int) -> None:
    """Load, then answer a line each: `round CORPUS`, `save CORPUS FILE`, `memory`."""
    texts = corpora(size)
    before = memory_mb("VmRSS")
    began = time.perf_counter()
    encode = CONTENDERS[name](texts["cranfield"][:64])
    encode(["the first text"])
    say({"load_s": round(time.perf_counter() - began, 2), "rss_before_mb": before})
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "round":
            say(timed(encode, thinned(texts[rest[0]], timed_size)))
        elif command == "save":
            np.save(rest[1], np.asarray(encode(texts[rest[0]]), np.float32))
            say({})
        elif command == "memory":
            say({"rss_peak_mb": memory_mb("VmHWM")})


def timed(encode, texts: list[str]) -> dict:
    """Return how long the texts took, by the clock and in processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    encode(texts)
    return {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}


def say(answer: dict) -> None:
    """Answer with one line on the real stdout; what libraries print went elsewhere."""
    REAL.write(json.dumps(answer) + "\n")
    REAL.flush()


REAL = sys.stdout

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout = sys.stderr
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
