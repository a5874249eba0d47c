"""Binary paragraph vectors: codes of texts learned from the texts alone (Grzegorczyk and Kurdziel 2017, section 2).

Binary PV-DBOW: each document has a real vector, a sigmoid layer rounded to bits stands between it and the words, and
the words of the document are predicted from the bits. A new text gets a vector of its own, all else being frozen.

The folder that `save` writes is a model: `Recipe(model=FOLDER)` and `load_embedder(FOLDER)` take it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.native import prepare_torch
from qdrant_embed.runtimes.paragraph_vectors import (
    DRAWN,
    NEGATIVES,
    BinaryParagraphVectors,
    ParagraphTraining,
    _shares,
    split_words,
)
from qdrant_embed.training.learned_codes import rounded
from qdrant_embed.training.word_decoder import words_loss
from qdrant_embed.types import FloatArray, IntArray


def train_paragraph_vectors(texts: Sequence[str], training: ParagraphTraining | None = None) -> BinaryParagraphVectors:
    """Train on texts; the same texts and seed give the same model.

    :raises ConfigurationError: No word stands in enough texts.
    """
    prepare_torch("training paragraph vectors")
    chosen = training or ParagraphTraining()
    split = split_words(texts)
    words, frequencies = vocabulary(split, chosen)
    numbers = {word: number for number, word in enumerate(words)}
    documents = [np.array([numbers[word] for word in text if word in numbers], np.int64) for text in split]
    noise = np.asarray(frequencies**0.75, np.float32)
    output, bias = _train(documents, noise, chosen)
    return BinaryParagraphVectors(words, output, bias, noise, chosen)


def vocabulary(texts: Sequence[Sequence[str]], training: ParagraphTraining) -> tuple[list[str], FloatArray]:
    """Return the words that are learned, most frequent first, and how often each occurs.

    :raises ConfigurationError: There is none.
    """
    total: Counter[str] = Counter()
    standing: Counter[str] = Counter()
    for words in texts:
        total.update(words)
        standing.update(set(words))
    ordered = sorted(total, key=lambda word: (-total[word], word))
    kept = [word for word in ordered if standing[word] >= training.least][: training.most_words]
    if not kept:
        raise ConfigurationError(f"no word stands in {training.least} texts; there is nothing to learn from.")
    return kept, np.array([total[word] for word in kept], np.float32)


def _train(
    documents: Sequence[IntArray], noise: FloatArray, training: ParagraphTraining
) -> tuple[FloatArray, FloatArray]:
    """Fit a vector to each document's words, and the words' weights (words, bits) and biases (words,) with them."""
    import torch

    start = torch.Generator().manual_seed(training.seed)
    output = torch.zeros((len(noise), training.bits), requires_grad=True)
    vectors = (0.1 * torch.randn((len(documents), training.bits), generator=start)).requires_grad_()
    bias = torch.zeros(len(noise), requires_grad=True)
    optimizer = torch.optim.Adam([vectors, output, bias], lr=training.rate)
    random = np.random.default_rng(training.seed)
    shares = _shares(noise)
    filled = np.array([row for row, words in enumerate(documents) if len(words)], np.int64)
    for _ in range(training.epochs):
        order = random.permutation(filled)
        for at in range(0, len(order), training.batch):
            rows = order[at : at + training.batch]
            right = np.stack([random.choice(documents[row], DRAWN) for row in rows])
            wrong = random.choice(len(noise), (len(rows), DRAWN * NEGATIVES), p=shares)
            codes = rounded(vectors[torch.from_numpy(rows)])
            losses = words_loss(codes, torch.from_numpy(right), torch.from_numpy(wrong), output, bias)
            loss = losses.sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return output.detach().numpy(), bias.detach().numpy()
