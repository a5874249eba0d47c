"""Peak anonymous memory of an ingest of few and of many long documents, whole, by window strategy."""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import save
from benchmarks.memory.run import WORDS, Peak, rss_anon_mb

HERE = Path(__file__).parent
STRATEGIES = ("pcw", "windows:128", "late")
TINY_TOKENS = 512


def text(number: int, words: int) -> str:
    """Return so many words in paragraphs, none of which any other text has."""
    chosen = random.Random(number).choices(WORDS, k=words)
    return "".join(f"{word}.\n\n" if step % 80 == 79 else f"{word} " for step, word in enumerate(chosen))


def documents(count: int, words: int):
    """Yield documents of so many words, made as they are asked for."""
    from qdrant_embed import Document

    for number in range(count):
        yield Document(text=text(number, words), source=f"report-{number}.txt")


def tiny_model(folder: Path) -> str:
    """Save a transformer of two blocks with random weights: the same memory for texts, windows and states of tokens."""
    from tests.support.tiny_models import save_tiny_model

    return str(save_tiny_model(folder, "bert", max_tokens=TINY_TOKENS))


def measure(model: str, window: str, count: int, tokens: int) -> dict:
    """Ingest in this process and return what it took."""
    from qdrant_embed import Collection, Recipe

    whole = not window.startswith("late")
    with tempfile.TemporaryDirectory() as folder:
        name = tiny_model(Path(folder) / "model") if model == "tiny" else model
        recipe = Recipe(model=name, window=window, chunker="document" if whole else "auto")
        with Collection.open("long", at=Path(folder) / "data", recipe=recipe) as collection:
            collection.embedder.embed_queries(["warm"])
            words = round(tokens * 1000 / collection.embedder.token_counter.count(text(0, 1000)))
            start = rss_anon_mb()
            with Peak() as peak:
                began = time.perf_counter()
                report = collection.ingest(documents(count, words))
                seconds = time.perf_counter() - began
            size = sum(path.stat().st_blocks * 512 for path in (Path(folder) / "data").rglob("*") if path.is_file())
    return {
        "model": model,
        "window": window,
        "documents": report.documents,
        "chunks": report.chunks,
        "windowed": report.windowed,
        "late": report.late,
        "failed": len(report.failed),
        "tokens": report.tokens,
        "seconds": round(seconds, 1),
        "disk_mb": round(size / 2**20, 1),
        "rss_anon_before_mb": round(start),
        "rss_anon_peak_mb": round(peak.mb),
    }


def main() -> None:
    """Measure each strategy with few and with many documents, each in a fresh process, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, nargs="*", default=[20, 200])
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--minilm", type=int, default=3, help="Documents for MiniLM, which takes ten seconds each.")
    parser.add_argument("--quick", action="store_true", help="Two sizes of a tenth, and no MiniLM; nothing is written.")
    parser.add_argument("--one", nargs=4, metavar=("MODEL", "WINDOW", "DOCUMENTS", "TOKENS"))
    arguments = parser.parse_args()
    if arguments.one:
        model, window, count, tokens = arguments.one
        print(json.dumps(measure(model, window, int(count), int(tokens))))
        return
    sizes, tokens = ([2, 8], 20_000) if arguments.quick else (arguments.documents, arguments.tokens)
    wanted = [("tiny", window, count) for window in STRATEGIES for count in sizes]
    wanted += [("hashing", "windows:128", count) for count in sizes]
    if arguments.minilm and not arguments.quick:
        wanted += [("minilm", window, arguments.minilm) for window in STRATEGIES]
    runs = []
    for model, window, count in wanted:
        command = [
            sys.executable,
            "-m",
            "benchmarks.long_context.memory",
            "--one",
            model,
            window,
            str(count),
            str(tokens),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        print(runs[-1], flush=True)
    if not arguments.quick:
        save(HERE, "memory", {"tokens_per_document": tokens, "runs": runs})


if __name__ == "__main__":
    main()
