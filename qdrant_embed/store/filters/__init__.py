r"""Filters as people type them, turned into `qdrant_client.models.Filter`.

    {"source": "guide/*"}                         starts with; `*` stands for anything, anywhere: "*.pdf", "guide/*.md"
    {"source": r"notes\*.md"}                     exactly notes*.md; {"source": {"eq": "notes*.md"}} says the same
    {"source": ["a.md", "b.md"]}                  any of
    {"page": {"gte": 3, "lt": 9}}                 a range of numbers
    {"modified": {"gte": "2026-01-01"}}           a range of times
    {"media_type": {"not": "text/html"}}          anything but
    {"author": None}                              missing or empty
    {"text": {"words": "harbour crane"}}          holds these words, in any order; "phrase": in this one
    {"headings": "Install › Linux"}               under these headings, as hits show them
    {"any": [{…}, {…}]}, {"not": {…}}             combined; entries of one dict must all hold

A field that is not one of the payload's own (`PAYLOAD_FIELDS`) is looked for in the document's metadata;
`metadata.page` means the document's own field where both have one. Keys may hold any characters; one with dots means
the key itself or the way through nested dicts, whichever there is. 3 and 3.0 are the same number.

Files, in reading order: fields, patterns, filter_values, grammar, fallbacks, lookup, field_indexes.
"""

from qdrant_embed.store.filters.fallbacks import answerable
from qdrant_embed.store.filters.fields import METADATA, PAYLOAD_FIELDS, Field
from qdrant_embed.store.filters.grammar import MOST_NESTED, FilterLike, PlainFilter, both, to_filter, without
from qdrant_embed.store.filters.lookup import filter_of, warn_of_unknown_fields
from qdrant_embed.store.filters.patterns import Pattern

__all__ = [
    "METADATA",
    "MOST_NESTED",
    "PAYLOAD_FIELDS",
    "Field",
    "FilterLike",
    "Pattern",
    "PlainFilter",
    "answerable",
    "both",
    "filter_of",
    "to_filter",
    "warn_of_unknown_fields",
    "without",
]
