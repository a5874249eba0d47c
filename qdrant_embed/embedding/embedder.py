"""The embedder: texts to vectors, with the prompts, windows, pooling and dimensions that the model was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from qdrant_embed.compression import Compression
from qdrant_embed.embedding.choosing import rendered, require_window, with_layers, with_task
from qdrant_embed.embedding.counting import counter_of, special_tokens_of
from qdrant_embed.embedding.identity import identity
from qdrant_embed.embedding.kinds import require_kind
from qdrant_embed.embedding.lanes import run_sequences
from qdrant_embed.embedding.preset import Preset
from qdrant_embed.embedding.remembering import digest, recalled
from qdrant_embed.embedding.resolving import WITHOUT_FILES, Resolved, resolve
from qdrant_embed.embedding.running import Running
from qdrant_embed.embedding.runtimes import Batch, Runtime, TokenRuntime
from qdrant_embed.embedding.sequences import Cut, Sequencer, sequence_key
from qdrant_embed.embedding.text_windows import TextCut, TextWindows
from qdrant_embed.embedding.vectors import finish
from qdrant_embed.errors import ConfigurationError
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
        layers: int = 0,
        task: str = "",
    ) -> None:
        self._arguments = (window, compression, runtime, presets, layers, task)
        resolved = resolve(name, presets)
        require_kind(resolved.preset, "dense")
        self._untasked = resolved.preset
        self._resolved: Resolved = replace(resolved, preset=with_layers(with_task(resolved.preset, task), layers))
        self._window = WindowStrategy.parse(window)
        require_window(self.preset, self._window.name)
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
        cutter = self._sequencer or self._text_windows
        return cutter.room(self.preset.document_prompt) if cutter else self.max_tokens

    @cached_property
    def fingerprint(self) -> Mapping[str, Json]:
        """Everything that decides the vectors, JSON-ready; equal fingerprints mean comparable vectors."""
        return identity(self._resolved, self.tokens, self.dim)

    @cached_property
    def _sequencer(self) -> Sequencer | None:
        if self._resolved.files is None or not isinstance(self.tokens, HuggingFaceTokens):
            return None
        files, preset = self._resolved.files, self.preset
        return Sequencer(
            self.tokens,
            files.transformer,
            self.max_tokens,
            padding=preset.padding,
            text_only=preset.pooled == "text",
            pad_id=-1 if files.static else None,
        )

    @cached_property
    def _text_windows(self) -> TextWindows | None:
        if self.preset.runtime not in WITHOUT_FILES:
            return None
        return TextWindows(self.tokens, self.max_tokens, special_tokens_of(self.preset, self.tokens))

    # Texts to vectors

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """Return the vectors (n, dim), float32, of texts that will be searched."""
        return self.encode_documents(texts).vectors

    def embed_queries(self, texts: Sequence[str], *, task: str = "") -> FloatArray:
        """Return the vectors (n, dim), float32, of questions.

        :param task: Another task than the embedder's own, for these questions.
        """
        prompt = with_task(self._untasked, task).query_prompt if task else self.preset.query_prompt
        return self._encode(texts, prompt, "query").vectors

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """Return the vectors of texts that will be searched, with counts for a report.

        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        :raises ModelError: The model cannot be loaded, or gave something that is not a number.
        """
        return self._encode(texts, self.preset.document_prompt)

    def _encode(self, texts: Sequence[str], prompt: str, kind: str = "document") -> Encoded:
        if isinstance(texts, str):
            raise ConfigurationError("give a list of texts, not a single one: embed_documents(['…']).")
        if not len(texts):
            return Encoded(np.zeros((0, self.dim), np.float32))
        if self._sequencer is None:
            encoded = self._encode_texts(list(texts), prompt, kind)
        else:
            encoded = self._encode_sequences(self._sequencer, texts, prompt)
        vectors = finish(encoded.vectors, dim=self.dim, normalize=self.preset.normalize)
        return Encoded(vectors, encoded.tokens, encoded.truncated, encoded.windowed)

    def _encode_texts(self, texts: list[str], prompt: str, kind: str) -> Encoded:
        """For runtimes that read text; some of them know no limit."""
        if self._text_windows is None:
            cuts, special = [TextCut([(0, 0)], [rendered(prompt, text)], 0) for text in texts], 0
        else:
            cuts, special = self._text_windows.cut(texts, prompt, self._window), self._text_windows.special_tokens
        pieces = tuple(piece for cut in cuts for piece in cut.texts)

        def run(places: Sequence[int]) -> Sequence[FloatArray]:
            chosen = tuple(pieces[place] for place in places)
            none = np.zeros((len(chosen), 0), np.int64)
            return list(self._running.run(Batch(chosen, none, none, kind=kind, dim=self.dim)))

        keys = (digest(piece.encode("utf-8", "surrogatepass")) for piece in pieces)
        pooled = recalled({**self._kept_under, "dim": self.dim, "kind": kind}, keys, run)
        return self._joined(cuts, pooled, sum(self.tokens.count_batch(pieces)) + special * len(pieces))

    def _encode_sequences(self, sequencer: Sequencer, texts: Sequence[str], prompt: str) -> Encoded:
        cuts = sequencer.cut(texts, prompt, self._window)
        sequences = [sequence for cut in cuts for sequence in cut.sequences]
        running = self._running

        def run(places: Sequence[int]) -> Sequence[FloatArray]:
            return run_sequences(running.run, sequencer, [sequences[place] for place in places], prompt, running.lanes)

        pooled = recalled({**self._kept_under, "prompt": prompt}, map(sequence_key, sequences), run)
        return self._joined(cuts, pooled, sum(map(len, sequences)))

    @cached_property
    def _kept_under(self) -> Mapping[str, Json]:
        """What vectors on disk are kept under: int8 apart, while the other precisions stand for each other."""
        return {**identity(self._resolved, self.tokens, self.preset.dim), "precision": self._running.kept_as}

    def _joined(self, cuts: Sequence[Cut | TextCut], pooled: FloatArray, tokens: int) -> Encoded:
        vectors = np.empty((len(cuts), pooled.shape[1]), np.float32)
        done = 0
        for row, cut in enumerate(cuts):
            vectors[row] = self._window.combine(pooled[done : done + len(cut.windows)], cut.windows)
            done += len(cut.windows)
        return Encoded(
            vectors,
            tokens=tokens,
            truncated=sum(cut.truncated for cut in cuts),
            windowed=sum(len(cut.windows) > 1 for cut in cuts),
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


def _rebuild(
    name: str, window: str, compression: str, runtime: str, presets: str | Path | None, layers: int, task: str
) -> Embedder:
    return Embedder(
        name, window=window, compression=compression, runtime=runtime, presets=presets, layers=layers, task=task
    )
