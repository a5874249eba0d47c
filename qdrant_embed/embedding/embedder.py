"""The embedder: texts to vectors, with the prompts, windows, pooling and dimensions that the model was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from qdrant_embed.compression import Compression
from qdrant_embed.embedding.choosing import require_window, with_layers, with_task
from qdrant_embed.embedding.counting import counter_of
from qdrant_embed.embedding.encoded import Encoded, EncodedWindows, WindowVectors
from qdrant_embed.embedding.identity import identity
from qdrant_embed.embedding.late import LateChunking, LatePassage, require_late, tokens_read
from qdrant_embed.embedding.preset import Preset
from qdrant_embed.embedding.reach import reach_further
from qdrant_embed.embedding.reader import TextReader
from qdrant_embed.embedding.resolving import WITHOUT_FILES, Resolved, resolve
from qdrant_embed.embedding.running import Running
from qdrant_embed.embedding.runtimes import Runtime, TokenRuntime
from qdrant_embed.embedding.vectors import finish
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import HuggingFaceTokens, TokenCounter, WordTokens
from qdrant_embed.types import FloatArray, Json
from qdrant_embed.windowing import Window, WindowStrategy


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
        layers: int = 0,
        task: str = "",
    ) -> None:
        self._arguments = (window, compression, runtime, presets, layers, task)
        resolved = resolve(name, presets)
        self._untasked = resolved.preset
        self._window = WindowStrategy.parse(window)
        shaped = replace(resolved, preset=with_layers(with_task(resolved.preset, task), layers))
        self._resolved: Resolved = reach_further(shaped, self._window)
        require_window(self.preset, self._window)
        if self._window.name == "late":
            require_late(self._resolved)
        self._compression = Compression.parse(compression)
        self._running = Running(self._resolved, runtime)
        kept = self._compression.dim_of(self.preset.name, self.preset.dim, self.preset.dims)
        # With `full` all dimensions are stored too, and the cut ones are made of them.
        self.dim = self.preset.dim if self._compression.full else kept

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
    def window(self) -> WindowStrategy:
        """What happens to texts longer than the model."""
        return self._window

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
        if self.preset.runtime in WITHOUT_FILES:
            return counter_of(self.preset)
        if self._resolved.files is None:
            return WordTokens()
        return HuggingFaceTokens(self._resolved.files.tokenizer())

    @cached_property
    def chunk_budget(self) -> int:
        """Tokens that a chunk may have if it is to be read in one pass.

        :raises ConfigurationError: The prompt leaves no room for any.
        """
        return self._reader.room()

    @cached_property
    def fingerprint(self) -> Mapping[str, Json]:
        """Everything that decides the vectors, JSON-ready; equal fingerprints mean comparable vectors."""
        return identity(self._resolved, self.tokens, self.dim)

    @cached_property
    def _reader(self) -> TextReader:
        return TextReader(self._resolved, self._running, self.tokens, self.dim)

    @cached_property
    def _late(self) -> LateChunking:
        return self._reader.late(self._window.tokens)

    # Texts to vectors

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """Return the vectors (n, dim), float32, of texts that will be searched."""
        return self.encode_documents(texts).vectors

    def embed_queries(self, texts: Sequence[str], *, task: str = "") -> FloatArray:
        """Return the vectors (n, dim), float32, of questions.

        :param task: Another task than the embedder's own, for these questions.
        """
        prompt = with_task(self._untasked, task).query_prompt if task else self.preset.query_prompt
        return self._encode(texts, prompt, "query", self._window.for_queries).vectors

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """Return the vectors of texts that will be searched, with counts for a report.

        Under `late` each text is a document of one chunk.

        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        :raises ConfigurationError: The window strategy is `windows`, under which a text has several vectors.
        :raises ModelError: The model cannot be loaded, or gave something that is not a number.
        """
        if self._window.name == "windows":
            raise ConfigurationError(
                "under the window strategy 'windows' a text has a vector for each window: call encode_windows(texts). "
                "Where one vector a text is needed, choose 'pcw', 'late' or 'truncate'."
            )
        if self._window.name == "late":
            _require_list(texts)
            return self.encode_passages(
                [passage for text in texts for passage in self.passages(text, [(0, len(text))])]
            )
        return self._encode(texts, self.preset.document_prompt, "document", self._window)

    def encode_windows(self, texts: Sequence[str]) -> EncodedWindows:
        """Return a vector for each window of each text, and where the windows stand.

        :raises ConfigurationError: The window strategy is another than `windows`.
        """
        _require_list(texts)
        self._require("windows", "encode_windows")
        prompt = self.preset.document_prompt
        read = self._reader.read(texts, prompt, "document", self._window)
        vectors = read.by_text(finish(read.pooled, dim=self.dim, normalize=self.preset.normalize))
        found = [
            WindowVectors(rows, self._reader.characters(text, cut, prompt))
            for text, cut, rows in zip(texts, read.cuts, vectors, strict=True)
        ]
        return EncodedWindows(found, read.tokens, read.windowed)

    def encode_late(self, text: str, spans: Sequence[Window]) -> Encoded:
        """Return the vectors of the chunks of one document, each with the document around it in mind.

        :param spans: Characters `[start, end)` of each chunk, ordered by where they start; they may overlap.
        :raises ConfigurationError: The window strategy is another than `late`.
        """
        return self.encode_passages(self.passages(text, spans))

    def passages(self, text: str, spans: Sequence[Window]) -> list[LatePassage]:
        """Return the chunks of a document with what they are read in, for `encode_passages`; nothing is embedded yet.

        :param spans: Characters `[start, end)` of each chunk, ordered by where they start; they may overlap.
        :raises ConfigurationError: The window strategy is another than `late`.
        """
        self._require("late", "passages")
        return self._late.plan(text, spans)

    def encode_passages(self, passages: Sequence[LatePassage]) -> Encoded:
        """Return the vectors of chunks, of any documents; a macro window that several share is read once."""
        self._require("late", "encode_passages")
        if not passages:
            return Encoded(np.zeros((0, self.dim), np.float32))
        pooled = self._reader.read_late(self._late, passages)
        vectors = finish(pooled, dim=self.dim, normalize=self.preset.normalize)
        return Encoded(vectors, tokens_read(passages), windowed=sum(len(one.parts) > 1 for one in passages))

    def _require(self, strategy: str, method: str) -> None:
        if self._window.name != strategy:
            raise ConfigurationError(
                f"{method} is for the window strategy {strategy!r}, and this embedder has {str(self._window)!r}. Load "
                f"it with window={strategy!r}, or call encode_documents."
            )

    def _encode(self, texts: Sequence[str], prompt: str, kind: str, strategy: WindowStrategy) -> Encoded:
        _require_list(texts)
        read = self._reader.read(texts, prompt, kind, strategy)
        rows = [
            strategy.combine(rows, cut.windows) for cut, rows in zip(read.cuts, read.by_text(read.pooled), strict=True)
        ]
        vectors = np.stack(rows) if rows else read.pooled
        return Encoded(
            finish(vectors, dim=self.dim, normalize=self.preset.normalize),
            tokens=read.tokens,
            truncated=sum(cut.truncated for cut in read.cuts),
            windowed=read.windowed,
        )

    @property
    def runtime(self) -> str:
        """What runs the model, e.g. `openvino:bf16` or `torch`; the weights are loaded to find out.

        :raises ModelError: They cannot be loaded.
        """
        return self._running.name

    @property
    def _runtime(self) -> Runtime | TokenRuntime:
        return self._running.runtime


def _require_list(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise ConfigurationError("give a list of texts, not a single one: embed_documents(['…']).")


def _rebuild(
    name: str, window: str, compression: str, runtime: str, presets: str | Path | None, layers: int, task: str
) -> Embedder:
    return Embedder(
        name, window=window, compression=compression, runtime=runtime, presets=presets, layers=layers, task=task
    )
