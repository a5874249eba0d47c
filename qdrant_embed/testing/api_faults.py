"""The ways in which a server of embeddings fails, as functions of the answer that it would have given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from qdrant_embed.types import Json

FOREVER = 3600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer about to be sent.

    :param raw: Sent instead of the body.
    :param after: Seconds before anything is sent.
    :param cut: Whether the connection closes half way.
    :param drip: Bytes sent at once, 0 for all.
    :param pause: Seconds between them.
    """

    status: int
    headers: Mapping[str, str]
    body: dict[str, Json]
    raw: bytes | None = None
    after: float = 0.0
    cut: bool = False
    drip: int = 0
    pause: float = 0.0


def _error(status: int, message: str, **headers: str) -> Callable[[Reply, Mapping[str, str]], Reply]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda reply, request: Reply(status, named, {"error": {"message": message}})


def _too_many_until(reply: Reply, request: Mapping[str, str]) -> Reply:
    until = datetime.now(UTC) + timedelta(seconds=1)
    return Reply(429, {"Retry-After": format_datetime(until, usegmt=True)}, {"error": {"message": "too many requests"}})


def _echo(reply: Reply, request: Mapping[str, str]) -> Reply:
    """Refuse and repeat the key, as careless servers do, in front of much else."""
    told = request.get("authorization", "")
    return Reply(401, {}, {"error": {"message": f"Incorrect API key provided: {told}. " + "x" * 400}})


def _rows(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[..., Reply]:
    """Change the rows of an answer of the OpenAI kind, or the vectors of one of Cohere's."""

    def changed(reply: Reply, request: Mapping[str, str]) -> Reply:
        if "data" in reply.body:
            return replace(reply, body={"data": change(reply.body["data"])})
        rows = [{"embedding": vector} for vector in reply.body["embeddings"]["float"]]
        return replace(reply, body={"embeddings": {"float": [row["embedding"] for row in change(rows)]}})

    return changed


def _with_first(rows: list[dict[str, Any]], embedding: Any) -> list[dict[str, Any]]:
    return [{**rows[0], "embedding": embedding}, *rows[1:]]


FAULTS: Mapping[str, Callable[[Reply, Mapping[str, str]], Reply]] = {
    "429": _error(429, "too many requests", Retry_After="0.02"),
    "429-date": _too_many_until,
    "429-long": _error(429, "too many requests", Retry_After="86400"),
    "quota": _error(429, "You exceeded your current quota, please check your plan and billing details."),
    "413": _error(413, "payload too large"),
    "length": _error(400, "This model's maximum context length is 8192 tokens, however you requested more."),
    "400": _error(400, "the input is not to my taste"),
    "task": _error(422, "body.task: Extra inputs are not permitted"),
    "encoding": _error(422, "encoding_format: unknown value 'base64'"),
    "401": _echo,
    "404": _error(404, "no such model"),
    "500": _error(500, "internal error"),
    "500-time": _error(500, "upstream request exceeded the time limit"),
    "500-large": _error(500, "input is too large to process. increase the physical batch size"),
    "429-large": _error(429, "Request too large on tokens per min (TPM). The input tokens must be reduced."),
    "503": _error(503, "overloaded"),
    "hang": lambda reply, request: replace(reply, after=FOREVER),
    "slow": lambda reply, request: replace(reply, after=0.05),
    "drip": lambda reply, request: replace(reply, drip=16, pause=0.05),
    "cut": lambda reply, request: replace(reply, cut=True),
    "json": lambda reply, request: replace(reply, raw=b'{"data": [{"index": 0, "embedd'),
    "html": lambda reply, request: replace(reply, raw=b"<html>welcome to our proxy</html>"),
    "empty": lambda reply, request: replace(reply, raw=b""),
    "reordered": _rows(lambda rows: rows[::-1] if "index" in rows[0] else rows),
    "few": _rows(lambda rows: rows[:-1]),
    "many": _rows(lambda rows: [*rows, rows[-1]]),
    "twice": _rows(lambda rows: [rows[0], *rows[:-1]]),
    "dims": _rows(lambda rows: [{**row, "embedding": [0.5] * 3} for row in rows]),
    "nan": _rows(lambda rows: _with_first(rows, [float("nan")] * 16)),
    "null": _rows(lambda rows: _with_first(rows, [None] * 16)),
    "words": _rows(lambda rows: _with_first(rows, "not base64!")),
    "moved": lambda reply, request: Reply(308, {"Location": "/v1/moved/embeddings"}, {}),
    "redirect": lambda reply, request: Reply(307, {"Location": "http://other.example/v1/embeddings"}, {}),
}
"""Name → how the answer is changed."""
