"""The embedder: texts to vectors, with the prompts, windows, pooling and dimensions that the model was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from qdrant_embed.compression import Compression
from qdrant_embed.embedding.dense_encoder import DenseEncoder
from qdrant_embed.embedding.encode import TextEncoder
from qdrant_embed.embedding.late_chunking import LatePassage
from qdrant_embed.embedding.results import Encoded, WindowVectors
from qdrant_embed.embedding.token_embedder import TokenEmbedder
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.files.input_length import block_count
from qdrant_embed.models.files.layouts import require_kind
from qdrant_embed.models.identity import identity
from qdrant_embed.models.long_context_support import require_supported, supported_windows, with_extension
from qdrant_embed.models.preset_files import absolute
from qdrant_embed.models.presets import Preset, with_layers
from qdrant_embed.models.prompts import with_task
from qdrant_embed.models.resolve import ResolvedModel, resolve
from qdrant_embed.models.runtime_specs import runtime_spec
from qdrant_embed.runtimes import RuntimeBase
from qdrant_embed.runtimes.session import RuntimeSession
from qdrant_embed.tokenization.model_counters import counter_of
from qdrant_embed.tokens import TokenCounter, WordTokens
from qdrant_embed.types import CharSpan, FloatArray, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderOptions:
    """What an embedder is loaded with beside its name; see `load_embedder`."""

    window: str = "pcw"
    compression: str = "float32"
    runtime: str = "auto"
    presets: str | Path | None = None
    layers: int = 0
    task: str = ""


class Embedder:
    """A model by name. Building it reads configuration only; the weights load at the first text.

    Safe to use from several threads; pickles by name, so that worker processes load their own.

    :raises UnknownNameError: There is no such model, window strategy or runtime.
    :raises ModelError: The model's files are missing or not to be trusted.
    """

    def __init__(self, name: str | Path, options: EmbedderOptions) -> None:
        self._options = replace(options, presets=absolute(options.presets))
        resolved = resolve(name, options.presets)
        require_kind(resolved.preset, "dense")
        self._untasked = resolved.preset
        self._window = WindowStrategy.parse(options.window)
        self._resolved: ResolvedModel = self._shaped(resolved)
        self._compression = Compression.parse(options.compression)
        self._running = RuntimeSession(self._resolved, options.runtime)
        preset = self.preset
        kept = self._compression.dim_of(preset.name, preset.dim, preset.dims, preset.truncate_dim)
        # With `full` all dimensions are stored too, and the cut ones are made of them.
        self.dim = max(kept, preset.truncate_dim or preset.dim) if self._compression.full else kept

    def _shaped(self, resolved: ResolvedModel) -> ResolvedModel:
        """Return a model with the task, the blocks and the length that it was asked for with."""
        options = self._options
        blocks = block_count(resolved.files.transformer) if resolved.files else 0
        shaped = replace(resolved, preset=with_layers(with_task(resolved.preset, options.task), options.layers, blocks))
        require_supported(shaped, self._window)
        return with_extension(shaped, self._window)

    def __reduce__(self) -> tuple[object, ...]:
        return Embedder, (self.preset.name, self._options)

    def __repr__(self) -> str:
        return f"Embedder({self.preset.name!r}, dim={self.dim}, max_tokens={self.max_tokens}, window={self._window})"

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
    def native_tokens(self) -> int:
        """Tokens beyond which a text is read by stretching the model, all counted in; 0 if it is not stretched."""
        return self._resolved.native_tokens

    @property
    def supported_windows(self) -> tuple[str, ...]:
        """The window strategies that suit it; `pi:TOKENS` and its like take the length that they reach."""
        return supported_windows(self._resolved)

    @property
    def distance(self) -> str:
        """How vectors are compared: `cosine`, `dot` or `euclid`."""
        return self.preset.distance

    @property
    def compression(self) -> Compression:
        """How vectors are made smaller; all but the cut of dimensions is done after the embedder."""
        return self._compression

    @cached_property
    def token_counter(self) -> TokenCounter:
        """The model's own tokenizer."""
        if runtime_spec(self.preset.runtime).external_models:
            return counter_of(self.preset)
        if self._resolved.files is None:
            return WordTokens()
        return self._resolved.files.token_counter()

    @cached_property
    def chunk_budget(self) -> int:
        """Tokens that a chunk may have if it is to be read in one pass.

        :raises ConfigurationError: The prompt leaves no room for any.
        """
        return self._reader.room()

    @cached_property
    def fingerprint(self) -> Mapping[str, Json]:
        """Everything that decides the vectors, JSON-ready; equal fingerprints mean comparable vectors."""
        return identity(self._resolved, self.token_counter, self.dim)

    @cached_property
    def _reader(self) -> TextEncoder:
        return TextEncoder(self._resolved, self._running, self.token_counter, self.dim)

    @cached_property
    def _query_reader(self) -> TextEncoder:
        routed = self._resolved.query
        if routed is not None and routed.files is not None:
            resolved, runtime = self._shaped(routed), "auto" if routed.files.static else self._options.runtime
            tokens: TokenCounter = routed.files.token_counter()
            return TextEncoder(resolved, RuntimeSession(resolved, runtime), tokens, self.dim)
        files = self._resolved.files
        if files is None or files.query_adapter is None:
            return self._reader
        resolved = replace(self._resolved, files=replace(files, adapter=files.query_adapter, query_adapter=None))
        return TextEncoder(resolved, RuntimeSession(resolved, self._options.runtime), self.token_counter, self.dim)

    @cached_property
    def _documents(self) -> DenseEncoder:
        return DenseEncoder(self._reader, self._window)

    @cached_property
    def tokens(self) -> TokenEmbedder:
        """What gives vectors of single tokens."""
        return TokenEmbedder(self._reader, self._reader if self._resolved.query else self._query_reader)

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """Return the vectors (n, dim), float32, of texts that will be searched."""
        return self.encode_documents(texts).vectors

    def embed_queries(self, texts: Sequence[str], *, task: str = "") -> FloatArray:
        """Return the vectors (n, dim), float32, of questions.

        :param task: Another task than the embedder's own, for these questions.
        """
        prompt = with_task(self._untasked, task).query_prompt if task else self.preset.query_prompt
        return DenseEncoder(self._query_reader, self._window.for_queries).texts(texts, prompt, "query").vectors

    def encode_documents(self, texts: Sequence[str]) -> Encoded[FloatArray]:
        """Return the vectors of texts that will be searched, with counts for a report.

        Under `late` each text is a document of one chunk.

        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        :raises ConfigurationError: The window strategy is `windows`, under which a text has several vectors.
        :raises ModelError: The model cannot be loaded, or gave something that is not a number.
        """
        return self._documents.documents(texts)

    def count_documents(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the counts of a report for texts that would be embedded, without running the model.

        :return: `tokens`, `truncated`, `windowed`, `extended`.
        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        """
        return self._documents.count(texts)

    def encode_windows(self, texts: Sequence[str]) -> Encoded[Sequence[WindowVectors]]:
        """Return a vector for each window of each text, and where the windows stand.

        :raises ConfigurationError: The window strategy is another than `windows`.
        """
        return self._documents.windows(texts)

    def embed_late(self, text: str, spans: Sequence[CharSpan]) -> FloatArray:
        """Return the vectors (n, dim), float32, of the chunks of one document; see `encode_late`."""
        return self.encode_late(text, spans).vectors

    def encode_late(self, text: str, spans: Sequence[CharSpan]) -> Encoded[FloatArray]:
        """Return the vectors of the chunks of one document, each with the document around it in mind.

        :param spans: Characters `[start, end)` of each chunk, ordered by where they start; they may overlap, and leave
            parts of the text out.
        :raises ConfigurationError: The window strategy is another than `late`, or the spans are not such.
        """
        return self.encode_late_passages(self.late_passages(text, spans))

    def late_passages(self, text: str, spans: Sequence[CharSpan]) -> list[LatePassage]:
        """Return the chunks of a document with what they are read in, for `encode_late_passages`; nothing is embedded.

        Spans and errors are those of `encode_late`.
        """
        return self._documents.plan(text, spans)

    def encode_late_passages(self, passages: Sequence[LatePassage]) -> Encoded[FloatArray]:
        """Return the vectors of chunks, of any documents; a macro window that several share is read once."""
        return self._documents.passages(passages)

    @property
    def runtime(self) -> str:
        """What runs the model, e.g. `openvino:bf16` or `torch`; the weights are loaded to find out.

        :raises ModelError: They cannot be loaded.
        """
        return self._running.name

    @property
    def _runtime(self) -> RuntimeBase:
        return self._running.runtime
