"""The embedder: texts to vectors, with the prompts, windows, pooling and dimensions that the model was made for."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from qdrant_embed.compression import Compression
from qdrant_embed.embedding.model_files import weights_fingerprint
from qdrant_embed.embedding.pooling import POOLINGS
from qdrant_embed.embedding.preset import Preset
from qdrant_embed.embedding.resolving import Resolved, resolve
from qdrant_embed.embedding.runtimes import RUNTIMES, Batch, Runtime, TokenRuntime
from qdrant_embed.embedding.sequences import Sequencer, TokenIds, batches_by_length
from qdrant_embed.embedding.vectors import finish
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.tokens import HuggingFaceTokens, TokenCounter, WordTokens
from qdrant_embed.types import FloatArray, Json
from qdrant_embed.windowing import WindowStrategy


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors, and what it took to make them.

    :param vectors: (n, dim) float32, in the order of the texts.
    :param tokens: Tokens that went through the model, prompts and special tokens included.
    :param truncated: Texts whose end was cut off.
    :param windowed: Texts that were read in several windows.
    """

    vectors: FloatArray
    tokens: int = 0
    truncated: int = 0
    windowed: int = 0


class Embedder:
    """A model by name. Building it reads configuration only; the weights load at the first text.

    Safe to use from several threads; pickles by name, so that worker processes load their own.

    :raises UnknownNameError: There is no such model, window strategy or runtime.
    :raises ModelError: The model's files are missing or not to be trusted.
    """

    def __init__(
        self,
        name: str | Path,
        *,
        window: str = "pcw",
        compression: str = "float32",
        runtime: str = "auto",
        presets: str | Path | None = None,
    ) -> None:
        self._arguments = (window, compression, runtime, presets)
        self._resolved: Resolved = resolve(name, presets)
        self._window = WindowStrategy.parse(window)
        self._compression = Compression.parse(compression)
        self._runtime_name = self.preset.runtime if runtime == "auto" else runtime
        if self._runtime_name not in RUNTIMES:
            RUNTIMES.get(self._runtime_name)
        kept = self._compression.dim_of(self.preset.name, self.preset.dim, self.preset.dims)
        # With `full` all dimensions are stored too, and the cut ones are made of them.
        self.dim = self.preset.dim if self._compression.full else kept
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.preset.name, *self._arguments))

    def __repr__(self) -> str:
        return f"Embedder({self.preset.name!r}, dim={self.dim}, max_tokens={self.max_tokens}, window={self._window})"

    # What the model is

    @property
    def preset(self) -> Preset:
        """Everything that changes the model's vectors."""
        return self._resolved.preset

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each value of the preset came from."""
        return self._resolved.origins

    @property
    def max_tokens(self) -> int:
        """The longest input of one pass, prompt and special tokens included."""
        return self.preset.max_tokens

    @property
    def distance(self) -> str:
        """How vectors are compared: `cosine`, `dot` or `euclid`."""
        return self.preset.distance

    @property
    def compression(self) -> Compression:
        """How vectors are made smaller; all but the cut of dimensions is done after the embedder."""
        return self._compression

    @cached_property
    def tokens(self) -> TokenCounter:
        """The model's own tokenizer."""
        if self._resolved.files is None:
            return WordTokens()
        return HuggingFaceTokens(self._resolved.files.tokenizer())

    @cached_property
    def chunk_budget(self) -> int:
        """Tokens that a chunk may have if it is to be read in one pass.

        :raises ConfigurationError: The prompt leaves no room for any.
        """
        if self._sequencer is None:
            return self.max_tokens
        return self._sequencer.room(self.preset.document_prompt)

    @cached_property
    def fingerprint(self) -> Mapping[str, Json]:
        """Everything that decides the vectors, JSON-ready; equal fingerprints mean comparable vectors."""
        preset, files = self.preset, self._resolved.files
        return {
            "model": preset.name if files is None else weights_fingerprint(files),
            "tokenizer": self.tokens.name,
            "dim": self.dim,
            "max_tokens": preset.max_tokens,
            "pooling": preset.pooling,
            "normalize": preset.normalize,
            "distance": preset.distance,
            "query_prompt": preset.query_prompt,
            "document_prompt": preset.document_prompt,
        }

    @cached_property
    def _sequencer(self) -> Sequencer | None:
        if self._resolved.files is None or not isinstance(self.tokens, HuggingFaceTokens):
            return None
        return Sequencer(self.tokens, self._resolved.files.transformer, self.max_tokens)

    # Texts to vectors

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """Return the vectors (n, dim), float32, of texts that will be searched."""
        return self.encode_documents(texts).vectors

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Return the vectors (n, dim), float32, of questions."""
        return self._encode(texts, self.preset.query_prompt).vectors

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """Return the vectors of texts that will be searched, with counts for a report.

        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        :raises ModelError: The model cannot be loaded, or gave something that is not a number.
        """
        return self._encode(texts, self.preset.document_prompt)

    def _encode(self, texts: Sequence[str], prompt: str) -> Encoded:
        if isinstance(texts, str):
            raise ConfigurationError("give a list of texts, not a single one: embed_documents(['…']).")
        if not len(texts):
            return Encoded(np.zeros((0, self.dim), np.float32))
        if self._sequencer is None:
            encoded = self._encode_texts(list(texts), prompt)
        else:
            encoded = self._encode_sequences(self._sequencer, texts, prompt)
        vectors = finish(encoded.vectors, dim=self.dim, normalize=self.preset.normalize)
        return Encoded(vectors, encoded.tokens, encoded.truncated, encoded.windowed)

    def _encode_texts(self, texts: list[str], prompt: str) -> Encoded:
        """For runtimes that read text and know no limit."""
        prompted = tuple(prompt + text for text in texts)
        none = np.zeros((len(texts), 0), np.int64)
        return Encoded(self._run(Batch(prompted, none, none)), tokens=sum(self.tokens.count_batch(prompted)))

    def _encode_sequences(self, sequencer: Sequencer, texts: Sequence[str], prompt: str) -> Encoded:
        cuts = sequencer.cut(texts, prompt, self._window)
        sequences = [sequence for cut in cuts for sequence in cut.sequences]
        pooled = np.empty((len(sequences), self.preset.dim), np.float32)
        for places in batches_by_length([len(sequence) for sequence in sequences]):
            pooled[places] = self._run_halving(sequencer, [sequences[place] for place in places], prompt)
        vectors = np.empty((len(cuts), self.preset.dim), np.float32)
        done = 0
        for row, cut in enumerate(cuts):
            vectors[row] = self._window.combine(pooled[done : done + len(cut.windows)], cut.windows)
            done += len(cut.windows)
        return Encoded(
            vectors,
            tokens=sum(map(len, sequences)),
            truncated=sum(cut.truncated for cut in cuts),
            windowed=sum(len(cut.windows) > 1 for cut in cuts),
        )

    def _run_halving(self, sequencer: Sequencer, sequences: Sequence[TokenIds], prompt: str) -> FloatArray:
        """Run a batch; if memory runs out, run its halves.

        :raises ModelError: Memory does not suffice for a single sequence.
        """
        try:
            return self._run(sequencer.batch(sequences, prompt))
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            if len(sequences) == 1:
                raise ModelError(
                    f"memory does not suffice for {len(sequences[0])} tokens at once with {self.preset.name!r}; make "
                    "chunks smaller, or lower max_tokens in a preset of your own."
                ) from error
        # Outside the handler: its traceback would keep the failed batch's arrays alive.
        middle = len(sequences) // 2
        halves = (sequences[:middle], sequences[middle:])
        return np.concatenate([self._run_halving(sequencer, half, prompt) for half in halves])

    def _run(self, batch: Batch) -> FloatArray:
        with self._lock:
            runtime = self._runtime
            if isinstance(runtime, TokenRuntime):
                vectors = POOLINGS[self.preset.pooling](runtime.token_states(batch), batch.mask)
            else:
                vectors = runtime.sentence(batch)
        rows = len(batch.texts) or len(batch.ids)
        if vectors.shape != (rows, self.preset.dim):
            raise ModelError(
                f"{self.preset.name!r} gave an array of shape {vectors.shape} for {rows} texts; its preset says "
                f"dim = {self.preset.dim}, so {(rows, self.preset.dim)} was expected. Correct dim, or leave it out."
            )
        return vectors

    @cached_property
    def _runtime(self) -> Runtime | TokenRuntime:
        return RUNTIMES.get(self._runtime_name)(self._resolved)


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "allocate memory" in str(error)


def _rebuild(name: str, window: str, compression: str, runtime: str, presets: str | Path | None) -> Embedder:
    return Embedder(name, window=window, compression=compression, runtime=runtime, presets=presets)
