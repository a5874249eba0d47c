"""What an embedder makes of texts beside a vector for each: vectors of tokens, and of prompts that are written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdrant_embed.embedding.encode import TextEncoder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.runtime_specs import runtime_spec
from qdrant_embed.types import FloatArray


@dataclass(frozen=True, slots=True)
class TokenEmbedder:
    """Gives unit vectors of the tokens of texts, the states that are pooled into their own vectors; and reads prompts.

    Prompts are read, and left out as special tokens are. Longer texts are read in windows, whatever becomes of their
    own vectors. Where another model reads questions, they are read by that of the documents here.

    :param documents: What puts texts through the model; `queries` likewise for questions.
    """

    documents: TextEncoder
    queries: TextEncoder

    def require(self, what: str) -> None:
        """Refuse what needs vectors of tokens where the model has none; nothing is loaded to find out.

        :param what: What needs them, for the message.
        :raises ConfigurationError: It is so.
        """
        preset = self.documents.preset
        if not runtime_spec(preset.runtime).gives_token_states or self.documents.sequencer is None:
            raise ConfigurationError(
                f"{what} compares the states of single tokens, and the runtime {preset.runtime!r} of {preset.name!r} "
                "gives none; use a model that is a transformer, such as Recipe(model='minilm')."
            )

    def embed_documents(self, texts: Sequence[str]) -> list[FloatArray]:
        """Return the vectors (tokens, states) of each text that will be searched."""
        return self.documents.read_tokens(texts, self.documents.preset.document_prompt)

    def embed_queries(self, texts: Sequence[str]) -> list[FloatArray]:
        """Return the vectors (tokens, states) of each question."""
        return self.queries.read_tokens(texts, self.queries.preset.query_prompt)

    def embed_prompts(self, prompts: Sequence[str]) -> FloatArray:
        """Return the vectors (n, dim) of prompts that are written out to their last special token, one for each.

        :raises TextTooLongError: One is longer than the model.
        """
        return self.queries.read_prompts(prompts)
