"""How long a search takes beside embedding its question, of many chunks in the embedded engine."""

import argparse
import cProfile
import io
import json
import pstats
import random
import statistics
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qdrant_client import models

from benchmarks.common import save
from benchmarks.fusion.sets import cranfield, fastapi
from benchmarks.fusion.ways import ASKED, MODES
from qdrant_embed import Collection, Recipe
from qdrant_embed.store import Engine

HERE = Path(__file__).parent
PAGE = 500
CHANGED = 0.3
"""Share of the words of a copied text that are other words."""
NOISE = 0.03
"""Standard deviation of what each number of a copied unit vector is changed by: a cosine of about 0.86."""
REQUESTS = ("query_batch_points", "query_points", "retrieve", "count", "scroll", "facet")
BY_ITSELF = {"rank": "query_batch_points", "payloads": "retrieve", "count_lacking": "count"}
"""What a folder answers by itself; other engines make these requests of it."""
K = 10


def main() -> None:
    """Load a collection, and time the modes on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=100_000, help="chunks")
    parser.add_argument("--questions", type=int, default=100, help="of each kind, asked one by one")
    parser.add_argument("--model", default="minilm", help="what embeds")
    parser.add_argument("--one", choices=("cranfield", "fastapi"), help="texts of this set alone; printed, not saved")
    parser.add_argument("--profile", action="store_true", help="print where the time of hybrid searches goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as at:
        began = time.perf_counter()
        with Collection.open("latency", at=Path(at), recipe=Recipe(model=given.model)) as docs:
            asked = filled(docs, given)
            loaded = time.perf_counter() - began
            print(f"{docs.count()} chunks in {loaded:.0f} s", flush=True)
            results = {name: timed(docs, texts) for name, texts in asked.items()}
            results = {"model": given.model, "chunks": docs.count(), "load_s": round(loaded), "questions": results}
            if given.profile:
                print(profile(docs, [text for texts in asked.values() for text in texts]))
    if given.one:
        print(json.dumps(results))
    else:
        print(save(HERE, f"latency-{given.scale}", results).read_text())


def filled(docs: Collection, given: argparse.Namespace) -> dict[str, list[str]]:
    """Fill a collection with texts and copies of them; return short and long questions."""
    fillers = {"cranfield": cranfield, "fastapi": fastapi}
    asked = {}
    for name, fill in fillers.items():
        if given.one in (None, name):
            _, questions = next(iter(fill(docs)))
            asked[name] = [question.text for question in questions][: given.questions]
    write_copies(docs, given.scale)
    return asked


def write_copies(docs: Collection, scale: int) -> None:
    """Write copies, with words and vectors changed, until there are so many chunks."""
    records, _ = docs.engine.scroll(docs.name, limit=scale, with_payload=True, with_vectors=True)
    generator, rng = random.Random(7), np.random.default_rng(7)
    pool = [word for record in records for word in record.payload["text"].split()]
    for start in range(len(records), scale, PAGE):
        page = range(start, min(scale, start + PAGE))
        points = [_copy(docs, records[number % len(records)], number, pool, generator, rng) for number in page]
        docs.engine.upsert(docs.name, points)
    docs.engine.finish_bulk_load(docs.name)


def _copy(
    docs: Collection, record: models.Record, number: int, pool: Sequence[str], generator: random.Random, rng: Any
) -> models.PointStruct:
    words = record.payload["text"].split()
    text = " ".join(generator.choice(pool) if generator.random() < CHANGED else word for word in words)
    terms = " ".join(docs.parts.bm25.document_terms(text))
    named = {"text": text, "bm25_terms": terms, "source": f"copy-{number}", "document_id": f"copy-{number}"}
    vector = np.asarray(record.vector["dense"], np.float32)
    vector = vector / np.linalg.norm(vector) + NOISE * rng.standard_normal(len(vector), np.float32)
    return models.PointStruct.model_construct(
        id=str(uuid.UUID(int=number, version=4)),
        vector={"dense": vector / np.linalg.norm(vector)},
        payload={**record.payload, **named},
    )


def timed(docs: Collection, texts: Sequence[str]) -> dict:
    """Return medians, in ms, of embedding a question and of whole searches in each mode, asked in turns.

    `times_embedding` is the median of each search divided by the embedding beside it: the machine may be shared.
    """
    asks: dict[str, Callable[[str], object]] = {"embedding": lambda text: docs.embedder.embed_queries([text])}
    asks |= {mode: lambda text, mode=mode: docs.search(text, k=K, mode=mode) for mode in MODES}
    for ask in asks.values():
        ask(texts[0])
    taken: dict[str, list[float]] = {name: [] for name in asks}
    for turn, text in enumerate(texts):
        # The first to ask about a text waits for what the others find in caches, so each is the first in its turn.
        names = list(asks)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken[name].append(_ms(asks[name], text))
    ratios = {mode: np.divide(taken[mode], taken["embedding"]) for mode in MODES}
    batches = [list(texts[start : start + ASKED]) for start in range(0, len(texts), ASKED)]
    batches = [batch for batch in batches if len(batch) == ASKED] or [list(texts)]
    return {
        "terms": statistics.median(len(docs.parts.bm25.query_terms(text)) for text in texts),
        "p50_ms": {name: round(statistics.median(own), 2) for name, own in taken.items()},
        "p95_ms": {name: round(float(np.percentile(own, 95)), 2) for name, own in taken.items()},
        "times_embedding": {mode: round(float(np.median(own)), 2) for mode, own in ratios.items()},
        "requests": {mode: requests(docs, texts, mode) for mode in MODES},
        f"p50_ms_a_question_of_{len(batches[0])}": {
            "embedding": _batched(batches, lambda batch: docs.embedder.embed_queries(batch)),
            **{mode: _batched(batches, lambda batch, m=mode: docs.search(batch, k=K, mode=m)) for mode in MODES},
        },
    }


def _batched(batches: Sequence[list[str]], ask: Callable[[list[str]], object]) -> float:
    return round(statistics.median(_ms(ask, batch) / len(batch) for batch in batches), 2)


def _ms(ask: Callable[[Any], object], given: Any) -> float:
    began = time.perf_counter()
    ask(given)
    return 1000 * (time.perf_counter() - began)


def requests(docs: Collection, texts: Sequence[str], mode: str) -> dict[str, float]:
    """Return how often the engine is asked in one search, on average, by what it is asked."""
    counts: Counter[str] = Counter()
    engine: Any = docs.engine
    own = [name for name in BY_ITSELF if getattr(type(engine), name) is not getattr(Engine, name)]
    originals = {name: getattr(engine, name) for name in (*REQUESTS, *own)}

    def counting(name: str) -> Callable:
        def ask(*given: Any, **named: Any) -> Any:
            counts[BY_ITSELF.get(name, name)] += 1
            return originals[name](*given, **named)

        return ask

    for name in originals:
        setattr(engine, name, counting(name))
    try:
        for text in texts:
            docs.search(text, k=K, mode=mode)
    finally:
        for name in originals:
            delattr(engine, name)
    return {name: round(count / len(texts), 2) for name, count in counts.items()}


def profile(docs: Collection, texts: Sequence[str]) -> str:
    """Return where the time of up to 200 hybrid searches goes, the costliest functions first."""
    profiler = cProfile.Profile()
    with profiler:
        for text in texts[:200]:
            docs.search(text, k=K)
    out = io.StringIO()
    pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(25)
    return out.getvalue()


if __name__ == "__main__":
    main()
