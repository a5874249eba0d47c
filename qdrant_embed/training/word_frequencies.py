"""What a corpus says of the words of a table: how often they stand in it, and what all its texts have in common."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.files.model_folder import ModelFiles, read_model_files
from qdrant_embed.models.files.static_folder import WORD_TABLE
from qdrant_embed.models.files.word_vectors import find_table, table_folder
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.static import StaticRuntime, open_table, unknown_id
from qdrant_embed.types import FloatArray, IntArray


def _fit(base: Path, texts: Sequence[str], new: Path, *, weighting: str, smoothing: float, components: int) -> None:
    """Write the table of `base` to `new`, with counts and directions."""
    if weighting not in ("sif", "tfidf") or len(texts) <= components:
        raise ConfigurationError(
            f"weighting={weighting!r} with {components} common directions of {len(texts)} texts: choose sif or tfidf, "
            "and give more texts than directions."
        )
    files = read_model_files(base)
    table = open_table(files)
    ids, lengths = _flat(files, texts)
    counts, documents = _count(ids, lengths, len(table))
    tensors: dict[str, Any] = {
        "embeddings": np.ascontiguousarray(table, np.float32),
        # A word that the corpus lacks is as rare as one that it has once.
        "counts": np.maximum(counts, 1).astype(np.int64),
        "documents": documents.astype(np.int64),
        "texts": np.array([len(texts)], np.int64),
    }
    config = {"model_type": WORD_TABLE, "normalize": True, "pooling": weighting, "smoothing": smoothing}

    def write(number: int) -> None:
        save_file(tensors, str(new / "model.safetensors"))
        (new / "config.json").write_text(json.dumps(config | {"components": number}))

    write(0)
    if components:
        tensors["components"] = _common(new, ids, lengths, components)
        write(components)


def _flat(files: ModelFiles, texts: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Return the known tokens of all texts, one text after the other, and how many each has."""
    tokenizer, unknown = files.token_counter().tokenizer, unknown_id(files)
    encoded = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    rows = [[token for token in encoding.ids if token != unknown] for encoding in encoded]
    return np.array([token for row in rows for token in row], np.int64), np.array(list(map(len, rows)), np.int64)


def _count(ids: IntArray, lengths: IntArray, rows: int) -> tuple[IntArray, IntArray]:
    """Return for each token how often it stands in the corpus, and in how many texts."""
    texts = np.repeat(np.arange(len(lengths)), lengths)
    once = np.unique(np.stack([texts, ids]), axis=1)[1] if len(ids) else ids
    return np.bincount(ids, minlength=rows), np.bincount(once, minlength=rows)


def _common(folder: Path, ids: IntArray, lengths: IntArray, components: int) -> FloatArray:
    """Return the first right singular vectors of the texts' weighted averages (components, dim)."""
    vectors = StaticRuntime(resolve(folder)).averages(ids, lengths).astype(np.float64)
    _, found = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(found[:, ::-1][:, :components].T, np.float32)


def fit_word_table(
    source: str | Path,
    texts: Iterable[str],
    folder: str | Path,
    *,
    weighting: str = "sif",
    smoothing: float = 1e-3,
    components: int = 1,
) -> Path:
    """Count words in a corpus and find its common directions; write a model folder that weighs words by them.

    SIF (Arora et al. 2017): a word counts a / (a + p(word)), and the directions that the vectors of all texts share
    (their first singular vectors) are removed.

    :param source: A word table, or the folder of a static model.
    :param texts: The corpus, or a sample of it.
    :param folder: The new model folder.
    :param weighting: `sif` or `tfidf`.
    :param smoothing: The `a`.
    :param components: Directions to be removed; 0 for none.
    :return: The folder; give it to `load_embedder` or `Recipe(model=…)`.
    :raises ConfigurationError: The weighting is unknown, or there are fewer texts than directions.
    """
    place = Path(source).expanduser()
    table = find_table(place)
    base, new = table_folder(table) if table else place, Path(folder).expanduser()
    new.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (base / name).exists():
            shutil.copyfile(base / name, new / name)
    _fit(base, list(texts), new, weighting=weighting, smoothing=smoothing, components=components)
    return new
