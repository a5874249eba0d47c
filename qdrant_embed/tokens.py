"""Counting what a model will see: one small protocol over Hugging Face tokenizers, tiktoken and plain words.

Counts never include special tokens or prompts; whoever sets a limit subtracts those once.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import numpy as np

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.native import initializing, make_lock
from qdrant_embed.types import IntArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WORD_CHARACTERS = 16
"""A longer word counts as several, as it would with any real vocabulary."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_REMEMBERED_TEXTS = 4096
_REMEMBERED_CHARACTERS = 8192
"""How many texts' token ids are remembered, and of what size; more than lies between the chunker and the model."""
_TIKTOKEN_MOST = 200_000
"""tiktoken overflows its stack, and panics, on a million spaces; a longer text is read in pieces of this size."""


@runtime_checkable
class TokenCounter(Protocol):
    """Counts tokens the way one model does.

    `name` identifies the tokenizer (a hash or a public encoding name), so that equal tokenizers are equal.
    """

    @property
    def name(self) -> str:
        """A name under which equal tokenizers are equal."""

    def count(self, text: str) -> int:
        """Return the number of tokens of the text."""

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Return `count` of each text, in order, in one fast call."""

    def offsets(self, text: str) -> IntArray:
        """Return the character span `[start, end)` of every token, shape (tokens, 2), in order."""


def encodable(text: str) -> str:
    """Return the text with lone surrogates replaced: no tokenizer takes them, and one must not lose its document.

    Each is replaced by one character, so that offsets stay those of the text.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


class HuggingFaceTokens:
    """Counts with a fast tokenizer, which is its own from then on.

    Saved truncation and padding, which would falsify every count, are taken off it; give a copy of one that others use.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        with initializing():
            tokenizer.no_truncation()
            tokenizer.no_padding()
            tokenizer.encode_batch_fast(["a", "b"])
        self.tokenizer = tokenizer
        self._recent: OrderedDict[str, list[int]] = OrderedDict()
        self._recent_lock = make_lock()
        digest = hashlib.blake2b(tokenizer.to_str().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self.name = f"hf:{digest}"

    @classmethod
    def from_file(cls, path: Path) -> HuggingFaceTokens:
        """Read a `tokenizer.json`.

        :raises ModelError: The file is missing or not a tokenizer.
        """
        from tokenizers import Tokenizer as FastTokenizer

        if not path.exists():
            raise ModelError(
                f"{path} does not exist; a model needs its fast tokenizer. Save it with "
                "AutoTokenizer.from_pretrained(…).save_pretrained(folder)."
            )
        try:
            return cls(FastTokenizer.from_file(str(path)))
        except Exception as error:  # tokenizers raises bare Exception
            raise ModelError(f"{path} is not a tokenizer that can be read: {error}") from error

    def count(self, text: str) -> int:
        """Return the number of tokens of the text."""
        return len(self.tokenizer.encode(encodable(text), add_special_tokens=False))

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Return `count` of each text, in order."""
        return list(map(len, self.ids_batch(texts)))

    def ids_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, without special tokens; not to be changed.

        Texts of the last minutes are remembered: the chunker counts a chunk shortly before the model reads it.
        """
        with self._recent_lock:
            known = {text: self._recent[text] for text in texts if text in self._recent}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        encodings = self.tokenizer.encode_batch_fast(list(map(encodable, missing)), add_special_tokens=False)
        known |= {text: encoding.ids for text, encoding in zip(missing, encodings, strict=True)}
        with self._recent_lock:
            self._recent.update({text: known[text] for text in missing if len(text) <= _REMEMBERED_CHARACTERS})
            while len(self._recent) > _REMEMBERED_TEXTS:
                self._recent.popitem(last=False)
        return [known[text] for text in texts]

    def offsets(self, text: str) -> IntArray:
        """Return the character span of every token, shape (tokens, 2)."""
        found = self.tokenizer.encode(encodable(text), add_special_tokens=False).offsets
        return np.fromiter(chain.from_iterable(found), np.int64, 2 * len(found)).reshape(-1, 2)


class TiktokenTokens:
    """Counts with one of OpenAI's public encodings.

    :raises ModelError: The encoding's file is neither cached nor to be had from the network.
    """

    def __init__(self, encoding: str = "cl100k_base") -> None:
        with initializing():
            import tiktoken
        if encoding not in tiktoken.list_encoding_names():
            known = ", ".join(tiktoken.list_encoding_names())
            raise ConfigurationError(f"tiktoken knows no encoding {encoding!r}; known: {known}.")
        try:
            with initializing():
                self._encoding = tiktoken.get_encoding(encoding)
                self._encoding.encode_ordinary_batch(["a", "b"])
        except Exception as error:
            raise ModelError(
                f"the tiktoken encoding {encoding!r} could not be loaded ({type(error).__name__}). Without a network, "
                "set TIKTOKEN_CACHE_DIR to a folder that holds it; llama-index-core brings _static/tiktoken_cache."
            ) from error
        self.name = f"tiktoken:{encoding}"

    def count(self, text: str) -> int:
        """Return the number of tokens of the text."""
        return sum(len(self._encoding.encode_ordinary(piece)) for piece in _pieces(text))

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Return `count` of each text, in order."""
        pieces = [list(_pieces(text)) for text in texts]
        encoded = iter(self._encoding.encode_ordinary_batch(list(chain.from_iterable(pieces))))
        return [sum(len(next(encoded)) for _ in of_text) for of_text in pieces]

    def offsets(self, text: str) -> IntArray:
        """Return the character span of every token; a token inside a character spans that whole character."""
        if not text:
            return np.zeros((0, 2), np.int64)
        tokens = chain.from_iterable(self._encoding.encode_ordinary(piece) for piece in _pieces(text))
        lengths = np.array([len(piece) for piece in self._encoding.decode_tokens_bytes(list(tokens))], np.int64)
        ends = np.cumsum(lengths)
        encoded = np.frombuffer(encodable(text).encode(), np.uint8)
        starts_character = (encoded & 0xC0) != 0x80
        character_of_byte = np.cumsum(starts_character) - 1
        return np.stack([character_of_byte[ends - lengths], character_of_byte[ends - 1] + 1], axis=1).astype(np.int64)


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that tiktoken can take, nearly always itself."""
    whole = encodable(text)
    return (whole[start : start + _TIKTOKEN_MOST] for start in range(0, len(whole), _TIKTOKEN_MOST))


class PatternTokens:
    """Counts what a pattern finds in a text, without a vocabulary."""

    name: ClassVar[str]
    _pattern: ClassVar[re.Pattern[str]]

    def count(self, text: str) -> int:
        """Return the number of tokens of the text."""
        return len(self._pattern.findall(text))

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Return `count` of each text, in order."""
        return [self.count(text) for text in texts]

    def offsets(self, text: str) -> IntArray:
        """Return the character span of every token, shape (tokens, 2)."""
        return np.array([match.span() for match in self._pattern.finditer(text)], np.int64).reshape(-1, 2)


class WordTokens(PatternTokens):
    """Counts words and punctuation marks: no vocabulary, every script; for the `hashing` embedder."""

    name = f"words:{WORD_CHARACTERS}"
    _pattern = re.compile(rf"\w{{1,{WORD_CHARACTERS}}}|[^\w\s]")


class EstimatedTokens(PatternTokens):
    """Counts what a byte-level tokenizer would, rather more than less, without having one.

    Four letters of the Latin alphabet, a digit, a mark or a gap are one token; other letters as many as their UTF-8
    form has bytes, less one. English prose counts about a fifth more than OpenAI's encodings do.
    """

    name = "estimate:1"
    _pattern = re.compile(r"[A-Za-z]{1,4}|[^\x00-\x7f]|[^\sA-Za-z]|\s{2,}|\n")

    def count(self, text: str) -> int:
        """Return about as many tokens as the text has, rather more than less."""
        found = self._pattern.findall(text)
        return len(found) if text.isascii() else sum(map(_weight, found))

    def offsets(self, text: str) -> IntArray:
        """Return the character span of every token, shape (tokens, 2); a character of two tokens is there twice."""
        spans = [match.span() for match in self._pattern.finditer(text) for _ in range(_weight(match.group()))]
        return np.array(spans, np.int64).reshape(-1, 2)


def _weight(found: str) -> int:
    return 1 if found.isascii() or found.isspace() else len(found.encode("utf-8", "replace")) - 1 or 1
