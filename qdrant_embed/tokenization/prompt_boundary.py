"""Where prompt and text can be tokenized apart with the same result, so that the chunker's work on the text counts.

In training both were tokenized together, and a token may reach over the boundary. It cannot where the tokenizer first
splits at spaces and the prompt ends with one: so it is with WordPiece, and SentencePiece by words, not byte-level BPE.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_AT_SPACES = ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")
_PROBES = ("word", "Two Words, 3 signs!", "Größe 統一", "# title\n\n- item")
_LEANING = ("Mn", "Mc", "Me", "Cc", "Cf", "Cs", "Sk", "Zs", "Zl", "Zp")
"""Categories of characters that may belong to what stands before them, or are spaces."""


@dataclass(frozen=True, slots=True)
class PromptBoundary:
    """A prompt that texts can be joined to.

    :param head: Its token ids.
    :param space: The token that is nothing but the space between; where a text begins with it, it is the prompt's.
    :param taken_out: Tokens that are taken out of the raw text first, and so change what the space before them becomes.
    """

    head: Sequence[int]
    space: int | None
    taken_out: tuple[str, ...]

    def fits(self, text: str) -> bool:
        """Tell whether a text's own tokens are those that it has behind the prompt."""
        return bool(text) and unicodedata.category(text[0]) not in _LEANING and not text.startswith(self.taken_out)

    def join(self, ids: Sequence[int]) -> tuple[Sequence[int], int]:
        """Return the tokens of prompt and text, and how many of them are the prompt's."""
        return [*self.head, *ids], len(self.head) + (len(ids) > 0 and ids[0] == self.space)


def prompt_boundary(tokenizer: Tokenizer, prompt: str) -> PromptBoundary | None:
    """Return the boundary behind a prompt, or None where a token may reach over it."""
    added = tokenizer.get_added_tokens_decoder().values()
    # Tokens that hold a space, or that are not seen in the raw text, may reach over it.
    reaches_over = any(" " in token.content or token.normalized for token in added)
    if not prompt.endswith(" ") or prompt[:-1] != prompt.rstrip() or reaches_over:
        return None
    steps = list(_steps(tokenizer.pre_tokenizer))
    by_words = bool(steps) and steps[-1]["type"] == "Metaspace" and steps[-1].get("split", True)
    begun = by_words and steps[-1].get("prepend_scheme", "always") != "never"
    if not (begun or (steps and steps[0]["type"] in _AT_SPACES and not by_words)):
        return None
    head = _ids(tokenizer, prompt[:-1])
    # That is how it is made; whether it is so, is seen.
    if all(_ids(tokenizer, prompt + text) == [*head, *_ids(tokenizer, text)] for text in _PROBES):
        taken_out = tuple(token.content for token in added)
        return PromptBoundary(head, tokenizer.token_to_id(steps[-1]["replacement"]) if by_words else None, taken_out)
    return None


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def _steps(pre_tokenizer: Any) -> Iterator[dict[str, Any]]:
    stated = json.loads(pre_tokenizer.__getstate__()) if pre_tokenizer is not None else {}
    yield from stated.get("pretokenizers", [stated] if stated else [])
