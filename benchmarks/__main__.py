"""Run every benchmark, one after the other."""

import subprocess
import sys

RUNS = (
    ["benchmarks.engine.run"],
    ["benchmarks.retrieval.run"],
    ["benchmarks.confidence.run"],
    ["benchmarks.fusion.run"],
    ["benchmarks.fusion.latency", "--scale", "20000"],
    ["benchmarks.limit.run", "--documents", "5000"],
    ["benchmarks.memory.run"],
    ["benchmarks.compression.run"],
    ["benchmarks.embedding.run"],
    ["benchmarks.embedding.end_to_end"],
    ["benchmarks.long_context.run"],
    ["benchmarks.long_context.train_rotary"],
    ["benchmarks.faults.run", "--model", "hashing"],
    ["benchmarks.faults.run", "--model", "minilm"],
    ["benchmarks.writers.run"],
    ["benchmarks.round_trips.run"],
    ["benchmarks.sharing.run"],
    ["benchmarks.telemetry.run"],
    ["benchmarks.explore.run"],
    ["benchmarks.start.run"],
)

for run in RUNS:
    print(f"== {' '.join(run)}", flush=True)
    subprocess.run([sys.executable, "-m", *run], check=True)
