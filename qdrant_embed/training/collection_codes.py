"""Training codes on a collection's own vectors and texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from qdrant_embed.compression import Transform
from qdrant_embed.runtimes.paragraph_vectors import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.store.stored_vectors import Rows, Texts
from qdrant_embed.training.learned_codes import CodeTraining, train_code
from qdrant_embed.training.paragraph_training import train_paragraph_vectors


def train_head(found: Rows, training: CodeTraining, *, distance: str) -> Transform:
    """Train a Real-Binary head on the model's vectors, and, where there are texts, on predicting their words.

    :param distance: The model's: `cosine`, `dot` or `euclid`.
    """
    counts = word_numbers(found.texts) if found.texts else None
    return train_code(found.vectors, training, distance=distance, word_counts=counts)


def word_numbers(texts: Sequence[str], most: int = 20_000) -> list[dict[int, int]]:
    """Return each text's words as numbers with their counts; rarer words than the `most` frequent are left out."""
    split = [text.lower().split() for text in texts]
    frequency = Counter(word for words in split for word in words)
    numbers = {word: number for number, (word, _) in enumerate(frequency.most_common(most))}
    return [dict(Counter(numbers[word] for word in words if word in numbers)) for words in split]


def train_paragraphs(found: Texts, training: ParagraphTraining) -> BinaryParagraphVectors:
    """Train binary paragraph vectors on the texts alone, each once however many windows it has."""
    return train_paragraph_vectors(found.texts, training)
