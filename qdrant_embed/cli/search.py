"""`qdrant-embed search`: passages for a question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qdrant_embed.cli import options
from qdrant_embed.cli.opening import open_stored
from qdrant_embed.cli.output import results, write_json

if TYPE_CHECKING:
    from qdrant_embed.types import Json


class Mode(StrEnum):
    """How passages are ranked."""

    HYBRID = "hybrid"
    DENSE = "dense"
    BM25 = "bm25"
    SPARSE = "sparse"
    MULTIVECTOR = "multivector"


def search(  # noqa: PLR0913 - one parameter for each flag
    query: Annotated[str, typer.Argument(help="The question.")],
    *,
    at: options.At = options.DEFAULT_LOCATION,
    collection: options.Name = options.DEFAULT_COLLECTION,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Number of passages.")] = 5,
    mode: Annotated[Mode, typer.Option(help="Meanings, words, or all that there is.")] = Mode.HYBRID,
    filter: Annotated[
        list[str] | None,
        typer.Option(help="key=value ('guide/*' for a prefix) or JSON; repeatable, all must hold."),
    ] = None,
    min_score: Annotated[float | None, typer.Option(help="Leave out weaker hits; the scale is the mode's.")] = None,
    runtime: options.Runtime = "auto",
    as_json: options.AsJson = False,
) -> None:
    """Print the best passages for a question, best first."""
    where = parse_filters(filter or ())
    with open_stored(collection, at, runtime) as docs:
        hits = docs.search(query, k, filter=where, mode=mode.value, min_score=min_score)
    if as_json:
        asked = {"query": query, "collection": collection, "at": at, "mode": mode.value, "k": k, "filter": where}
        write_json({**asked, "hits": [hit.as_dict() for hit in hits]})
    else:
        results().print(hits)


def parse_filters(given: Sequence[str]) -> dict[str, Json] | None:
    """Read `--filter` values: `page=3`, `source=guide/*`, or a JSON object; several must all hold.

    :raises typer.BadParameter: One is neither.
    """
    parsed = [_parse_filter(text) for text in given]
    if len(parsed) < 2:
        return parsed[0] if parsed else None
    return {"all": parsed}


def _parse_filter(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise typer.BadParameter(f"{text!r} is not valid JSON: {error}", param_hint="--filter") from None
        return dict(found)
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise typer.BadParameter(
            f"""{text!r} is neither key=value nor JSON. Examples: source=guide/*, '{{"page": {{"gte": 3}}}}'.""",
            param_hint="--filter",
        )
    return {key.strip(): _value(value.strip())}


def _value(text: str) -> Json:
    """Take numbers, true, false, null and quoted texts as JSON does, everything else as text."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value if isinstance(value, str | int | float | None) else text
