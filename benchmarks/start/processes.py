"""Commands timed as whole processes: processor seconds, threads and children included, and seconds on the clock."""

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LEFT_OUT = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "VIRTUAL_ENV")
"""Variables that users do not have; with one thread, less would be measured than they wait for."""


@dataclass(frozen=True, slots=True)
class Took:
    """What one process took, in seconds.

    :param said: What it wrote to stdout.
    """

    cpu: float
    wall: float
    said: str


def environment(**more: str) -> dict[str, str]:
    """Return the variables that a process is given: nothing is looked for on the network."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return {**kept, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **more}


def timed(command: Sequence[str | Path], variables: Mapping[str, str], at: Path | None = None) -> Took:
    """Run a command to its end.

    :raises SystemExit: It failed; what it said is shown.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], env=dict(variables), cwd=at, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said, complained = process.communicate()
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{complained[-2000:]}")
    return Took(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, said)


def medians(command: Sequence[str | Path], runs: int, variables: Mapping[str, str], at: Path | None = None) -> dict:
    """Return the medians of several runs, after one that is not counted: compiled modules and files are there then."""
    timed(command, variables, at)
    took = [timed(command, variables, at) for _ in range(runs)]
    return {
        "cpu_s": round(statistics.median(one.cpu for one in took), 3),
        "cpu_s_all": [round(one.cpu, 3) for one in took],
        "wall_s": round(statistics.median(one.wall for one in took), 3),
    }
