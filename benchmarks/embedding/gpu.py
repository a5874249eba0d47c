"""Who embeds how fast on an NVIDIA GPU: our torch runtime beside sentence-transformers, in the same process in turn."""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.common import save
from benchmarks.embedding.contenders import MODEL, Encode, model_folder, tokenizing
from benchmarks.embedding.peak import mflop_per_token
from benchmarks.embedding.run import cosine, cranfield_ndcg
from benchmarks.embedding.texts import corpora, token_lengths

HERE = Path(__file__).parent
BATCH_SIZES = (32, 128, 512, 1024, 2048)
REFERENCE = "sentence-transformers float32, its defaults"


def ours(precision: str) -> Encode:
    """Load our embedder."""
    from qdrant_embed import load_embedder

    embedder = load_embedder(MODEL, runtime=f"torch:{precision}", window="truncate")
    embedder.embed_documents(["once"])
    return tokenizing(embedder)


def theirs(dtype: str, sample: list[str] | None) -> Encode:
    """Load sentence-transformers.

    :param sample: Texts to find its fastest batch size with; None for its default.
    """
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(model_folder()), device="cuda", model_kwargs={"dtype": dtype})

    def encode(texts: list[str], size: int = 32) -> np.ndarray:
        return np.asarray(loaded.encode(texts, batch_size=size, convert_to_tensor=True).float().cpu(), np.float32)

    encode(["once"])
    if sample is None:
        return encode
    best = min(BATCH_SIZES, key=lambda size: min(_seconds(lambda: encode(sample, size)) for _ in range(2)))
    return lambda texts: encode(texts, best)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def contenders(sample: list[str]) -> dict[str, Encode]:
    """Return name → what embeds."""
    return {
        "qdrant-embed torch:bf16": ours("bf16"),
        "qdrant-embed torch:float32": ours("float32"),
        REFERENCE: theirs("float32", None),
        "sentence-transformers float32, its best batch": theirs("float32", sample),
        "sentence-transformers bfloat16, its best batch": theirs("bfloat16", sample),
    }


def measure(rounds: int) -> dict:
    """Return contender → figures."""
    import torch

    texts = corpora(0)
    timed = texts["cranfield"] + texts["docs"]
    tokens = token_lengths(timed)
    encoders = contenders(timed)
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    memory = dict.fromkeys(encoders, 0.0)
    for number in range(rounds + 1):  # the first is not counted
        for name, encode in encoders.items():
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            taken = _seconds(lambda encode=encode: encode(timed))
            memory[name] = round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)
            seconds[name] += [taken] if number else []
    vectors = {name: {corpus: encode(own) for corpus, own in texts.items()} for name, encode in encoders.items()}
    figures = {}
    for name in encoders:
        cosines = np.concatenate([cosine(vectors[name][c], vectors[REFERENCE][c]) for c in texts])
        median = statistics.median(seconds[name])
        figures[name] = {
            "tokens_per_s": round(sum(tokens) / median),
            "tokens_per_s_of_each_round": [round(sum(tokens) / one) for one in seconds[name]],
            "tflops": round(sum(tokens) / median * mflop_per_token(tokens) / 1e6, 1),
            "gpu_mb_beyond_weights": memory[name],
            "cosine_worst": round(float(cosines.min()), 6),
            "cosine_mean": round(float(cosines.mean()), 6),
            "ndcg_at_10": cranfield_ndcg(vectors[name]),
        }
    return {"gpu": torch.cuda.get_device_name(), "texts": len(timed), "tokens": sum(tokens), "rounds": rounds,
            "contenders": figures}  # fmt: skip


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    content = measure(parser.parse_args().rounds)
    for name, own in content["contenders"].items():
        print(name, own)
    save(HERE, "gpu", content)


if __name__ == "__main__":
    main()
