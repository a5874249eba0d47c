"""From a folder of pages to a collection that answers: we beside LlamaIndex's pipeline, with the same weights."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from benchmarks.common import data, save
from benchmarks.embedding.contenders import MODEL, model_folder
from benchmarks.embedding.texts import LIMIT, token_lengths
from benchmarks.embedding.worker import memory_mb

HERE = Path(__file__).parent
QUESTION = "How do I declare a request body?"
Ingest = Callable[[Path, Path], Callable[[], dict]]
"""Folder of pages and place of the collection → what counts, untimed, chunks, tokens read and the share cut off."""


def ours(runtime: str) -> Callable[[], Ingest]:
    """Return what loads our model and returns the ingest."""

    def load() -> Ingest:
        import qdrant_client  # noqa: F401 - imported before the clock starts, as LlamaIndex's store is

        from qdrant_embed import Collection, Recipe, load_embedder

        load_embedder(MODEL, runtime=runtime).embed_documents(["once"])

        def ingest(pages: Path, at: Path) -> Callable[[], dict]:
            with Collection.open("pages", at=at, recipe=Recipe(model=MODEL), runtime=runtime) as collection:
                report = collection.ingest(pages)
                if report.failed or report.truncated or not collection.search(QUESTION, k=1):
                    raise SystemExit(f"something was lost: {report}")
            return lambda: {"chunks": report.chunks, "tokens_read": report.tokens, "share_of_text_cut_off": 0.0}

        return ingest

    return load


def llama_index(chunk_tokens: int | None) -> Callable[[], Ingest]:
    """Return what loads LlamaIndex's model and returns its ingest.

    :param chunk_tokens: Tokens of a chunk in the model's own count, metadata included; None for LlamaIndex's defaults.
    """

    def load() -> Ingest:
        from llama_index.core import SimpleDirectoryReader
        from llama_index.core.ingestion import IngestionPipeline
        from llama_index.core.node_parser import SentenceSplitter
        from llama_index.core.schema import MetadataMode
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        from llama_index.vector_stores.qdrant import QdrantVectorStore
        from qdrant_client import QdrantClient

        model = HuggingFaceEmbedding(model_name=str(model_folder()), device="cpu")
        model.get_text_embedding("once")
        splitter = SentenceSplitter() if chunk_tokens is None else fitted(chunk_tokens)

        def ingest(pages: Path, at: Path) -> Callable[[], dict]:
            client = QdrantClient(path=str(at))
            store = QdrantVectorStore(client=client, collection_name="pages")
            documents = SimpleDirectoryReader(str(pages), recursive=True).load_data()
            nodes = IngestionPipeline(transformations=[splitter, model], vector_store=store).run(documents=documents)
            client.query_points("pages", model.get_query_embedding(QUESTION), limit=1)
            client.close()
            texts = [node.get_content(MetadataMode.EMBED) for node in nodes]
            return lambda: counted(texts)

        return ingest

    return load


def counted(texts: list[str]) -> dict:
    """Return what the model read of some texts."""
    whole, read = sum(token_lengths(texts, 10**9)), sum(token_lengths(texts))
    return {"chunks": len(texts), "tokens_read": read, "share_of_text_cut_off": round(1 - read / whole, 4)}


def fitted(tokens: int):
    """Return LlamaIndex's splitter, counting as the model does."""
    from llama_index.core.node_parser import SentenceSplitter

    from qdrant_embed.models.resolve import resolve

    tokenizer = resolve(MODEL).files.tokenizer()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return SentenceSplitter(
        chunk_size=tokens, chunk_overlap=0, tokenizer=lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    )


CONTENDERS: dict[str, Callable[[], Ingest]] = {
    "qdrant-embed": ours("auto"),
    "qdrant-embed, int8": ours("openvino:int8"),
    "LlamaIndex, chunks that fit the model": llama_index(LIMIT - 2),
    "LlamaIndex, its defaults": llama_index(None),
}


def run_one(name: str, pages: Path) -> dict:
    """Ingest once, in this process."""
    began = time.perf_counter()
    ingest = CONTENDERS[name]()
    loaded = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        figures = ingest(pages, Path(folder) / "collection")
        done = time.perf_counter()
    seconds = {"load_s": round(loaded - began, 2), "ingest_s": round(done - loaded, 2)}
    return {**seconds, **figures(), "rss_peak_mb": memory_mb("VmHWM")}


def compare(count: int, rounds: int) -> dict:
    """Run every contender in fresh processes, in turn."""
    rows: dict[str, list[dict]] = {}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        every = sorted((data("docs") / "fastapi").rglob("*.md"))
        chosen = every[:: max(1, len(every) // count)][:count]
        for number, page in enumerate(chosen):
            shutil.copy(page, Path(folder) / f"{number:03d}-{page.name}")
        for number in range(rounds):
            for name in [name for name in CONTENDERS if name not in absent]:
                command = [sys.executable, "-m", "benchmarks.embedding.end_to_end", "--one", name, "--pages", folder]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    absent[name] = done.stderr.strip().splitlines()[-1]
                    print(f"{name}: {absent[name]}", flush=True)
                    continue
                rows.setdefault(name, []).append(json.loads(done.stdout.splitlines()[-1]))
                print(number, name, rows[name][-1], flush=True)
    return {"pages": len(chosen), "rounds": rounds, "contenders": summed(rows), "not_run": absent}


def summed(rows: dict[str, list[dict]]) -> dict:
    """Return the medians of the rounds, and how many times faster than LlamaIndex at the same fidelity."""
    found = {}
    for name, own in rows.items():
        seconds = [row["ingest_s"] for row in own]
        found[name] = {**own[-1], "ingest_s": round(statistics.median(seconds), 2), "ingest_s_of_each_round": seconds}
    peer = found.get("LlamaIndex, chunks that fit the model")
    for own in found.values():
        own["tokens_per_s"] = round(own["tokens_read"] / own["ingest_s"])
        if peer:
            own["times_faster_than_llama_index"] = round(peer["ingest_s"] / own["ingest_s"], 2)
    return found


def main() -> None:
    """Compare, or run one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="8 pages, once; for a first look")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--pages", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.one:
        print(json.dumps(run_one(arguments.one, arguments.pages)))
        return
    content = compare(8, 1) if arguments.quick else compare(60, 3)
    print(json.dumps(content["contenders"], indent=1))
    save(HERE, "quick-end-to-end" if arguments.quick else "end-to-end", content)


if __name__ == "__main__":
    main()
