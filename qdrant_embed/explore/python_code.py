"""What was done on the page, as Python code to copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qdrant_embed.types import Json

MOST_IDS = 1000
"""Ids that are written out."""


def of_search(name: str, given: Mapping[str, Json], where: Any) -> str:
    """Return the call that finds the same passages; texts stand there as Python's literals, whatever they hold."""
    options = [f"k={given.get('k', 10)!r}"]
    options += [f"mode={given['mode']!r}"] if given.get("mode") not in (None, "", "hybrid") else []
    options += [f"filter={where!r}"] if where and isinstance(where, dict) else []
    options += [f"offset={given['offset']!r}"] if given.get("offset") else []
    options += ["group_by='document'"] if given.get("by_document") else []
    options += [f"rerank={given['rerank']!r}"] if given.get("rerank") else []
    more = "" if where is None or isinstance(where, dict) else "\n# of these hits, those that were selected in the map"
    return f"{_opened(name)}hits = docs.search({given.get('query', '')!a}, {', '.join(options)}){more}\n"


def of_ids(name: str, ids: Sequence[str]) -> str:
    """Return the call that fetches chunks by their ids."""
    listed = "".join(f"    {one!r},\n" for one in ids[:MOST_IDS])
    more = f"    # … and {len(ids) - MOST_IDS:,} more\n" if len(ids) > MOST_IDS else ""
    return f"{_opened(name)}chunks = docs.get([\n{listed}{more}])\nchunks.to_pandas()\n"


def _opened(name: str) -> str:
    return f"from qdrant_embed import Collection\n\ndocs = Collection.open({name!a}, at=…)\n"
