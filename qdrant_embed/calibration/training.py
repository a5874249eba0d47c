"""Training codes on a collection's own vectors and texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qdrant_embed.calibration.recoding import dense_of, pages
from qdrant_embed.compression import Transform
from qdrant_embed.compression.codes import pack_signs
from qdrant_embed.compression.export import write_codes
from qdrant_embed.compression.learned import CodeTraining, train_code
from qdrant_embed.compression.paragraphs import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.parts import Parts
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import FloatArray


@dataclass(frozen=True, slots=True)
class Contents:
    """What a collection holds: ids, texts and the model's vectors (n, dim), in the order of ids.

    A point with a vector for each window stands there once for each.
    """

    ids: list[str]
    texts: list[str]
    vectors: FloatArray


def contents(engine: Engine, name: str, parts: Parts) -> Contents:
    """Read a collection whole.

    :raises ConfigurationError: It keeps signs only.
    """
    ids: list[str] = []
    texts: list[str] = []
    vectors: list[FloatArray] = [np.zeros((0, parts.embedder.dim), np.float32)]
    for records in pages(engine, name, with_payload=True):
        rows, counts = dense_of(records)
        vectors.append(parts.coding.raw(rows))
        for record, count in zip(records, counts, strict=True):
            ids += [str(record.id)] * count
            texts += [str((record.payload or {})["text"])] * count
    return Contents(ids, texts, np.concatenate(vectors))


def train_head(found: Contents, training: CodeTraining, *, by_words: bool) -> Transform:
    """Train a Real-Binary head: on the vectors, and, if asked, on predicting the words of the texts."""
    counts = word_numbers(found.texts) if by_words else None
    return train_code(found.vectors, training, word_counts=counts)


def word_numbers(texts: Sequence[str], most: int = 20_000) -> list[dict[int, int]]:
    """Return each text's words as numbers with their counts; rarer words than the `most` frequent are left out."""
    split = [text.lower().split() for text in texts]
    frequency = Counter(word for words in split for word in words)
    numbers = {word: number for number, (word, _) in enumerate(frequency.most_common(most))}
    return [dict(Counter(numbers[word] for word in words if word in numbers)) for words in split]


def export_head(path: str | Path, found: Contents, transform: Transform) -> Path:
    """Write every point's code to a `.npy` or `.parquet` file."""
    return write_codes(path, found.ids, pack_signs(transform.rotate(found.vectors), transform.thresholds))


def train_paragraphs(found: Contents, training: ParagraphTraining) -> BinaryParagraphVectors:
    """Train binary paragraph vectors on the texts alone."""
    return BinaryParagraphVectors.train(found.texts, training)
