"""Words as they are written, for text indexes that split and stem by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.words.splitter import lowered_by, terms_of

if TYPE_CHECKING:
    from qdrant_client import models


def words_index(language: str) -> models.TextIndexParams:
    """Return the index that ranks texts by their words, which the engine splits and stems."""
    from qdrant_client import models

    known = {one.value: one for one in models.SnowballLanguage}
    stemmer = (
        models.SnowballParams(type=models.Snowball.SNOWBALL, language=known[language]) if language in known else None
    )
    return models.TextIndexParams(
        type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, lowercase=True, phrase_matching=True,
        scoring=True, stemmer=stemmer, enable_hnsw=False,
    )  # fmt: skip


class SurfaceTerms(Bm25Encoder):
    """Texts to words as they are written, stop words left out."""

    def document_terms(self, text: str) -> list[str]:
        """Return the text's words, one for each time a word occurs."""
        return self._words(terms_of(lowered_by(self.language, text), singles=True))

    def query_terms(self, text: str) -> list[str]:
        """Return the query's words, each once, in their order."""
        return list(dict.fromkeys(self._words(terms_of(lowered_by(self.language, text)))))

    def _words(self, words: list[str]) -> list[str]:
        return [word for word in words if super(SurfaceTerms, self).query_terms(word)]
