"""Where a page of documents ends, as a text to be handed back: it says a place, so that it outlives what changes."""

from __future__ import annotations

import base64
import json

from qdrant_embed.errors import ConfigurationError

LONGEST = 20_000
"""Characters of a root or a source that a cursor holds; behind longer ones it stands behind all that begin alike."""
MOST_CURSOR = 4 * 4 * (2 * LONGEST + 10) // 3
_LAST = "\U0010ffff"


def cursor_at(place: tuple[str, str]) -> str:
    """Return the cursor behind a root and a source."""
    held = [one if len(one) <= LONGEST else one[:LONGEST] + _LAST for one in place]
    return base64.urlsafe_b64encode(json.dumps(held, ensure_ascii=False).encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[str, str]:
    """Return the root and the source that a cursor stands behind.

    :raises ConfigurationError: It is none.
    """
    try:
        root, source = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(root, str) or not isinstance(source, str):
            raise TypeError
    except (ValueError, TypeError, RecursionError):
        raise ConfigurationError("this is no cursor; give next_cursor of the page before, or leave it out.") from None
    return root, source
