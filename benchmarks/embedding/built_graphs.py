"""A graph that is built of a model's files beside the one that is traced through torch: time, and cosine to torch."""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.common import save
from benchmarks.embedding.contenders import MODEL

HERE = Path(__file__).parent
SHAPES = ((4, 16), (4, 32), (8, 48), (8, 64), (4, 128), (2, 256))
"""Texts and tokens of each batch that is timed; the last text of each is a quarter padding."""


def graphs(precision: str) -> dict:
    """Return name → compiled graph of one thread, and what torch gives for the texts that conversions are tried on."""
    from qdrant_embed.models.resolve import resolve
    from qdrant_embed.runtimes.openvino.int8 import quantize
    from qdrant_embed.runtimes.openvino.requests import best_hint, core
    from qdrant_embed.runtimes.openvino.runtime import graph_of
    from qdrant_embed.runtimes.openvino.traced import trace

    resolved = resolve(MODEL)
    traced, module = trace(resolved, pooled=True)
    made = {"built": graph_of(resolved, pooled=True)[0], "traced": traced}
    if precision == "int8":
        made = {name: quantize(resolved, model) for name, model in made.items()}
    hint = {"float32": "f32", "bf16": "bf16", "int8": best_hint()}[precision]
    settings = {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
    return {name: core().compile_model(model, "CPU", settings) for name, model in made.items()} | {
        "torch": (resolved, module)
    }


def measure(precision: str, rounds: int) -> dict:
    """Return the milliseconds of the processor that a round takes, their ratio, and the worst cosines."""
    from qdrant_embed.runtimes.conversion.fidelity import probe_batches

    compiled = graphs(precision)
    resolved, module = compiled.pop("torch")
    requests = {name: graph.create_infer_request() for name, graph in compiled.items()}
    random, batches = np.random.default_rng(0), []
    for texts, tokens in SHAPES:
        mask = np.ones((texts, tokens), np.int64)
        mask[-1, tokens * 3 // 4 :] = 0
        batches.append((random.integers(1000, 20_000, mask.shape), mask))
    seconds: dict[str, list[float]] = {name: [] for name in requests}
    for number in range(rounds + 1):  # the first is not counted
        for name, request in requests.items():
            began = time.process_time()
            for ids, mask in batches:
                request.infer([ids, mask])
            seconds[name] += [time.process_time() - began] if number else []
    probes = probe_batches(resolved)
    wanted = np.concatenate([module.run(batch) for batch in probes])
    found = {}
    for name, request in requests.items():
        vectors = np.concatenate([request.infer([batch.ids, batch.mask])[0] for batch in probes])
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(wanted, axis=1)
        found[name] = {
            "milliseconds": round(statistics.median(seconds[name]) * 1000, 1),
            "cosine_worst": round(float((np.einsum("nd,nd->n", vectors, wanted) / lengths).min()), 7),
        }
    ratios = [one / other for one, other in zip(seconds["built"], seconds["traced"], strict=True)]
    return {**found, "built_by_traced": round(statistics.median(ratios), 3)}


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--precisions", nargs="+", default=["float32", "bf16", "int8"])
    arguments = parser.parse_args()
    content = {precision: measure(precision, arguments.rounds) for precision in arguments.precisions}
    for precision, own in content.items():
        print(precision, own)
    save(HERE, "built-graphs", {"model": MODEL, "rounds": arguments.rounds, "precisions": content})


if __name__ == "__main__":
    main()
