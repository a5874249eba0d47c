"""BM25 term weights, computed here, so that every engine searches the same terms.

What a word is, `words.splitter` says, for documents and questions alike; stems, stop words and weights are Qdrant's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.words.languages import without_stems
from qdrant_embed.words.splitter import lowered_by, terms_of

if TYPE_CHECKING:
    import qdrant_edge

MULTILINGUAL = "multilingual"


class Bm25Encoder:
    """Texts to BM25 term weights (Robertson and Zaragoza 2009); the collection supplies the IDF part.

    :param language: A Snowball language such as `english`, or `multilingual` for no stems and no stop words.
    :raises ConfigurationError: The language is not known.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._model = _load(language)

    def encode_document(self, text: str) -> tuple[list[int], list[float]]:
        """Return term ids and their saturated frequencies."""
        sparse = self._model.embed_document(" ".join(terms_of(lowered_by(self.language, text), singles=True)))
        return sparse.indices, sparse.values

    def document_terms(self, text: str) -> list[str]:
        """Return the text's terms as words of letters and digits, one for each time a term occurs."""
        words = terms_of(lowered_by(self.language, text), singles=True)
        return [term for word in words if (term := _term(self.language, word))]

    def query_terms(self, text: str) -> list[str]:
        """Return the query's terms as words, each once, in their order."""
        words = terms_of(lowered_by(self.language, text))
        return list(dict.fromkeys(term for word in words if (term := _term(self.language, word))))

    def encode_query(self, text: str) -> tuple[list[int], list[float]]:
        """Return term ids, each with weight 1."""
        sparse = self._model.embed_query(" ".join(terms_of(lowered_by(self.language, text))))
        return sparse.indices, sparse.values


@lru_cache(maxsize=1 << 16)
def _term(language: str, word: str) -> str:
    """Return what engines index for a word: the id of its stem in base 36; empty for a stop word.

    Ids, so that engines that split and stem words in ways of their own have nothing left to do.
    """
    found = _load(language).embed_query(word).indices
    return np.base_repr(found[0], 36).lower() if found else ""


@lru_cache(maxsize=8)
def _load(language: str) -> qdrant_edge.Bm25:
    import qdrant_edge

    if language == MULTILINGUAL:
        return without_stems(set())
    config = qdrant_edge.Bm25Config(language=language, tokenizer=qdrant_edge.TokenizerType.Whitespace)
    try:
        return qdrant_edge.Bm25(config)
    except ValueError as error:
        raise ConfigurationError(
            f"BM25 knows no language {language!r} ({error}); give an English language name such as 'english' or "
            f"'german', or {MULTILINGUAL!r}."
        ) from error
