"""What telemetry adds to a search: where the application has not set it up, and where it has."""

import argparse
import json
import statistics
import tempfile
import time
import timeit
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from benchmarks.common import save
from benchmarks.fusion.sets import judged
from qdrant_embed import Collection, Recipe
from qdrant_embed.store import WrappedEngine, open_engine
from qdrant_embed.store.tracing.traced_engine import TracedEngine
from qdrant_embed.telemetry import configure, recording
from qdrant_embed.telemetry.recorded_operation import UNRECORDED

HERE = Path(__file__).parent
K = 10


def main() -> None:
    """Ask the same questions in every state, one state after the other for each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is asked in each state")
    parser.add_argument("--models", nargs="+", default=["hashing", "minilm"])
    parser.add_argument("--one", action="store_true", help="print the results, save nothing")
    given = parser.parse_args()
    results = {"models": {model: measured(model, given) for model in given.models}}
    print(json.dumps(results) if given.one else save(HERE, "telemetry", results).read_text())


def measured(model: str, given: argparse.Namespace) -> dict:
    """Return the milliseconds of a search in each state, and what each adds to the first, for two modes."""
    with tempfile.TemporaryDirectory() as at, Collection.open("abstracts", at=at, recipe=Recipe(model=model)) as docs:
        [(_, asked)] = judged("cranfield", docs)
        questions = [one.text for one in asked][: given.questions]
        return {mode: timed(docs, questions, given.rounds, mode) for mode in ("hybrid", "dense")}


def timed(docs: Collection, questions: list[str], rounds: int, mode: str) -> dict:
    """Return medians in milliseconds of the processor, and medians of the differences to `removed` in percent."""
    states = {"removed": removed, "off": off, "recording": recorded}
    took: dict[str, list[float]] = {state: [] for state in states}
    for number in range(rounds + 1):
        for place, question in enumerate(questions):
            names = list(states)
            turned = names[(place + number) % 3 :] + names[: (place + number) % 3]
            for state in turned:
                with states[state](docs):
                    began = time.process_time()
                    docs.search(question, K, mode=mode)
                    seconds = time.process_time() - began
                if number:  # the first round only warms up
                    took[state].append(1000 * seconds)
    base = statistics.median(took["removed"])
    found = {"removed_ms": round(base, 3)}
    for state in ("off", "recording"):
        added = statistics.median(one - other for one, other in zip(took[state], took["removed"], strict=True))
        found[f"{state}_ms"] = round(statistics.median(took[state]), 3)
        found[f"{state}_adds_percent"] = round(100 * added / base, 2)
    calls = engine_calls(docs, questions[0], mode)
    added_us = hooks_us(calls)
    return found | {
        "engine_calls": calls,
        "hooks_us": round(added_us, 1),
        "hooks_percent": round(added_us / base / 10, 2),
    }


def engine_calls(docs: Collection, question: str, mode: str) -> int:
    """Return how many calls of the engine a search makes through the layer that records them."""
    calls = 0
    forward = TracedEngine.forward

    def counted(*given, **named):
        nonlocal calls
        calls += 1
        return forward(*given, **named)

    with patch.object(TracedEngine, "forward", counted):
        docs.search(question, K, mode=mode)
    return calls


class NullEngine(WrappedEngine):
    """An engine that does nothing, to see what the layer around it takes."""

    def count(self, *_, **__):
        """Do nothing."""


def hooks_us(calls: int) -> float:
    """Return the microseconds of all that telemetry does in one search where nothing is set: these parts alone."""
    bare = NullEngine(open_engine(":memory:"))
    layered = TracedEngine(bare)

    def with_hooks() -> None:
        with recording.retrieval("abstracts", "hashing", K, "hybrid", ("question",)) as operation:
            with recording.model_embeddings("hashing", "", 256, 1) as reading:
                recording.read(reading, 8)
            for _ in range(calls):
                layered.count("abstracts")
            recording.found(operation, ("question",), ())

    def without() -> None:
        for _ in range(calls):
            bare.count("abstracts")

    number = 2000
    took = [
        min(timeit.repeat(call, timer=time.process_time, number=number, repeat=7)) for call in (with_hooks, without)
    ]
    return 1e6 * (took[0] - took[1]) / number


@contextmanager
def removed(docs: Collection):
    """Search as if there was no telemetry: no layer around the engine, nothing asked."""
    points = docs.parts.points
    with ExitStack() as stack:
        stack.enter_context(patch.object(points, "whole", points.whole.whole))
        for name in ("retrieval", "model_embeddings"):
            stack.enter_context(patch.object(recording, name, lambda *_: UNRECORDED))
        for name in ("found", "read"):
            stack.enter_context(patch.object(recording, name, lambda *_: None))
        yield


@contextmanager
def off(docs: Collection):
    """Search as an application does that has imported OpenTelemetry's interface and set nothing."""
    import opentelemetry.metrics
    import opentelemetry.trace  # noqa: F401

    yield


@contextmanager
def recorded(docs: Collection):
    """Search with the SDK, which makes every span and drops it."""
    tracers, meters = providers()
    configure(tracer_provider=tracers, meter_provider=meters)
    try:
        yield
    finally:
        configure()


_made: list = []


def providers() -> tuple:
    """Return one pair of providers for all searches."""
    if not _made:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider

        _made.extend((TracerProvider(), MeterProvider([InMemoryMetricReader()])))
    return tuple(_made)


if __name__ == "__main__":
    main()
