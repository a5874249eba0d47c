"""Models whose vectors stand beside the dense one: what sparse and multi-vector embedders share.

Prompts and windows are made here, and what is read is bounded by a budget of tokens; the pass itself is that of
sentence-transformers, so that routers, query expansion, skip lists and markers are those of the model's training.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from qdrant_embed.concurrency import went_on
from qdrant_embed.embedding.cache import recalled_each
from qdrant_embed.embedding.dense_encoder import require_texts
from qdrant_embed.embedding.results import Encoded
from qdrant_embed.errors import ModelError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.files.layouts import has_markers, require_kind, settings_fingerprint
from qdrant_embed.models.identity import identity
from qdrant_embed.models.license_warning import say_license
from qdrant_embed.models.preset_files import absolute
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.prompts import with_task
from qdrant_embed.models.resolve import ResolvedModel, resolve
from qdrant_embed.native import Once, make_lock
from qdrant_embed.runtimes.batching import batches_by_length
from qdrant_embed.runtimes.out_of_memory import halved
from qdrant_embed.tokenization.text_windows import TextCut, TextWindows, cut_counts
from qdrant_embed.tokens import HuggingFaceTokens, encodable
from qdrant_embed.types import FloatArray, Json, TokenSpan, digest

if TYPE_CHECKING:
    from tokenizers import Tokenizer

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class OneAfterAnother(WindowStrategy):
    """Windows of about the same length without overlap: no token is to be counted, or stored, twice."""

    def windows(self, tokens: int, room: int) -> list[TokenSpan]:
        """Return the windows in which a text of `tokens` tokens is read."""
        if tokens <= room or self.name == "truncate":
            return [(0, min(tokens, room))]
        parts = -(-tokens // room)
        return [(tokens * part // parts, tokens * (part + 1) // parts) for part in range(parts)]


class AuxiliaryEmbedder(ABC, Generic[V]):
    """A sparse or multi-vector model by name. Building it reads configuration only; the weights load at the first text.

    Safe to use from several threads; pickles by name, so that worker processes load their own.

    :param window: For texts longer than the model: `error`, `truncate`, or any other strategy for windows whose vectors
        are joined.
    :param presets: A preset file or folder of your own, laid over the others.
    :raises UnknownNameError: There is no such model or window strategy.
    :raises ConfigurationError: The model is of another kind.
    :raises ModelError: The model's files are missing or not to be trusted.
    """

    kind: ClassVar[str]
    batch_tokens: ClassVar[int]
    """Padded tokens in one forward pass."""

    def __init__(self, name: str | Path, *, window: str = "pcw", presets: str | Path | None = None) -> None:
        self._arguments: dict[str, Any] = {"window": window, "presets": absolute(presets)}
        resolved = resolve(name, presets)
        require_kind(resolved.preset, self.kind)
        self._resolved: ResolvedModel = replace(resolved, preset=with_task(resolved.preset))
        strategy = WindowStrategy.parse(window).name
        self._window = OneAfterAnother(strategy if strategy in ("error", "truncate") else "pcw")
        self._lock = make_lock()
        self._model = Once(self._load)

    def __reduce__(self) -> tuple[object, ...]:
        return partial(type(self), self.preset.name, **self._arguments), ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.preset.name!r}, dim={self.dim}, max_tokens={self.max_tokens})"

    @property
    def preset(self) -> Preset:
        """Everything that changes the model's vectors."""
        return self._resolved.preset

    @property
    def dim(self) -> int:
        """Terms of a sparse model's vocabulary; dimensions of each of a multi-vector model's vectors."""
        return self.preset.dim

    @property
    def max_tokens(self) -> int:
        """The longest text of one pass, prompt and special tokens included."""
        return self.preset.max_tokens

    @cached_property
    def token_counter(self) -> HuggingFaceTokens:
        """The model's own tokenizer; markers in its prompts are single tokens where it was trained so."""
        files = self._resolved.require_files()
        if not has_markers(files.folder):
            return files.token_counter()
        tokenizer = files.tokenizer()
        _keep_markers_whole(tokenizer, (self.preset.query_prompt, self.preset.document_prompt))
        return HuggingFaceTokens(tokenizer)

    @cached_property
    def fingerprint(self) -> Mapping[str, Json]:
        """Everything that decides the vectors, JSON-ready; equal fingerprints mean comparable vectors."""
        preset, files = self.preset, self._resolved.files
        return {
            **identity(self._resolved, self.token_counter, self.dim),
            "kind": preset.kind,
            "query_tokens": preset.query_tokens,
            "query_expansion": preset.query_expansion,
            "skiplist": preset.skiplist,
            "settings": settings_fingerprint(files.folder) if files else "",
        }

    # Texts to vectors

    def embed_documents(self, texts: Sequence[str]) -> Sequence[V]:
        """Return the vectors of texts that will be searched, in order."""
        return self.encode_documents(texts).vectors

    def embed_queries(self, texts: Sequence[str]) -> Sequence[V]:
        """Return the vectors of questions, in order."""
        return self._encode(texts, self.preset.query_prompt, "query").vectors

    def encode_documents(self, texts: Sequence[str]) -> Encoded[Sequence[V]]:
        """Return the vectors of texts that will be searched, with counts for a report.

        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        :raises ModelError: The model cannot be loaded, or gave something that is not a number.
        """
        return self._encode(texts, self.preset.document_prompt, "document")

    def _encode(self, texts: Sequence[str], prompt: str, side: str) -> Encoded[Sequence[V]]:
        require_texts(texts)
        if not len(texts):
            return Encoded([])
        cuts, pieces, lengths = self._cut(texts, prompt, side)

        def run(places: Sequence[int]) -> Sequence[FloatArray]:
            return self._run([pieces[place] for place in places], [lengths[place] for place in places], side)

        keys = (digest(piece.encode()) for piece in pieces)
        found = iter(recalled_each({**self.fingerprint, "side": side}, keys, run))
        vectors = [self._joined([next(found) for _ in cut.windows]) for cut in cuts]
        return Encoded(vectors, tokens=sum(lengths), **cut_counts(cuts))

    def count_documents(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the counts of `encode_documents` (`tokens`, `truncated`, `windowed`) without running the model.

        :raises TextTooLongError: A text is longer than the model and the window strategy is `error`.
        """
        require_texts(texts)
        cuts, _, lengths = self._cut(texts, self.preset.document_prompt, "document")
        return {"tokens": sum(lengths), **cut_counts(cuts)}

    def _cut(self, texts: Sequence[str], prompt: str, side: str) -> tuple[list[TextCut], list[str], list[int]]:
        """Return how each text is cut, all that is read of them, and the tokens of each of that."""
        cutter = self._cutters[side]
        cuts = cutter.cut(list(map(encodable, texts)), prompt, self._window)
        pieces = [piece for cut in cuts for piece in cut.texts]
        return cuts, pieces, [length + cutter.special_tokens for length in self.token_counter.count_batch(pieces)]

    @cached_property
    def _cutters(self) -> Mapping[str, TextWindows]:
        """What cuts texts and questions, each for what the model takes of it."""
        tokenizer = self.token_counter.tokenizer
        special = len(tokenizer.encode("a")) - len(tokenizer.encode("a", add_special_tokens=False))
        question = self.preset.query_tokens or self.max_tokens
        return {
            "document": TextWindows(self.token_counter, self.max_tokens, special),
            "query": TextWindows(self.token_counter, question, special),
        }

    def _run(self, pieces: Sequence[str], lengths: Sequence[int], side: str) -> Sequence[FloatArray]:
        found: list[FloatArray] = [np.empty(0, np.float32)] * len(pieces)

        def one(places: Sequence[int]) -> Sequence[FloatArray]:
            with self._lock:
                return self._pass([pieces[place] for place in places], side)

        for batch in batches_by_length(lengths, self.batch_tokens):
            went_on()
            made = [vector for part in halved(one, batch, lengths.__getitem__) for vector in part]
            for place, vector in zip(batch, made, strict=True):
                if not np.isfinite(vector).all():
                    raise ModelError(f"{self.preset.name!r} gave a vector with values that are not finite.")
                found[place] = vector
        return found

    def _load(self) -> Any:
        from qdrant_embed.runtimes.torch.load import load_encoder

        say_license(self.preset)
        model = load_encoder(self._resolved)
        self._settle(model)
        model.encode_document(["a"], show_progress_bar=False)  # with no other thread beside it, see `native`
        return model

    @abstractmethod
    def _settle(self, model: Any) -> None:
        """Bring what the preset says to a model that has just been loaded."""

    @abstractmethod
    def _pass(self, texts: Sequence[str], side: str) -> Sequence[FloatArray]:
        """Return what the model makes of texts that fit, prompts included: one flat array each, as it is remembered."""

    @abstractmethod
    def _joined(self, windows: Sequence[FloatArray]) -> V:
        """Return the vector of a text from what `_pass` gave for each of its windows."""


def _keep_markers_whole(tokenizer: Tokenizer, prompts: Sequence[str]) -> None:
    """Let the tokenizer know prompts such as `[unused0] ` as tokens where they are in its vocabulary.

    ColBERT models were trained with the token itself, which text would otherwise fall into pieces of; what
    sentence-transformers does when it loads such a model is done here, so that lengths are counted alike.
    """
    from tokenizers import AddedToken

    for prompt in prompts:
        for marker in (prompt, *prompt.split(None, 1)[:1]):
            if not marker.strip() or tokenizer.token_to_id(marker) is None:
                continue
            if tokenizer.encode(marker, add_special_tokens=False).tokens != [marker]:
                tokenizer.add_special_tokens([AddedToken(marker, normalized=False, special=True)])
            break
