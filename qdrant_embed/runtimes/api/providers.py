"""How each API wants to be asked, as data, and where its answers hold the vectors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from qdrant_embed.types import Json

_NOT_TAKEN = re.compile(
    r"not (?:supported|permitted|allowed)|(?:does not|doesn't) support|un(?:supported|known|expected|recognized)|extra",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The names that one API gives to what all of them need.

    :param endpoint: Base address where a preset names none.
    :param version: What comes first in the path, for an address that is a host only.
    :param path: What follows the base address.
    :param texts: Field of the texts.
    :param dim: Field of the number of dimensions wanted.
    :param kind: Field that tells documents from queries, empty if there is none.
    :param kinds: `document` and `query` in the API's own words.
    :param fixed: Fields that are always the same; above all, texts must never be cut silently at the server.
    :param base64: Fields that ask for vectors as base64 of little-endian float32, a quarter of the size of digits.
    :param batch_texts: Texts of one request; all of these APIs take more, but several requests at once are faster.
    """

    endpoint: str = ""
    version: str = "/v1"
    path: str = "/embeddings"
    texts: str = "input"
    dim: str = "dimensions"
    kind: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Json] = field(default_factory=dict)
    base64: Mapping[str, Json] = field(default_factory=dict)
    batch_texts: int = 64

    def address(self, endpoint: str) -> str:
        """Return where to post to: a host gets version and path, a base address the path, a full address nothing."""
        parts = urlsplit(endpoint or self.endpoint)
        path = parts.path.rstrip("/") or self.version
        if not path.endswith(self.path):
            path += self.path
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))

    def body(self, model: str, texts: Sequence[str], *, kind: str, dim: int, without: Set[str]) -> dict[str, Json]:
        """Return a request, JSON-ready.

        :param dim: Dimensions to ask for, 0 for the model's own.
        :param without: Fields that this server does not take.
        """
        request: dict[str, Json] = {"model": model, self.texts: list(texts), **self.fixed, **self.base64}
        if self.kind:
            request[self.kind] = self.kinds[kind]
        if dim:
            request[self.dim] = dim
        return {name: value for name, value in request.items() if name not in without}

    def refused_field(self, message: str) -> str:
        """Return the field without which a server that says this may answer, empty if there is none.

        Vectors then come as digits, or documents and questions are not told apart, by models that do not tell them
        apart. Everything else that a request holds decides the vectors, or keeps texts whole.
        """
        for name in self.base64:
            if name in message or "base64" in message:
                return name
        named = self.kind and re.search(rf"\b{self.kind}\b", message)
        return self.kind if named and _NOT_TAKEN.search(message) else ""


PROTOCOLS: Mapping[str, Protocol] = {
    # The API of OpenAI, and of TEI, infinity, vLLM, Ollama, LM Studio and many more.
    "openai": Protocol(endpoint="https://api.openai.com/v1", base64={"encoding_format": "base64"}),
    "cohere": Protocol(
        endpoint="https://api.cohere.com/v2",
        version="/v2",
        path="/embed",
        texts="texts",
        dim="output_dimension",
        kind="input_type",
        kinds={"document": "search_document", "query": "search_query"},
        fixed={"embedding_types": ["float"], "truncate": "NONE"},
    ),
    "voyage": Protocol(
        endpoint="https://api.voyageai.com/v1",
        dim="output_dimension",
        kind="input_type",
        kinds={"document": "document", "query": "query"},
        fixed={"truncation": False},
        base64={"encoding_format": "base64"},
    ),
    "jina": Protocol(
        endpoint="https://api.jina.ai/v1",
        kind="task",
        kinds={"document": "retrieval.passage", "query": "retrieval.query"},
        fixed={"truncate": False},
        base64={"embedding_type": "base64"},
    ),
}
"""Name in a preset → how to ask."""
