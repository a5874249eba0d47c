"""Training codes on a collection's own vectors and texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.compression import Transform
from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.extras import require_extra
from qdrant_embed.runtimes.paragraph_vectors import BinaryParagraphVectors, ParagraphTraining, require_model_folder
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.export.code_export import require_codes_file, require_folder, write_codes
from qdrant_embed.store.stored_vectors import read_rows, read_texts
from qdrant_embed.training.learned_codes import CodeTraining, train_code
from qdrant_embed.training.paragraph_training import train_paragraph_vectors


@dataclass(frozen=True, slots=True)
class CodeFiles:
    """Where the results of a training are written; None for not.

    :param model: The transform (safetensors), or the folder of a model.
    :param codes: Ids and packed codes (`.npy` or `.parquet`).
    :raises ConfigurationError: The codes could not be written there.
    """

    model: str | Path | None = None
    codes: str | Path | None = None

    def __post_init__(self) -> None:
        if self.codes is not None:
            require_codes_file(self.codes)


def train_codes(
    engine: Engine,
    name: str,
    codec: CollectionCodec,
    training: CodeTraining,
    *,
    words: bool = False,
    files: CodeFiles = CodeFiles(),
) -> Transform:
    """Train a Real-Binary head on a collection's vectors, and, with `words`, on predicting the words of its texts."""
    require_extra("training codes", "torch")
    if files.model is not None:
        require_folder(files.model)
    stored = read_rows(engine, name, codec, texts=words)
    vectors = codec.raw(stored.vectors)
    counts = word_numbers(stored.texts) if stored.texts else None
    transform = train_code(vectors, training, distance=codec.vector_codec.distance, word_counts=counts)
    if files.model is not None:
        Path(files.model).write_bytes(transform.to_bytes())
    if files.codes is not None:
        codes = pack_signs(transform.rotate(vectors), transform.thresholds)
        write_codes(files.codes, stored.ids, codes, stored.windows)
    return transform


def word_numbers(texts: Sequence[str], most: int = 20_000) -> list[dict[int, int]]:
    """Return each text's words as numbers with their counts; rarer words than the `most` frequent are left out."""
    split = [text.lower().split() for text in texts]
    frequency = Counter(word for words in split for word in words)
    numbers = {word: number for number, (word, _) in enumerate(frequency.most_common(most))}
    return [dict(Counter(numbers[word] for word in words if word in numbers)) for words in split]


def train_paragraphs(
    engine: Engine,
    name: str,
    training: ParagraphTraining,
    *,
    files: CodeFiles = CodeFiles(),
) -> BinaryParagraphVectors:
    """Train binary paragraph vectors on a collection's texts alone, each once however many windows it has."""
    require_extra("training paragraph vectors", "torch")
    if files.model is not None:
        require_model_folder(files.model)
    found = read_texts(engine, name)
    model = train_paragraph_vectors(found.texts, training)
    if files.model is not None:
        model.save(files.model)
    if files.codes is not None:
        write_codes(files.codes, found.ids, model.codes(found.texts))
    return model
