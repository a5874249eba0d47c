"""Listwise reranking: a prompt with a question and its first passages becomes the vector they are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_embed.errors import ConfigurationError, TextTooLongError
from qdrant_embed.evaluation.exact_search import unit_rows
from qdrant_embed.models.preset_files import read_presets
from qdrant_embed.reranking.base import DEPTH, BatchReranker, RerankContext, rescored
from qdrant_embed.reranking.late_interaction import passage_of
from qdrant_embed.retrieval.hits import Hit

DOCUMENTS, QUERY = "{documents}", "{query}"
"""Places in a template."""
_FEWEST_WORDS = 16


class ListwiseReranker(BatchReranker):
    """Ranks by the collection's own model, where it was trained for it (E2Rank, arXiv 2510.22733, section 3.2).

    The score is the cosine of a passage's stored vector to that of one prompt, which shows the model the question and
    the first passages: relevance feedback by reading. No passage is embedded again, and those that are not in the
    prompt are ranked too. The preset says what stands in it: `rerank_template`, `rerank_documents`, `rerank_words`.

    :param template: Instead of the preset's, with `{documents}` and `{query}` in it.
    :param depth: How many hits are ranked.
    :raises ConfigurationError: The model was not trained for it, the template lacks a place, or the collection keeps
        nothing but signs of its vectors.
    """

    def __init__(self, context: RerankContext, *, template: str = "", depth: int = DEPTH) -> None:
        preset = context.embedder.preset
        self.template = template or preset.rerank_template
        if not self.template:
            able = ", ".join(sorted(name for name, one in read_presets().items() if one.values.get("rerank_template")))
            raise ConfigurationError(
                f"rerank='listwise' is for models that were trained to read a list, and the preset of {preset.name!r} "
                f"has no rerank_template: its vectors of such prompts rank worse than before. Models that have one: "
                f"{able}. For any other model, type 'tokens'."
            )
        if DOCUMENTS not in self.template or QUERY not in self.template:
            raise ConfigurationError(
                f"template={self.template!r}: write where the passages and the question go, {DOCUMENTS} and {QUERY}."
            )
        context.codec.require_numbers()
        self._context, self.depth = context, depth
        self.documents, self.words = preset.rerank_documents, preset.rerank_words

    @classmethod
    def from_word(cls, context: RerankContext, argument: str) -> ListwiseReranker:
        """Read `listwise`.

        :raises ConfigurationError: Something stands behind a colon.
        """
        if argument:
            raise ConfigurationError(
                f"rerank='listwise:{argument}': it takes no argument; type 'listwise'. A template of your own goes "
                "into a preset: rerank_template."
            )
        return cls(context)

    def prompt(self, query: str, hits: Sequence[Hit], words: int = 0) -> str:
        """Return what the model reads of a question and its hits.

        :param words: The first words that are read of each passage; 0 for as many as the preset says.
        """
        texts = (" ".join(passage_of(hit).split()[: words or self.words]) for hit in hits[: self.documents])
        listed = "\n".join(f"[{place}] {text}" for place, text in enumerate(texts, 1))
        before, _, after = self.template.partition(DOCUMENTS)
        return f"{before.replace(QUERY, query)}{listed}{after.replace(QUERY, query)}"

    def rerank_each(self, queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """See `Reranker`; all prompts go through the model together.

        :raises TextTooLongError: A question is longer than the model.
        """
        asked = [place for place, hits in enumerate(found) if hits]
        vectors = self._context.embedder.tokens.embed_prompts([self._fitting(queries[at], found[at]) for at in asked])
        ranked: list[list[Hit]] = [[] for _ in found]
        for place, vector in zip(asked, vectors, strict=True):
            units = unit_rows(self._context.vectors(found[place]))
            ranked[place] = rescored(found[place], units @ unit_rows(vector[None])[0])
        return ranked

    def _fitting(self, query: str, hits: Sequence[Hit]) -> str:
        """Return the prompt with as many words of each passage as the model takes, halved until they fit."""
        embedder, words = self._context.embedder, self.words
        while True:
            prompt = self.prompt(query, hits, words)
            tokens = embedder.token_counter.count(prompt)
            if tokens <= embedder.max_tokens:
                return prompt
            if words <= _FEWEST_WORDS:
                raise TextTooLongError(
                    f"a prompt with {words} words of each of {min(self.documents, len(hits))} passages has {tokens} "
                    f"tokens, and the model takes {embedder.max_tokens}; ask a shorter question."
                )
            words //= 2
