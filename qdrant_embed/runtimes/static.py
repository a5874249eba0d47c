"""The static runtime: a table of vectors, and the (weighted) mean of a text's rows, in numpy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.model_folder import ModelFiles
from qdrant_embed.models.files.static_folder import MODEL2VEC, TABLE_NAMES, WORD_TABLE
from qdrant_embed.models.files.tensors import WEIGHTS, read_tensors
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes import Runtime
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray, IntArray

_TOKENS_AT_ONCE = 256
"""Rows that are added up at once: few, so that float32 does not lose digits over long texts."""


class StaticRuntime(Runtime):
    """Averages the rows of a table; it has no layers, and no limit of length.

    With the pooling `sif` each word counts a / (a + p(word)), with `tfidf` log((1 + N) / (1 + n(word))) + 1 (Arora et
    al. 2017, section 3; surveyed in arXiv 2411.05036, section 4), and the common directions of a corpus, which
    `fit_word_table` has found, are removed.

    :raises ConfigurationError: The preset has no table, or asks for what was not counted.
    :raises ModelError: The table is incomplete.
    """

    def __init__(self, resolved: ResolvedModel) -> None:
        files, preset = resolved.files, resolved.preset
        if files is None or not files.static:
            raise ConfigurationError(f"the runtime 'static' averages a table of vectors; {preset.name!r} is none.")
        tensors = read_tensors(files.transformer / WEIGHTS)
        self._table = next(tensors[name] for name in TABLE_NAMES if name in tensors)
        self._mapping = tensors.get("mapping")
        self._weights = _word_weights(preset, tensors, len(self._table if self._mapping is None else self._mapping))
        self._share = preset.pooling == "tfidf"
        self._common = _common_directions(preset, tensors)
        self._unknown = unknown_id(files)

    def sentence(self, batch: TokenBatch) -> FloatArray:
        """Return (n, dim) averages; zeros for a text of which nothing is known."""
        known = (batch.mask == 1) & (batch.ids >= 0) & (batch.ids != self._unknown)
        means = self.averages(batch.ids[known], known.sum(axis=1))
        if self._common is None:
            return means
        return np.asarray(means - (means @ self._common.T) @ self._common, np.float32)

    def averages(self, ids: IntArray, lengths: IntArray) -> FloatArray:
        """Return the (weighted) means (n, dim) of texts whose ids stand one after the other, all directions in."""
        shares = np.ones(len(ids), np.float32) if self._weights is None else self._weights[ids]
        rows = ids if self._mapping is None else np.asarray(self._mapping[ids], np.int64)
        means = np.zeros((len(lengths), self._table.shape[1]), np.float32)
        end = 0
        for text, length in enumerate(lengths.tolist()):
            start, end = end, end + length
            if length:
                divisor = shares[start:end].sum(dtype=np.float64) if self._share else length
                # One product of a vector and a matrix: several times faster than numpy's own sums of rows.
                for at in range(start, end, _TOKENS_AT_ONCE):
                    part = slice(at, min(end, at + _TOKENS_AT_ONCE))
                    gathered = self._table.take(rows[part], axis=0).astype(np.float32, copy=False)
                    means[text] += (shares[part] @ gathered) / divisor
        return means


def _word_weights(preset: Preset, tensors: Mapping[str, FloatArray], rows: int) -> FloatArray | None:
    """Return what each token counts, None if all count the same."""
    if preset.pooling == "mean":
        own = tensors.get("weights")
        return None if own is None else np.asarray(own, np.float32)
    if preset.pooling == "sif":
        # Tables are sorted by frequency; without counts, Zipf's law gives it from the rank.
        counts = np.asarray(tensors["counts"] if "counts" in tensors else 1 / np.arange(2, rows + 2), np.float64)
        return np.asarray(preset.smoothing / (preset.smoothing + counts / counts.sum()), np.float32)
    if preset.pooling != "tfidf":
        raise ConfigurationError(f"a table of vectors is pooled by mean, sif or tfidf, not by {preset.pooling!r}.")
    if "documents" not in tensors:
        raise ConfigurationError(
            f"{preset.name!r}: tf-idf needs to know in how many texts each word stands. Count them once: "
            "qdrant_embed.training.fit_word_table(TABLE, texts, FOLDER, weighting='tfidf'), and use FOLDER."
        )
    documents = np.asarray(tensors["documents"], np.float64)
    total = float(np.asarray(tensors["texts"], np.float64)[0])
    return np.asarray(np.log((1 + total) / (1 + documents)) + 1, np.float32)


def _common_directions(preset: Preset, tensors: Mapping[str, FloatArray]) -> FloatArray | None:
    """Return the directions that are removed (number, dim), None for none."""
    if preset.pooling == "mean" or not preset.components:
        return None
    found = tensors.get("components")
    if found is None or len(found) < preset.components:
        raise ConfigurationError(
            f"{preset.name!r}: components = {preset.components} common directions are to be removed, but the table has "
            f"{0 if found is None else len(found)}. Find them once: qdrant_embed.training.fit_word_table(TABLE, "
            "texts, FOLDER), and use FOLDER; or say components = 0."
        )
    return np.asarray(found[: preset.components], np.float32)


def open_table(files: ModelFiles) -> FloatArray:
    """Return a static model's rows, one for each token id."""
    tensors = read_tensors(files.transformer / WEIGHTS)
    table = next(tensors[name] for name in TABLE_NAMES if name in tensors)
    return table[np.asarray(tensors["mapping"], np.int64)] if "mapping" in tensors else table


def unknown_id(files: ModelFiles) -> int:
    """Return the id of unknown tokens where these are not averaged, -1 where they are."""
    tokenizer = files.token_counter().tokenizer
    kind = read_json(files.transformer / "config.json").get("model_type")
    unknown = getattr(tokenizer.model, "unk_token", None)
    found = tokenizer.token_to_id(unknown) if kind in (MODEL2VEC, WORD_TABLE) and isinstance(unknown, str) else None
    return -1 if found is None else int(found)
