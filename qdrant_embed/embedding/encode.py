"""Texts through the model: cut into windows, batched, pooled, and kept on disk where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from qdrant_embed.compression.truncation import finish
from qdrant_embed.embedding.cache import cached_vectors
from qdrant_embed.embedding.late_chunking import LateChunking, LatePassage
from qdrant_embed.embedding.token_vectors import token_vectors
from qdrant_embed.errors import ConfigurationError, TextTooLongError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.files.linear_layers import linear_layers, load_linear_head
from qdrant_embed.models.files.model_folder import states_width
from qdrant_embed.models.identity import identity
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.prompts import rendered
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.models.runtime_specs import runtime_spec
from qdrant_embed.pooling.token_pooling import LinearHead
from qdrant_embed.runtimes.batching import run_in_batches
from qdrant_embed.runtimes.session import RuntimeSession
from qdrant_embed.telemetry import recording
from qdrant_embed.telemetry.recorded_operation import Unrecorded
from qdrant_embed.tokenization.batch import TextBatch
from qdrant_embed.tokenization.model_counters import special_tokens_of
from qdrant_embed.tokenization.sequences import TokenSequence, TokenSequencer, WindowedText
from qdrant_embed.tokenization.text_windows import TextCut, TextWindows, cut_counts
from qdrant_embed.tokens import HuggingFaceTokens, TokenCounter
from qdrant_embed.types import CharSpan, FloatArray, Json, digest


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Texts as they were read.

    :param cuts: The windows of each text.
    :param pooled: (windows of all texts, dim), in order, not yet cut or normalized.
    :param tokens: Tokens that went through the model.
    :param extended: Texts that were read by stretching the model.
    """

    cuts: Sequence[WindowedText | TextCut]
    pooled: FloatArray
    tokens: int
    extended: int = 0

    def by_text(self, vectors: FloatArray) -> list[FloatArray]:
        """Return the rows of each text."""
        ends = np.cumsum([len(cut.windows) for cut in self.cuts])
        return np.split(vectors, ends[:-1]) if len(ends) else []

    @property
    def counts(self) -> dict[str, int]:
        """The counts of a report."""
        return {**cut_counts(self.cuts), "tokens": self.tokens, "extended": self.extended}


class TextEncoder:
    """Reads texts by one model.

    :param dim: Dimensions that will be kept.
    """

    def __init__(self, resolved: ResolvedModel, running: RuntimeSession, tokens: TokenCounter, dim: int) -> None:
        self._resolved, self._running, self._tokens, self.dim = resolved, running, tokens, dim
        self.preset: Preset = resolved.preset
        self.native_tokens: int = resolved.native_tokens

    def room(self) -> int:
        """Return how many tokens of a document fit into one pass; see `TokenSequencer.room`."""
        cutter = self.sequencer or self._text_windows
        return cutter.room(self.preset.document_prompt)

    @cached_property
    def sequencer(self) -> TokenSequencer | None:
        """What makes token sequences; None for models that are given texts."""
        files, preset = self._resolved.files, self.preset
        if files is None or not isinstance(self._tokens, HuggingFaceTokens) or self._running.reads_texts:
            return None
        return TokenSequencer(
            self._tokens,
            files.transformer,
            preset.max_tokens,
            padding=preset.padding,
            text_only=preset.pooled == "text",
            skips_first=preset.pooled == "all-but-first",
            pad_id=-1 if files.static else None,
        )

    @cached_property
    def _text_windows(self) -> TextWindows:
        return TextWindows(self._tokens, self.preset.max_tokens, special_tokens_of(self.preset, self._tokens))

    def read(self, texts: Sequence[str], prompt: str, kind: str, strategy: WindowStrategy) -> EncodedBatch:
        """Return the pooled vector of every window.

        :param kind: `document` or `query`.
        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        """
        if not len(texts):
            return self._unread((), 0)
        with self._told(len(texts)) as operation:
            if self.sequencer is None:
                found = self._read_texts(texts, prompt, kind, strategy)
            else:
                found = self._read_sequences(self.sequencer, texts, prompt, strategy)
            recording.read(operation, found.tokens)
        return found

    def count(self, texts: Sequence[str], prompt: str, strategy: WindowStrategy) -> EncodedBatch:
        """As `read`, without running the model: there are no vectors in it."""
        if self.sequencer is None:
            return self._cut_texts(texts, prompt, strategy)
        return self._cut_sequences(self.sequencer, texts, prompt, strategy)

    def _unread(self, cuts: Sequence[WindowedText | TextCut], tokens: int, extended: int = 0) -> EncodedBatch:
        return EncodedBatch(cuts, np.zeros((0, self.dim), np.float32), tokens, extended)

    def _cut_texts(self, texts: Sequence[str], prompt: str, strategy: WindowStrategy) -> EncodedBatch:
        """For runtimes that read text; those without a limit keep to one only where each window has a vector."""
        if runtime_spec(self.preset.runtime).external_models or strategy.name == "windows":
            cuts, special = self._text_windows.cut(texts, prompt, strategy), self._text_windows.special_tokens
        else:
            cuts, special = [TextCut([(0, 0)], [rendered(prompt, text)], 0, [(0, len(text))]) for text in texts], 0
        pieces = [piece for cut in cuts for piece in cut.texts]
        return self._unread(cuts, sum(self._tokens.count_batch(pieces)) + special * len(pieces))

    def _read_texts(self, texts: Sequence[str], prompt: str, kind: str, strategy: WindowStrategy) -> EncodedBatch:
        read = self._cut_texts(texts, prompt, strategy)
        pieces = tuple(piece for cut in read.cuts if isinstance(cut, TextCut) for piece in cut.texts)

        def run(places: Sequence[int]) -> Sequence[FloatArray]:
            return list(self._running.run_texts(TextBatch(tuple(pieces[place] for place in places), kind, self.dim)))

        keys = (digest(piece.encode("utf-8", "surrogatepass")) for piece in pieces)
        return replace(read, pooled=cached_vectors({**self._kept_under, "dim": self.dim, "kind": kind}, keys, run))

    def _cut_sequences(
        self, sequencer: TokenSequencer, texts: Sequence[str], prompt: str, strategy: WindowStrategy
    ) -> EncodedBatch:
        cuts = sequencer.cut(texts, prompt, strategy)
        extended = sum(max(map(len, cut.sequences)) > self.native_tokens > 0 for cut in cuts)
        return self._unread(cuts, sum(len(sequence) for cut in cuts for sequence in cut.sequences), extended)

    def _read_sequences(
        self, sequencer: TokenSequencer, texts: Sequence[str], prompt: str, strategy: WindowStrategy
    ) -> EncodedBatch:
        read = self._cut_sequences(sequencer, texts, prompt, strategy)
        sequences = [sequence for cut in read.cuts if isinstance(cut, WindowedText) for sequence in cut.sequences]
        running = self._running

        def batch(chosen: Sequence[TokenSequence]) -> FloatArray:
            return running.run(sequencer.batch(chosen, prompt, running.batch_limits.multiple))

        def run(places: Sequence[int]) -> Sequence[FloatArray]:
            return run_in_batches(batch, [sequences[place] for place in places], running.batch_limits)

        pooled = cached_vectors({**self._kept_under, "prompt": prompt}, (sequence.key for sequence in sequences), run)
        return replace(read, pooled=pooled)

    def characters(self, text: str, cut: WindowedText | TextCut, prompt: str) -> Sequence[CharSpan]:
        """Return where the windows of a text stand in it."""
        if isinstance(cut, TextCut):
            return cut.spans
        if len(cut.windows) == 1 or self.sequencer is None:
            return [(0, len(text))]
        return self.sequencer.spans(text, prompt, cut.windows)

    def late(self, macro_tokens: int) -> LateChunking:
        """Return what plans late chunking.

        :param macro_tokens: Tokens of a macro window; 0 for the model's length.
        """
        if self.sequencer is None:
            raise ConfigurationError(f"{self.preset.name!r} has no tokenizer here, so its states cannot be placed.")
        return LateChunking(self.sequencer, self.preset.document_prompt, macro_tokens)

    def read_late(self, late: LateChunking, passages: Sequence[LatePassage]) -> FloatArray:
        """Return the pooled vectors (n, dim) of chunks that are read in their documents."""

        def run(places: Sequence[int]) -> Sequence[FloatArray]:
            chosen = [passages[place] for place in places]
            found = late.read(chosen, self._states.token_states, self._states.token_batch_limits)
            return list(self._head(np.stack(found))) if self._head else found

        kept = {**self._kept_under, "prompt": late.prompt, "late": True}
        with self._told(len(passages)):
            return cached_vectors(kept, (passage.key for passage in passages), run)

    def read_tokens(self, texts: Sequence[str], prompt: str) -> list[FloatArray]:
        """Return unit vectors (tokens, dim) of the tokens of each text, before any layers behind the pooling."""
        if self.sequencer is None:
            raise ConfigurationError(f"{self.preset.name!r} has no tokenizer here, so its states cannot be placed.")
        if not len(texts):
            return []
        with self._told(len(texts)):
            return token_vectors(
                self.sequencer, prompt, texts, self._states.token_states, self._states.token_batch_limits
            )

    def read_prompts(self, prompts: Sequence[str]) -> FloatArray:
        """Return the vectors (n, dim) of texts in which every token is written out, special ones too.

        :raises TextTooLongError: One is longer than the model.
        """
        sequencer, running = self.sequencer, self._running
        if sequencer is None:
            raise ConfigurationError(f"{self.preset.name!r} has no tokenizer here, which prompts are written for.")
        sequences = [TokenSequence(ids) for ids in sequencer.token_counter.ids_batch(prompts)]
        longest = max(map(len, sequences), default=0)
        if longest > self.preset.max_tokens:
            raise TextTooLongError(f"a prompt has {longest} tokens, and the model takes {self.preset.max_tokens}.")

        def batch(chosen: Sequence[TokenSequence]) -> FloatArray:
            return running.run(sequencer.batch(chosen, multiple=running.batch_limits.multiple))

        if not sequences:
            return np.zeros((0, self.dim), np.float32)
        pooled = np.stack(run_in_batches(batch, sequences, running.batch_limits))
        return finish(pooled, dim=self.dim, normalize=self.preset.normalize, layer_norm=self.preset.layer_norm)

    def _told(self, texts: int) -> Unrecorded:
        return recording.model_embeddings(self.preset.name, self.preset.api, self.dim, texts)

    @cached_property
    def _states(self) -> RuntimeSession:
        """What gives the states of tokens: the model without the layers behind its pooling."""
        files = self._resolved.files
        if files is None or files.plain:
            return self._running
        preset = replace(self.preset, dim=states_width(files.transformer))
        bare = replace(self._resolved, preset=preset, files=replace(files, plain=True))
        return RuntimeSession(bare, self._running.asked)

    @cached_property
    def _head(self) -> LinearHead | None:
        """The dense layers behind the pooling, which means of states go through.

        :raises ModelError: There are others.
        """
        files = self._resolved.files
        return None if files is None or files.plain else load_linear_head(linear_layers(files.folder))

    @cached_property
    def _kept_under(self) -> Mapping[str, Json]:
        """What vectors on disk are kept under: int8 apart, while the other precisions stand for each other."""
        return {**identity(self._resolved, self._tokens, self.preset.dim), "precision": self._running.kept_as}
