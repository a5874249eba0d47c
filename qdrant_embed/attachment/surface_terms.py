"""Words as they are written, for text indexes that split and stem by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.words.splitter import lowered_by, terms_of

if TYPE_CHECKING:
    from qdrant_client import models


def words_index(language: str, *, stems: bool) -> models.TextIndexParams:
    """Return the index that ranks texts by their words, which the engine splits.

    :param stems: Whether the engine stems them too; the one in memory does not.
    """
    from qdrant_client import models

    plain = models.TextIndexParams(
        type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, scoring=True, enable_hnsw=False
    )
    known = {one.value: one for one in models.SnowballLanguage}
    if not stems or language not in known:
        return plain
    stemmer = models.SnowballParams(type=models.Snowball.SNOWBALL, language=known[language])
    return plain.model_copy(update={"lowercase": True, "phrase_matching": True, "stemmer": stemmer})


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
