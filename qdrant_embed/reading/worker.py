"""The process that parses heavy formats: `python -m qdrant_embed.reading.worker`, spoken to through its pipes.

It may hang, crash or eat memory: it is killed, and only the file at hand is lost. It is a plain subprocess rather than
one of `multiprocessing`, which would import the user's main module again and needs a guard there.
"""

from __future__ import annotations

import faulthandler
import json
import os
from contextlib import suppress
from typing import BinaryIO

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.formats import parse
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.pipe import receive, send
from qdrant_embed.types import Json

MEMORY_LIMIT = 4 * 2**30
"""Bytes of address space; a bomb that unpacks to more ends as an error of its file."""

ORPHAN_GRACE = 5.0
"""Seconds after which a worker ends itself when the process that should have killed it is gone."""


def main() -> None:
    """Answer requests until the other side closes the pipe."""
    requests, answers = _private_pipes()
    _limit_memory()
    send(answers, {"ready": True})
    with open(os.devnull, "w") as nowhere, suppress(EOFError, BrokenPipeError):  # noqa: PTH123
        while True:
            request, data = receive(requests)
            # A C thread keeps this time, so that it ends even a parser that never lets go of the interpreter.
            faulthandler.dump_traceback_later(request["timeout"] + ORPHAN_GRACE, exit=True, file=nowhere)
            answer = _answer(request["extension"], data, request["name"])
            faulthandler.cancel_dump_traceback_later()
            send(answers, answer)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from `stdin` and `stdout`, where a parser that prints would break the protocol."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    return requests, answers


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, hard))


def _answer(extension: str, data: bytes, name: str) -> dict[str, Json]:
    try:
        return _as_json(parse(extension, data, name))
    except ReadError as error:
        return {"error": error.reason}
    except (TypeError, ValueError) as error:
        return {"error": f"its reader returned something that is no JSON: {error}"}


def _as_json(parsed: Parsed) -> dict[str, Json]:
    answer = {
        "text": clean(parsed.text),
        "title": parsed.title,
        "text_type": parsed.text_type,
        "metadata": dict(parsed.metadata),
        "page_starts": list(parsed.page_starts),
        "notes": [clean(note) for note in parsed.notes],
        "guessed_encoding": parsed.guessed_encoding,
    }
    json.dumps(answer)
    return answer


if __name__ == "__main__":
    main()
