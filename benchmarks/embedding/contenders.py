"""Who embeds: each contender as a function that loads it and returns another, texts → vectors (n, 384), float32."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from qdrant_embed.embedding import Embedder

MODEL = "minilm"
BATCH_SIZES = (8, 16, 32, 64, 128, 256)
Encode = Callable[[list[str]], np.ndarray]


def model_folder() -> Path:
    """Return where the weights are that all contenders share."""
    from qdrant_embed.models.resolve import resolve

    return resolve(MODEL).files.folder


def ours(runtime: str) -> Callable[[list[str]], Encode]:
    """Return what loads our embedder; it cuts what the model cannot read, as all others do."""

    def load(_: list[str]) -> Encode:
        from qdrant_embed import load_embedder

        # Kept vectors would make every round after the first one free.
        os.environ.pop("QDRANT_EMBED_EMBEDDINGS", None)
        embedder = load_embedder(MODEL, runtime=runtime, window="truncate")
        embedder.embed_documents(["once"])
        if runtime not in ("torch", "onnx") and embedder.runtime != runtime:
            raise SystemExit(f"{runtime} cannot be had on this machine: {embedder.runtime} runs instead")
        return tokenizing(embedder)

    return load


def tokenizing(embedder: Embedder) -> Encode:
    """Return what embeds texts, and tokenizes them each time: tokens of texts seen lately would be remembered."""

    def encode(texts: list[str]) -> np.ndarray:
        embedder.token_counter._recent.clear()
        return embedder.embed_documents(texts)

    return encode


def sentence_transformers(batch_size: int | None) -> Callable[[list[str]], Encode]:
    """Return what loads sentence-transformers.

    :param batch_size: None to try some on the sample, and keep the fastest.
    """

    def load(sample: list[str]) -> Encode:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(model_folder()), device="cpu")
        size = batch_size or fastest(lambda size: model.encode(sample, batch_size=size))
        return lambda texts: model.encode(texts, batch_size=size)

    return load


def fastest(run: Callable[[int], object]) -> int:
    """Return the batch size that took least processor time, each tried twice."""
    import time

    def seconds(size: int) -> float:
        began = time.process_time()
        run(size)
        return time.process_time() - began

    run(BATCH_SIZES[0])
    return min(BATCH_SIZES, key=lambda size: min(seconds(size), seconds(size)))


def llama_index(_: list[str]) -> Encode:
    """Load LlamaIndex's own embedding model, with its defaults."""
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    model = HuggingFaceEmbedding(model_name=str(model_folder()), device="cpu")
    return lambda texts: np.asarray(model.get_text_embedding_batch(texts), np.float32)


def fastembed(_: list[str]) -> Encode:
    """Load fastembed with the ONNX file that our own onnx runtime runs, but for the pooling, which fastembed does."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    folder = onnx_folder()
    TextEmbedding.add_custom_model(
        model="local/minilm",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf="local/minilm"),
        dim=384,
        model_file="model.onnx",
    )
    model = TextEmbedding("local/minilm", specific_model_path=str(folder), local_files_only=True)
    return lambda texts: np.stack(list(model.embed(texts)))


def onnx_folder() -> Path:
    """Return a folder as fastembed wants it: the exported graph beside the tokenizer's files."""
    import json

    from qdrant_embed.models.files.word_vectors import cache_folder
    from qdrant_embed.models.resolve import resolve
    from qdrant_embed.runtimes.conversion.convert import converted
    from qdrant_embed.runtimes.onnx import CONVERTER

    resolved = resolve(MODEL)
    made = converted(resolved, CONVERTER, pooled=False)
    folder = cache_folder() / "benchmark-fastembed"
    folder.mkdir(parents=True, exist_ok=True)
    for file in made.folder.glob("model.onnx*"):
        shutil.copy(file, folder)
    for name in ("tokenizer.json", "config.json", "special_tokens_map.json"):
        if (resolved.files.transformer / name).exists():
            shutil.copy(resolved.files.transformer / name, folder)
    config = json.loads((resolved.files.transformer / "tokenizer_config.json").read_text())
    stated = {**config, "model_max_length": resolved.preset.max_tokens}
    (folder / "tokenizer_config.json").write_text(json.dumps(stated))
    return folder


CONTENDERS: dict[str, Callable[[list[str]], Encode]] = {
    "qdrant-embed torch": ours("torch"),
    "qdrant-embed onnx": ours("onnx"),
    "qdrant-embed openvino:float32": ours("openvino:float32"),
    "qdrant-embed openvino:bf16": ours("openvino:bf16"),
    "qdrant-embed openvino:int8": ours("openvino:int8"),
    "sentence-transformers, its defaults": sentence_transformers(32),
    "sentence-transformers, its best batch": sentence_transformers(None),
    "LlamaIndex HuggingFaceEmbedding": llama_index,
    "fastembed, the same ONNX file": fastembed,
}
"""Name in the table → what loads it."""
