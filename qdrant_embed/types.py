"""The values that flow through the pipeline: frozen, keyword-only, each knowing where it came from."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from numbers import Integral
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    IntArray = NDArray[np.int64]

DENSE = "dense"
DENSE_SMALL = "dense_small"
"""The compressed vector, where the whole one is kept beside it to rescore what the small one found."""
BM25 = "bm25"
TERMS = "bm25_terms"
SPARSE = "sparse"
MULTIVECTOR = "multivector"
"""Vectors of models beside the dense one, where the recipe names any."""
TOKENS = "tokens"
"""Codes of the tokens' own vectors, for reranking, where the recipe asks for them."""

TokenSpan = tuple[int, int]
"""Tokens `[start, end)` of a text, prompt and special tokens not counted."""
CharSpan = tuple[int, int]
"""Characters `[start, end)` of a text."""
Json = Any
"""A value that `json.dumps` accepts."""


def __getattr__(name: str) -> Any:
    """Make the types of arrays when they are asked for: the process that reads files starts without numpy."""
    if name not in ("FloatArray", "IntArray"):
        raise AttributeError(f"module 'qdrant_embed.types' has no attribute {name!r}")
    import numpy as np
    from numpy.typing import NDArray

    globals().update(FloatArray=NDArray[np.float32], IntArray=NDArray[np.int64])
    return globals()[name]


def content_hash(text: str) -> str:
    """Hash a text for equality tests: 32 hexadecimal characters of BLAKE2b, stable across runs and machines."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text, what is known about it, and where it came from.

    :param source: The name a person would recognize: a path relative to the ingested folder, a URL, a title.
    :param metadata: Your own fields; stored under `metadata` in each point's payload and open to filters.
    :param media_type: IANA media type of the original (`application/pdf`); stored, and open to filters.
    :param text_type: IANA media type of the text (`text/markdown` for a DOCX turned into Markdown), by which the `auto`
        chunker picks; `media_type` when left empty.
    :param size: Bytes of the original, if it was a file.
    :param modified: ISO 8601 time (UTC, microseconds) of the original's last change, if known.
    :param hash: Hash of the original's content; computed from the text when left empty.
    :param page_starts: Character offset at which each page begins (`page_starts[0] == 0`); empty if unpaged.
    :raises ConfigurationError: A field is of another type than it says here, or pages do not begin one after the other.
    """

    text: str
    source: str
    metadata: Mapping[str, Json] = field(default_factory=dict)
    title: str = ""
    media_type: str = "text/plain"
    text_type: str = ""
    size: int | None = None
    modified: str | None = None
    hash: str = ""
    page_starts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("text", "source", "title", "media_type", "text_type", "hash"):
            value = getattr(self, name)
            if not isinstance(value, str):
                decoded = "; decode it first: data.decode('utf-8')" if isinstance(value, (bytes, bytearray)) else ""
                raise ConfigurationError(
                    f"Document({name}=…) takes a text, not a {type(value).__name__} ({value!r:.40}){decoded}. "
                    "Example: Document(text='The gate opens at nine.', source='notes/gate.md')."
                )
        if not isinstance(self.metadata, Mapping):
            raise ConfigurationError(
                f"Document(metadata=…) takes a dict, not a {type(self.metadata).__name__} ({self.metadata!r:.40}) in "
                f"{self.source!r}. Example: metadata={{'author': 'Ann'}}."
            )
        size: object = self.size
        if size is not None and not isinstance(size, Integral):
            raise ConfigurationError(f"Document(size=…) takes a whole number of bytes, not {size!r:.40}.")
        object.__setattr__(self, "page_starts", _offsets(self.page_starts))
        if not self.hash:
            object.__setattr__(self, "hash", content_hash(self.text))
        if not self.text_type:
            object.__setattr__(self, "text_type", self.media_type)

    def page_at(self, offset: int) -> int | None:
        """Return the 1-based page on which the character at `offset` stands, None if the document has no pages."""
        return bisect_right(self.page_starts, offset) or None


def _offsets(given: Sequence[int]) -> tuple[int, ...]:
    listed = isinstance(given, Sequence) and all(isinstance(offset, Integral) for offset in given)
    if not listed or min(given, default=0) < 0 or any(later < earlier for earlier, later in pairwise(given)):
        raise ConfigurationError(
            f"Document(page_starts=…) takes ascending offsets of characters, not {given!r:.40}. "
            "Example: page_starts=(0, 1200, 2400)."
        )
    return tuple(map(int, given))


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `[start, end)` of a text, as a chunker cut them.

    :param headings: The path of headings under which the span stands, outermost first.
    :param context: Text that is embedded before the span's own (the headings that the span itself does not show).
    """

    start: int
    end: int
    headings: tuple[str, ...] = ()
    context: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A span of a document; `document.text[start:end] == text`, always.

    :param index: Position among the document's chunks, from 0.
    :param page: 1-based page on which the chunk begins, None if the document has no pages.
    """

    text: str
    start: int
    end: int
    index: int
    headings: tuple[str, ...] = ()
    context: str = ""
    page: int | None = None

    @property
    def embed_text(self) -> str:
        """What the model is given: the context, if any, an empty line, the text."""
        return join_context(self.context, self.text)


def join_context(context: str, text: str) -> str:
    """Put a chunk's context before its text, the one way it is done everywhere (counting included)."""
    return f"{context}\n\n{text}" if context else text


@dataclass(frozen=True, slots=True, eq=False)
class SparseVector:
    """Weights of terms.

    :param indices: Term ids (n,), ascending, each once.
    :param values: Their weights (n,), float32, none of them zero.
    """

    indices: IntArray
    values: FloatArray


def as_list(given: Any) -> list[Any]:
    """Return what `qdrant_client` lets stand alone, in a list, or not at all."""
    return given if isinstance(given, list) else [] if given is None else [given]


def digest(content: bytes) -> bytes:
    """Return a hash (20 bytes) that tells contents apart."""
    return hashlib.blake2b(content, digest_size=20).digest()
