"""Patterns of texts: `*` stands for any characters, slashes too, and `**/` for any folders or none."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ESCAPED = r"\*"
_TOKENS = re.compile(r"(\\\*|\*\*/|\*+)")


@dataclass(frozen=True, slots=True)
class Pattern:
    r"""A text with stars; `\*` in it means the star itself.

    :param tokens: Literal texts, and `*` or `**/` where these stand for others.
    """

    text: str
    tokens: tuple[tuple[str, bool], ...]

    @staticmethod
    def is_one(text: str) -> bool:
        """Tell whether a text has a star that stands for other characters."""
        return "*" in text.replace(_ESCAPED, "")

    @staticmethod
    def literal(text: str) -> str:
        r"""Return the text that one without such a star means: `\*` is the star itself."""
        return text.replace(_ESCAPED, "*") if "*" in text else text

    @staticmethod
    def escaped(text: str) -> str:
        """Return the text that means this one, star by star."""
        return text.replace("*", _ESCAPED)

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Read a pattern."""
        tokens: list[tuple[str, bool]] = []
        for part in filter(None, _TOKENS.split(text)):
            if part == _ESCAPED or not part.startswith("*"):
                tokens.append((part.replace(_ESCAPED, "*"), False))
            else:
                # Folders can only begin where a name can.
                at_folder = not tokens or (not tokens[-1][1] and tokens[-1][0].endswith("/"))
                tokens.append(("**/" if part == "**/" and at_folder else "*", True))
                if part == "**/" and not at_folder:
                    tokens.append(("/", False))
        return cls(text, tuple(tokens))

    @property
    def beginning(self) -> str:
        """What every text that matches begins with."""
        plain = []
        for token, special in self.tokens:
            if special:
                break
            plain.append(token)
        return "".join(plain)

    @property
    def prefix(self) -> str | None:
        """What the texts begin with, if nothing else is asked of them; else None."""
        *before, (last, special) = self.tokens
        only = special and last == "*" and not any(special for _, special in before)
        return self.beginning if only else None

    def matches(self, text: str) -> bool:
        """Tell whether a whole text matches; in time that grows with its length, whatever the pattern."""
        reached = {0}
        for part, special in self.tokens:
            if not special:
                reached = {place + len(part) for place in reached if text.startswith(part, place)}
            elif part == "*":
                reached = set(range(min(reached), len(text) + 1))
            else:
                first = min(reached)
                reached |= {place + 1 for place, sign in enumerate(text) if sign == "/" and place >= first}
            if not reached:
                return False
        return len(text) in reached
