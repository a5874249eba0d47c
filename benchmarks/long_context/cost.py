"""What a strategy costs: tokens a second and memory when texts are read, bytes and time when they are searched.

Every measurement has a process of its own: `python -m benchmarks.long_context.cost WINDOW …` prints one as JSON.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.long_context.reading import Documents, embedder
from benchmarks.long_context.tasks import needle, prose

DIM_BYTES = 4
LONG, SHORT = 4096, 512


def reading(window: str, tokens: int, documents: int) -> dict:
    """Return tokens of the documents read a second, and memory beyond that of the loaded model."""
    task = needle(LONG, prose(), documents=documents, queries=1)
    texts = list(task.documents.values())
    count = sum(embedder("truncate").token_counter.count_batch(texts))
    Documents(["once"]).bags(window, tokens)
    before = _peak()
    seconds, processor = _timed(lambda: Documents(texts).bags(window, tokens))
    return {
        "window": window,
        "max_tokens": tokens,
        "documents": documents,
        "tokens": count,
        "tokens_per_s": round(count / seconds),
        "processor_s_per_million_tokens": round(processor / count * 1e6, 1),
        "peak_mb_beyond_the_model": round((_peak() - before) / 2**20, 1),
        "runtime": embedder(window, tokens).runtime,
    }


def ratio(method: str, documents: int, rounds: int) -> dict:
    """Return what a token costs when 4096 are read at once, over what it costs when 512 are; medians of some rounds."""
    text = " ".join(prose())
    long, short = embedder(f"{method}:{LONG}+truncate"), embedder("truncate", SHORT)
    many = documents * LONG // SHORT
    for model in (long, short):
        model.embed_documents([text])
    times = []
    for _ in range(rounds):
        once = _timed(lambda: long.embed_documents([text] * documents))
        each = _timed(lambda: short.embed_documents([text] * many))
        times.append((*once, *each))
    long_s, long_cpu, short_s, short_cpu = np.median(np.array(times), axis=0)
    per_token = documents * LONG
    return {
        "method": method,
        "tokens_per_s_at_512": round(per_token / short_s),
        "tokens_per_s_at_4096": round(per_token / long_s),
        "times_the_cost_by_the_clock": round(float(long_s / short_s), 2),
        "times_the_cost_in_processor_time": round(float(long_cpu / short_cpu), 2),
        "runtime": long.runtime,
    }


def scanning(vectors: float, documents: int = 1000, dim: int = 384) -> float:
    """Return the milliseconds of comparing one question with all vectors of some documents, exactly, best of each."""
    each = max(1, round(vectors))
    stored = np.random.default_rng(0).standard_normal((documents * each, dim)).astype(np.float32)
    question = stored[0].copy()
    starts = np.arange(0, len(stored), each)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        np.maximum.reduceat(stored @ question, starts)
        times.append(time.perf_counter() - began)
    return round(float(np.median(times)) * 1e3, 3)


def apart(*arguments: str) -> dict:
    """Return a measurement made in a process of its own, without vectors that were kept."""
    environment = {key: value for key, value in os.environ.items() if key != "QDRANT_EMBED_EMBEDDINGS"}
    command = [sys.executable, "-m", "benchmarks.long_context.cost", *arguments]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    began, worked = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - worked


def _peak() -> int:
    """Return the most bytes this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("window", help="a window strategy, or a method where --ratio is given")
    parser.add_argument("--tokens", type=int, default=256, choices=(256, 512))
    parser.add_argument("--documents", type=int, default=16)
    parser.add_argument("--ratio", type=int, default=0, metavar="ROUNDS", help="compare 4096 tokens with 512")
    given = parser.parse_args(arguments)
    if given.ratio:
        print(json.dumps(ratio(given.window, given.documents, given.ratio)))
    else:
        print(json.dumps(reading(given.window, given.tokens, given.documents)))


if __name__ == "__main__":
    main()
