"""Which language a text is in, as far as its script and its stop words say: enough to tell that it is another one.

A collection stems words and leaves out stop words by the rules of one language. Texts in another are found by their
words as they are written; an ingest says so with the numbers.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from qdrant_embed.display import counted
from qdrant_embed.words.splitter import terms_of

if TYPE_CHECKING:
    import qdrant_edge

SAMPLE = 1500
"""Characters of a text that are looked at."""
FEWEST_WORDS = 15
"""Distinct words below which stop words say nothing."""
CLEAR_SHARE = 0.14
"""Share of stop words among the distinct words of prose, at the least; running text has a fifth to a third."""
SURE_SHARE = 0.2
"""Share of the expected language's stop words from which on nothing else is looked for."""

_OTHER_SCRIPTS = {
    "ARABIC": ("arabic",),
    "BENGALI": ("bengali",),
    "CJK": ("chinese", "japanese"),
    "CYRILLIC": ("russian", "kazakh", "tajik"),
    "DEVANAGARI": ("nepali",),
    "GREEK": ("greek",),
    "HEBREW": ("hebrew",),
}
"""Languages that BM25 knows, by script (first word of Unicode's character names); all others use Latin letters."""
_LATIN = (
    "azerbaijani", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german", "hungarian",
    "indonesian", "italian", "norwegian", "portuguese", "romanian", "slovene", "spanish", "swedish", "turkish",
)  # fmt: skip
_NAMED = {"CJK": "chinese", "HANGUL": "korean", "MYANMAR": "burmese"}
_SHARED = ("ARABIC", "CYRILLIC", "DEVANAGARI")
"""Scripts of many languages, most of which BM25 does not know."""
_KANA = ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")


class LanguageCount:
    """Counts documents whose language is clearly not the collection's.

    :param expected: Language of the collection's BM25; nothing is counted for `multilingual`.
    """

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._looked_at = 0
        self._others: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, source: str, text: str) -> None:
        """Look at one document."""
        self._looked_at += 1
        found = other_language(text, self._expected)
        if found is not None:
            self._others[found] += 1
            self._examples.setdefault(found, source)

    @property
    def warning(self) -> str:
        """What to say of it: how many documents of which languages, an example of each; empty if there are none."""
        if not self._others:
            return ""
        listed = ", ".join(f"{count:,} {name} ({self._examples[name]!r})" for name, count in self._others.most_common())
        return (
            f"{sum(self._others.values()):,} of {counted(self._looked_at, 'document')} not in {self._expected}, the "
            f"language of this collection's word search (BM25): {listed}. Their words are found as they are written, "
            "without word stems. For texts in another language, make a collection with Recipe(language=…) "
            "(--language); for several languages, 'multilingual'."
        )


def other_language(text: str, expected: str) -> str | None:
    """Return the language of a text if it is clearly another than the expected one, None if not or if nothing tells.

    :param expected: A language of BM25; `multilingual` expects all.
    """
    if expected == "multilingual":
        return None
    sample = text[:SAMPLE]
    script = _script(sample)
    ours = next((name for name, languages in _OTHER_SCRIPTS.items() if expected in languages), "LATIN")
    if script is None:
        return None
    if script in ("CJK", *_KANA):
        found = "japanese" if script in _KANA else "chinese"
        return None if found == expected else found
    candidates = _LATIN if script == "LATIN" else _OTHER_SCRIPTS.get(script, ())
    if expected in candidates and len(candidates) == 1:
        return None
    best = _by_stop_words(sample, candidates, expected)
    if best is not None or script == ours or script == "LATIN":
        return best
    return f"{script.capitalize()} script" if script in _SHARED else _NAMED.get(script, script.lower())


def _script(text: str) -> str | None:
    """Return the script of most letters of a text; one of kana where there are enough of them among Chinese letters."""
    scripts: Counter[str] = Counter()
    for letter, count in Counter(text).items():
        if letter.isalpha():
            name = "LATIN" if letter.isascii() else unicodedata.name(letter, "LATIN").split()[0]
            scripts["LATIN" if name in ("FULLWIDTH", "MODIFIER", "FEMININE", "MASCULINE") else name] += count
    kana = sum(scripts.pop(name, 0) for name in _KANA)
    if kana * 20 > scripts["CJK"]:
        scripts["HIRAGANA"] = kana + scripts.pop("CJK", 0)
    most = scripts.most_common(1)
    return most[0][0] if most and most[0][1] else None


def _by_stop_words(text: str, candidates: tuple[str, ...], expected: str) -> str | None:
    """Return the candidate whose stop words a text has, unless it has those of the expected language too."""
    words = set(terms_of(text))
    if len(words) < FEWEST_WORDS:
        return None
    line = " ".join(words)
    own = _share(line, len(words), expected) if expected in candidates else 0.0
    if own >= SURE_SHARE:
        return None
    shares = {name: _share(line, len(words), name) for name in candidates if name != expected}
    best = max(shares, key=lambda name: shares[name], default=None)
    if best is not None and shares[best] >= max(CLEAR_SHARE, 2 * own):
        return best
    # Polish, Czech, Vietnamese …: no list of stop words is at hand, but English has no such letters.
    foreign = sum(not word.isascii() for word in words) / len(words)
    unlike = expected == "english" and candidates == _LATIN and foreign >= CLEAR_SHARE
    return "another language" if unlike else None


def _share(line: str, words: int, language: str) -> float:
    return 1.0 - len(_without_stop_words(language).embed_query(line).indices) / words


@lru_cache(maxsize=len(_LATIN) + len(_OTHER_SCRIPTS) + 4)
def _without_stop_words(language: str) -> qdrant_edge.Bm25:
    import qdrant_edge

    return without_stems({getattr(qdrant_edge.Language, language.capitalize())})


def without_stems(languages: set[qdrant_edge.Language]) -> qdrant_edge.Bm25:
    """Return what counts words as they are written, but for the stop words of some languages."""
    import qdrant_edge

    return qdrant_edge.Bm25(
        qdrant_edge.Bm25Config(
            tokenizer=qdrant_edge.TokenizerType.Whitespace,
            stemmer=qdrant_edge.DisabledStemmer(),
            stopwords=qdrant_edge.StopwordsSet(languages=languages, custom=set()),
        )
    )
