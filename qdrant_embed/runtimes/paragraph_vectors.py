"""The paragraphs runtime: binary paragraph vectors that were trained on the user's own texts, in numpy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from qdrant_embed.compression.binary_codes import ByteArray, pack_signs
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.static_folder import PARAGRAPHS
from qdrant_embed.models.files.word_vectors import UNKNOWN, word_tokenizer
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes import Runtime
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray, IntArray

NEGATIVES = 8
DRAWN = 8
CONTRASTED = 512
"""Words, drawn once by frequency, that every new text is told apart from."""


class ParagraphsRuntime(Runtime):
    """Finds each text's code; equal texts have equal codes, whatever stands beside them in a batch.

    :raises ConfigurationError: The preset's model is something else.
    :raises ModelError: Its files are incomplete.
    """

    def __init__(self, resolved: ResolvedModel) -> None:
        files = resolved.files
        if files is None or not files.static:
            raise ConfigurationError(
                f"the runtime 'paragraphs' runs folders that `qdrant-embed train-codes --kind pv-dbow` has written; "
                f"{resolved.preset.name!r} is none. Give the runtime 'auto'."
            )
        self._model = BinaryParagraphVectors.load(files.transformer)

    def sentence(self, batch: TokenBatch) -> FloatArray:
        """Return (n, dim) codes of +1 and -1; zeros for a text of which no word is known."""
        known = (batch.mask == 1) & (batch.ids >= 0) & (batch.ids < len(self._model.words))
        rows = [self._model.infer(ids[row]) for ids, row in zip(batch.ids, known, strict=True)]
        return np.stack(rows) if rows else np.zeros((0, self._model.output.shape[1]), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParagraphTraining:
    """How binary paragraph vectors are trained.

    :param bits: Length of a code.
    :param most_words: Vocabulary, most frequent first.
    :param least: Documents that a word must stand in.
    """

    bits: int = 128
    seed: int = 0
    epochs: int = 40
    rate: float = 0.05
    batch: int = 256
    most_words: int = 50_000
    least: int = 2

    def __post_init__(self) -> None:
        if self.bits < 8:
            raise ConfigurationError(f"a code has 8 bits or more; {self.bits} given.")


class BinaryParagraphVectors:
    """An embedder of its own: texts to codes, without any other model.

    :param words: The vocabulary; a word's place is its token id.
    :param output: (words, bits) weights from bits to words, and `bias` (words,).
    :param noise: (words,) frequencies to draw wrong words by.
    """

    def __init__(
        self, words: Sequence[str], output: FloatArray, bias: FloatArray, noise: FloatArray, training: ParagraphTraining
    ) -> None:
        self.words = tuple(words)
        self.output, self.bias, self.noise = output, bias, noise
        self.training = training

    # New texts

    def codes(self, texts: Sequence[str]) -> ByteArray:
        """Return packed codes (n, ceil(bits / 8)), most significant bit first."""
        numbers = {word: number for number, word in enumerate(self.words)}
        split = [np.array([numbers[word] for word in text if word in numbers], np.int64) for text in split_words(texts)]
        inferred = np.zeros((len(split), self.training.bits), np.float32)
        for row, ids in enumerate(split):
            inferred[row] = self.infer(ids)
        return pack_signs(inferred)

    def infer(self, ids: IntArray) -> FloatArray:
        """Return a text's code, +1 and -1 (bits,), given its words; zeros if it has none.

        Every text starts from the same vector and is told apart from the same words, by whole gradients: the code
        depends on the text alone, not on those beside it. Adam (Kingma and Ba 2015), as in training.
        """
        vector, wrong = self._start
        if not len(ids):
            return np.zeros_like(vector)
        present, counts = np.unique(ids, return_counts=True)
        words = np.concatenate([present, wrong])
        weights, bias = self.output[words], self.bias[words]
        labels = np.repeat(np.array([1, 0], np.float32), [len(present), len(wrong)])
        shares = np.concatenate(
            [DRAWN * counts / counts.sum(), np.full(len(wrong), DRAWN * NEGATIVES / len(wrong))]
        ).astype(np.float32)
        first, second = np.zeros_like(vector), np.zeros_like(vector)
        for step in range(1, self.training.epochs + 1):
            scores = weights @ np.where(vector > 0, np.float32(1), np.float32(-1)) + bias
            errors = shares * (1 / (1 + np.exp(-scores)) - labels)
            slope = (errors @ weights) * (1 - np.tanh(vector) ** 2)
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            vector = vector - self.training.rate * (first / (1 - 0.9**step)) / (
                np.sqrt(second / (1 - 0.999**step)) + 1e-8
            )
        return np.where(vector > 0, np.float32(1), np.float32(-1))

    @cached_property
    def _start(self) -> tuple[FloatArray, IntArray]:
        random = np.random.default_rng(self.training.seed)
        vector = 0.1 * random.standard_normal(self.training.bits)
        wrong = random.choice(len(self.words), CONTRASTED, p=_shares(self.noise))
        return vector.astype(np.float32), wrong

    # Files

    def save(self, folder: str | Path) -> Path:
        """Write the model's folder: weights (safetensors), tokenizer and configuration.

        :raises ConfigurationError: The place is a file.
        """
        require_model_folder(folder)
        place = Path(folder).expanduser()
        place.mkdir(parents=True, exist_ok=True)
        tensors = {"embeddings": self.output, "bias": self.bias, "noise": self.noise}
        save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, place / "model.safetensors")
        numbers = {word: number for number, word in enumerate((*self.words, UNKNOWN))}
        word_tokenizer(numbers).save(str(place / "tokenizer.json"))
        stated = {key: getattr(self.training, key) for key in ("seed", "epochs", "rate")}
        config = {"model_type": PARAGRAPHS, "normalize": True, **stated}
        (place / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        return place

    @classmethod
    def load(cls, folder: str | Path) -> BinaryParagraphVectors:
        """Read `save` back.

        :raises ModelError: It is no such folder.
        """
        from tokenizers import Tokenizer

        place = Path(folder).expanduser()
        try:
            config: dict[str, Any] = json.loads((place / "config.json").read_text(encoding="utf-8"))
            if config["model_type"] != PARAGRAPHS:
                raise ValueError(f"model_type is {config['model_type']!r}")
            tensors = load_file(place / "model.safetensors")
            numbers = Tokenizer.from_file(str(place / "tokenizer.json")).get_vocab()
            output, bias, noise = (tensors[name] for name in ("embeddings", "bias", "noise"))
            training = ParagraphTraining(
                bits=output.shape[1], seed=config["seed"], epochs=config["epochs"], rate=config["rate"]
            )
        except Exception as error:
            raise ModelError(f"{str(folder)!r} holds no binary paragraph vectors: {error}.") from error
        words = sorted((word for word in numbers if word != UNKNOWN), key=numbers.__getitem__)
        return cls(words, output, bias, noise, training)


def require_model_folder(folder: str | Path) -> None:
    """Refuse a place that a model could not be written to, before it is trained.

    :raises ConfigurationError: The place is a file.
    """
    if Path(folder).expanduser().is_file():
        raise ConfigurationError(f"{str(folder)!r} is a file; binary paragraph vectors are written as a folder.")


def split_words(texts: Sequence[str]) -> list[list[str]]:
    """Return each text's words as the model's tokenizer will see them, punctuation left out."""
    tokenizer = word_tokenizer({UNKNOWN: 0})
    normalizer, splitter = tokenizer.normalizer, tokenizer.pre_tokenizer
    found = (splitter.pre_tokenize_str(normalizer.normalize_str(text)) for text in texts)
    return [[word for word, _ in words if any(map(str.isalnum, word))] for words in found]


def _shares(noise: FloatArray) -> FloatArray:
    return np.asarray(noise.astype(np.float64) / noise.sum(dtype=np.float64))
