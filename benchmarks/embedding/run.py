"""Who embeds how fast, how near to float32, and from how much memory: we beside our peers, on the same texts."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common import data, results_of, save
from benchmarks.embedding.contenders import CONTENDERS
from benchmarks.embedding.drawing import draw
from benchmarks.embedding.peak import gflops, mflop_per_token, processor_flags
from benchmarks.embedding.texts import corpora, thinned, token_lengths

HERE = Path(__file__).parent
REFERENCE = "sentence-transformers, its defaults"
BEST_PEER = "sentence-transformers, its best batch"
TIMED = ("cranfield", "docs")


class Worker:
    """A contender in a process of its own."""

    def __init__(self, name: str, size: int, timed_size: int) -> None:
        began = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.embedding.worker", name, str(size), str(timed_size)]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self.started = self._answer()
        self.started["start_to_first_vector_s"] = round(time.perf_counter() - began, 2)

    def ask(self, *words: str) -> dict:
        """Tell it something and return its answer."""
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise RuntimeError((self._errors.read().strip().splitlines() or ["it ended without a word"])[-1])
        return json.loads(line)

    def end(self) -> None:
        """Let it go."""
        self._process.stdin.close()
        self._process.wait(60)


def measure(names: list[str], size: int, timed_size: int, rounds: int) -> tuple[dict, dict]:
    """Return contender → figures, and contender → why it did not run."""
    workers, absent = {}, {}
    for name in names:
        try:
            Worker(name, size, timed_size).end()  # once for what is converted and compiled at first use
            workers[name] = Worker(name, size, timed_size)
        except RuntimeError as error:
            absent[name] = str(error)
            print(f"{name}: {error}", flush=True)
    times = {name: {corpus: [] for corpus in TIMED} for name in workers}
    for number in range(rounds + 1):  # the first is not counted
        for name, worker in workers.items():
            for corpus in TIMED:
                answer = worker.ask("round", corpus)
                if number:
                    times[name][corpus].append(answer)
        print(f"round {number} of {rounds}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        lengths = timed_lengths(size, timed_size)
        figures = {name: figures_of(worker, times[name], lengths, Path(folder)) for name, worker in workers.items()}
        vectors = {name: {c: np.load(Path(folder) / f"{id(w)}-{c}.npy") for c in (*TIMED, "queries")}
                   for name, w in workers.items()}  # fmt: skip
    for worker in workers.values():
        worker.end()
    for name, own in figures.items():
        own |= fidelity(vectors[name], vectors.get(REFERENCE))
        if not size:
            own["ndcg_at_10"] = cranfield_ndcg(vectors[name])
    return figures, absent


def timed_lengths(size: int, timed_size: int) -> dict[str, list[int]]:
    """Return corpus → tokens of each text that a round embeds."""
    return {corpus: token_lengths(thinned(corpora(size)[corpus], timed_size)) for corpus in TIMED}


def figures_of(worker: Worker, times: dict, lengths: dict[str, list[int]], folder: Path) -> dict:
    """Return a contender's speed and memory, and have it write its vectors."""
    memory = worker.ask("memory")
    for corpus in (*TIMED, "queries"):
        worker.ask("save", corpus, str(folder / f"{id(worker)}-{corpus}.npy"))
    found = {**worker.started, **memory}
    for corpus in TIMED:
        tokens = sum(lengths[corpus])
        wall = [tokens / one["wall_s"] for one in times[corpus]]
        found[corpus] = {
            "tokens_per_s": round(statistics.median(wall)),
            "tokens_per_s_of_each_round": [round(value) for value in wall],
            "tokens_per_processor_s": round(statistics.median(tokens / one["processor_s"] for one in times[corpus])),
        }
    return found


def fidelity(vectors: dict, reference: dict | None) -> dict:
    """Return cosines to sentence-transformers in float32, over all texts."""
    if reference is None:
        return {}
    cosines = np.concatenate([cosine(vectors[name], reference[name]) for name in reference])
    return {"cosine_worst": round(float(cosines.min()), 6), "cosine_mean": round(float(cosines.mean()), 6)}


def cosine(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair of rows."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.einsum("nd,nd->n", one, other) / np.maximum(lengths, 1e-30)


def cranfield_ndcg(vectors: dict) -> float:
    """Return nDCG@10 of exact search."""
    import ir_measures

    folder = data("cranfield")
    ids = {name: [json.loads(line)["_id"] for line in (folder / file).read_text().splitlines()]
           for name, file in (("cranfield", "corpus.jsonl"), ("queries", "queries.jsonl"))}  # fmt: skip
    lines = (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]
    qrels = [ir_measures.Qrel(q, d, int(grade)) for q, d, grade in (line.split("\t") for line in lines)]
    scores = vectors["queries"] @ vectors["cranfield"].T
    best = np.argsort(-scores, axis=1)[:, :10]
    run = [
        ir_measures.ScoredDoc(query, ids["cranfield"][place], float(scores[row, place]))
        for row, query in enumerate(ids["queries"])
        for place in best[row]
    ]
    return round(ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run)[ir_measures.nDCG @ 10], 4)


def with_ratios(figures: dict, peaks: dict, mflop: dict) -> None:
    """Add how many times faster than the best peer each is, and which share of the machine's peak it reaches."""
    for name, own in figures.items():
        precision = name.rpartition(":")[2] if ":" in name else "float32"
        for corpus in TIMED:
            speed = own[corpus]["tokens_per_s"]
            if BEST_PEER in figures:
                other = figures[BEST_PEER][corpus]
                own[corpus]["times_best_peer"] = round(speed / other["tokens_per_s"], 2)
                own[corpus]["times_best_peer_in_processor_time"] = round(
                    own[corpus]["tokens_per_processor_s"] / other["tokens_per_processor_s"], 2
                )
            if precision in peaks:
                own[corpus]["share_of_peak"] = round(speed * mflop[corpus] / 1e3 / peaks[precision], 3)


def table(figures: dict) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| | tokens/s (Cranfield) | × best batch | tokens/s (docs) | × best batch | share of peak "
        "| cosine: worst, mean | nDCG@10 | peak memory, MiB | start, s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, own in figures.items():
        cells = [
            name,
            *(f"{own[corpus].get(key, '')}" for corpus in TIMED for key in ("tokens_per_s", "times_best_peer")),
            str(own["cranfield"].get("share_of_peak", "")),
            f"{own.get('cosine_worst', '')}, {own.get('cosine_mean', '')}",
            str(own.get("ndcg_at_10", "")),
            str(own["rss_peak_mb"]),
            "" if name == BEST_PEER else str(own["start_to_first_vector_s"]),  # its batch sizes were tried in it
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="60 texts of each corpus, two rounds; for a first look")
    parser.add_argument("--rounds", type=int, help="rounds that count; 5 unless said, after one that does not")
    parser.add_argument("--timed", type=int, default=0, help="texts of each corpus in a round; all unless said")
    parser.add_argument("contenders", nargs="*", help=f"some of: {'; '.join(CONTENDERS)}; all if none is named")
    arguments = parser.parse_args()
    if unknown := set(arguments.contenders) - set(CONTENDERS):
        parser.error(f"unknown contenders {sorted(unknown)}; known: {'; '.join(CONTENDERS)}")
    size, rounds = (60, 2) if arguments.quick else (0, 5)
    rounds = arguments.rounds or rounds
    lengths = timed_lengths(size, arguments.timed)
    mflop = {corpus: mflop_per_token(lengths[corpus]) for corpus in TIMED}
    peaks = gflops()
    figures, absent = measure(arguments.contenders or list(CONTENDERS), size, arguments.timed, rounds)
    with_ratios(figures, peaks, mflop)
    content = {
        "setting": {"texts": {c: len(lengths[c]) for c in TIMED}, "tokens": {c: sum(lengths[c]) for c in TIMED},
                    "rounds": rounds, "mflop_per_token": mflop, "peak_gflops": peaks,
                    "instructions": sorted(set(processor_flags().split()) & {"avx2", "avx512f", "avx512_bf16",
                                           "avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8"})},
        "contenders": figures,
        "not_run": absent,
    }  # fmt: skip
    name = "quick" if arguments.quick else "embedding"
    save(HERE, name, content)
    (results_of(HERE) / f"{name}.md").write_text(table(figures))
    draw(figures, TIMED, results_of(HERE) / f"{name}.png")
    print(table(figures))


if __name__ == "__main__":
    main()
