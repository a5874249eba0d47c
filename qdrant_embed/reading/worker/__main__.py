"""The process that reads files: `python -m qdrant_embed.reading.worker`, spoken to through its pipes.

It may hang, crash or eat memory: it is killed, and only the file at hand is lost. It is a plain subprocess rather than
one of `multiprocessing`, which would import the user's main module again and needs a guard there. It imports little,
since it starts again after every file that ended it.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.contents import open_file, read_file, why
from qdrant_embed.reading.formats import load, parse
from qdrant_embed.reading.growth import growth_limit, require_bearable
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.text_encoding import Assumed, assumed_encoding
from qdrant_embed.reading.worker.messages import receive, send
from qdrant_embed.reading.worker.stream import text_stream
from qdrant_embed.types import Json

ORPHAN_GRACE = 5.0
"""Seconds after which a worker ends itself when the process that should have killed it is gone."""
LONGEST_ALARM = 1e8
"""Seconds; a longer time limit is none."""
PART = 2**20
"""Characters of a text that are sent at once; the other side asks for more when it has dealt with them."""
NOTHING = b" \t\r\n\f\v\0\xef\xbb\xbf\xff\xfe"
"""Bytes of a file that is empty but for white space and a byte order mark."""


def main() -> None:
    """Answer requests until the other side closes the pipe."""
    # An interrupt of the terminal is for the other side, which ends this process when it is done with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = _private_pipes()
    send(answers, {"ready": True})
    loaded: set[str] = set()
    with suppress(EOFError, BrokenPipeError):
        while True:
            request, _ = receive(requests)
            limits = request["limits"]
            _limit_memory(limits["memory"])
            for path in request["files"]:
                _serve(path, limits, requests, answers, loaded)


def _serve(path: str, limits: dict[str, Json], requests: BinaryIO, answers: BinaryIO, loaded: set[str]) -> None:
    """Answer for one file; what its reader imports is told apart, since that is no fault of the file.

    :param loaded: Extensions whose readers are imported.
    """
    name = os.path.basename(path)  # noqa: PTH119
    extension = os.path.splitext(name)[1].lower()  # noqa: PTH122
    if extension not in loaded:
        loaded.add(extension)
        send(answers, {"loading": True})
        with suppress(Exception):  # said by the reader, with what to install
            load(extension)
        send(answers, {"loaded": True})
    with _alarm(limits["seconds"]):
        answer, parts = _answer(path, extension, name, limits)
    _send_parts(answer, parts, limits, requests, answers)


def _send_parts(
    answer: dict[str, Json], parts: Iterator[str], limits: dict[str, Json], requests: BinaryIO, answers: BinaryIO
) -> None:
    """Send the answer with the first part of the text, and every other part when it is asked for."""
    part: str | None = ""
    first = True
    while part is not None:
        try:
            with _alarm(limits["seconds"]):
                part = next(parts, "") if first else part
                following = next(parts, None)
        except ReadError as error:
            answer, part, following = {"error": error.reason}, "", None
        send(answers, {**answer, "more": following is not None}, (part or "").encode())
        if following is None or not receive(requests)[0]["more"]:
            return
        answer, part, first = {}, following, False


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """End this process when the other side should have done so long ago."""
    # The system keeps this time, and ends even a parser that never lets go of the interpreter.
    limited = seconds < LONGEST_ALARM and hasattr(signal, "setitimer")
    if limited:
        signal.setitimer(signal.ITIMER_REAL, seconds + ORPHAN_GRACE)
    yield
    if limited:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from `stdin` and `stdout`, where a parser that prints would break the protocol."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    return requests, answers


def _limit_memory(limit: int) -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if soft != limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _answer(path: str, extension: str, name: str, limits: dict[str, Json]) -> tuple[dict[str, Json], Iterator[str]]:
    try:
        with assumed_encoding(limits["encoding"]) as assumed, ExitStack() as opened:
            file = opened.enter_context(open_file(path))
            stream = text_stream(file, extension, name, limits["bytes"])
            if stream is not None:
                opened.pop_all()  # the parts are read from the file later
                return {**_as_json(stream.parsed), "hash": stream.hash}, stream.parts
            return _whole(read_file(file, limits["bytes"]), extension, name, limits["characters"], assumed)
    except ReadError as error:
        return {"error": error.reason}, iter(())
    except OSError as error:
        return {"error": f"cannot be opened: {why(error)}"}, iter(())
    except MemoryError:
        return {"error": "reading it needs more memory than there is or is allowed"}, iter(())
    except (TypeError, ValueError) as error:
        return {"error": f"its reader returned something that is no JSON: {clean(str(error))}"}, iter(())


def _whole(
    data: bytes, extension: str, name: str, characters: int, assumed: Assumed
) -> tuple[dict[str, Json], Iterator[str]]:
    """Return the answer for a file whose bytes are held; its hash tells the encoding that was assumed for them, too."""
    with growth_limit(max(characters, len(data))):
        parsed = parse(extension, data, name)
        require_bearable(len(parsed.text))
    text = clean(parsed.text)
    answer = _as_json(parsed)
    if not (text.strip() or parsed.notes) and data.strip(NOTHING):
        answer["notes"].append("no text was found in it")
    digest = hashlib.blake2b(data, digest_size=16)
    if assumed.used:
        digest.update(b"\0" + assumed.codec.encode())
    parts = (text[start : start + PART] for start in range(0, len(text), PART))
    return {**answer, "hash": digest.hexdigest()}, parts


def _as_json(parsed: Parsed) -> dict[str, Json]:
    answer = {
        "title": parsed.title,
        "text_type": parsed.text_type,
        "media_type": parsed.media_type,
        "metadata": dict(parsed.metadata),
        "page_starts": list(parsed.page_starts),
        "notes": [clean(note) for note in parsed.notes],
        "guessed_encoding": parsed.guessed_encoding,
    }
    json.dumps(answer)
    return answer


if __name__ == "__main__":
    main()
