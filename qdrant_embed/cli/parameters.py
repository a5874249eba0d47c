"""The flags, each a type that a command's parameter can have."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from shlex import quote
from typing import Annotated, Any

import typer

# Defaults are repeated here because asking the library for them would make `--help` import it; a test compares them.
DEFAULT_COLLECTION = "documents"
DEFAULT_LOCATION = "./qdrant_data"
DEFAULT_MODEL = "minilm"
MAX_FILE_MB = 50.0
FILE_TIMEOUT = 60.0
PATIENCE = 300.0
SHOWN = 600
"""Characters of a passage in a table, unless all are asked for."""

_RECIPE = "Recipe: kept with the collection, so that later runs need none of these"
_SERVER = "Server: said when a collection is made there, and kept with it"
_FILES = "Files"
_DELETING = "Deleting"


def _in_panel(panel: str, *names: str, help: str, usual: str | bool = True, metavar: str | None = None) -> Any:
    """Return a flag that help shows in a panel.

    :param names: As it is typed; left out, as the parameter is called.
    :param usual: What is said of its default, True for the default itself.
    """
    return typer.Option(*names, help=help, show_default=usual, metavar=metavar, rich_help_panel=panel)


_recipe, _server, _files, _deleting = (partial(_in_panel, panel) for panel in (_RECIPE, _SERVER, _FILES, _DELETING))

_place = {"collection": DEFAULT_COLLECTION, "at": DEFAULT_LOCATION}
"""Which collection the command at hand is about: what messages tell to type has to be about the same."""


def forget_place() -> None:
    """Begin another command, which may be about none."""
    _place.update(collection=DEFAULT_COLLECTION, at=DEFAULT_LOCATION)


def _noting(name: str) -> Callable[[str], str]:
    def note(value: str) -> str:
        _place[name] = value
        return value

    return note


At = Annotated[
    str,
    typer.Option(
        "--at",
        help="Where collections live: a folder, a server's URL, or :memory:.",
        metavar="LOCATION",
        callback=_noting("at"),
    ),
]
Name = Annotated[
    str,
    typer.Option("--collection", "-c", help="Name of the collection.", metavar="NAME", callback=_noting("collection")),
]
Attach = Annotated[
    str | None,
    typer.Option(
        "--attach",
        help="Model of a collection that another program wrote; auto takes the one it names, none searches by words.",
        metavar="MODEL",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else there.")]

Model = Annotated[str | None, _recipe("--model", "-m", help="Preset, folder or hub id.", usual=DEFAULT_MODEL)]
Chunker = Annotated[
    str | None, _recipe(help="auto, markdown, recursive, sentences, tokens, code, document (whole).", usual="auto")
]
ChunkTokens = Annotated[
    int | None,
    _recipe(help="Maximum tokens per chunk, prompt included.", usual="what the model reads, at most 512"),
]
Overlap = Annotated[int | None, _recipe(help="Tokens shared with the previous chunk.", usual="0")]
Window = Annotated[
    str | None,
    _recipe(
        help="For texts longer than the model: pcw, windows, windows:128, late, truncate, error, pi:4096+late …",
        usual="pcw",
    ),
]
Compression = Annotated[str | None, _recipe(help="What is stored: float32, 256d+float16, …", usual="float32")]
Runtime = Annotated[
    str,
    typer.Option(
        "--runtime",
        help="What runs the model: auto, openvino, openvino:int8, torch, torch:bf16, onnx …",
        metavar="NAME",
    ),
]
Language = Annotated[str | None, _recipe(help="Language of BM25's word stems.", usual="english")]
Layers = Annotated[int | None, _recipe(help="Number of transformer blocks to run, from the bottom.", usual="all")]
Task = Annotated[
    str | None,
    _recipe(help="One of the model's tasks, or an instruction of your own.", usual="the model's usual one"),
]
Sparse = Annotated[str | None, _recipe(help="Additional sparse model (SPLADE).", usual="none", metavar="NAME")]
Multivector = Annotated[
    str | None,
    _recipe(
        help="Multi-vector model (ColBERT) that reranks the results; self uses the dense model's own tokens.",
        usual="none",
        metavar="NAME",
    ),
]
Payload = Annotated[
    str | None,
    _recipe(help="Also store what the Qdrant store of llama-index or langchain reads.", usual="plain"),
]
Index = Annotated[
    list[str] | None,
    typer.Option(help="Index a metadata field to filter by, as team=keyword; repeatable.", metavar="FIELD=KIND"),
]

Shards = Annotated[int | None, _server(help="Number of shards.", usual="one for each node")]
Replicas = Annotated[int | None, _server(help="Replicas of each shard.", usual="the server's")]
WriteConsistency = Annotated[int | None, _server(help="Replicas that must confirm a write.", usual="the server's")]
PayloadOnDisk = Annotated[
    bool | None,
    _server(
        "--payload-on-disk/--payload-in-memory",
        help="Where payloads are kept.",
        usual="the server's",
    ),
]

RootLabel = Annotated[
    list[str] | None,
    _files(
        "--root",
        help="Label of the folder; repeat it once per path, in order.",
        usual="its name",
        metavar="LABEL",
    ),
]
Include = Annotated[list[str] | None, _files(help="Only files that match this pattern, as in .gitignore.")]
Exclude = Annotated[list[str] | None, _files(help="No files that match this pattern, as in .gitignore.")]
MaxFileMb = Annotated[float, _files(help="Size limit in MB; larger files are listed as failed.")]
Timeout = Annotated[float, _files(help="Time limit in seconds for reading one file.")]
Encoding = Annotated[
    str,
    _files(
        help="Encoding of files that are not UTF-8 and do not name their own, such as windows-1251.",
        usual="guessed of each file",
        metavar="NAME",
    ),
]
Force = Annotated[bool, _files("--force", help="Read files again even if size and modification time are unchanged.")]
ListSkipped = Annotated[bool, _files("--list-skipped", help="List the files that were skipped.")]
AcceptFailed = Annotated[
    list[str] | None, _files(help="Files that match may fail without changing the exit code.", metavar="PATTERN")
]
Patience = Annotated[
    float, typer.Option(help="Seconds to wait for a server that becomes unreachable.", metavar="SECONDS")
]
Prune = Annotated[bool, _deleting("--prune", help="Delete documents that --include and --exclude now leave out.")]
AllowDelete = Annotated[bool, _deleting("--allow-delete", help="Allow deleting most of a folder's documents.")]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Read, chunk, count, and list what would be embedded and deleted; change nothing."),
]


class ProgressKind(StrEnum):
    """How progress is shown on stderr."""

    AUTO = "auto"
    BAR = "bar"
    PLAIN = "plain"
    NONE = "none"


Progress = Annotated[
    ProgressKind, typer.Option(help="auto shows a bar on a terminal, otherwise a line every ten seconds.")
]

_WORDS = {
    "ReadOptions.max_file_bytes": "--max-file-mb",
    "ReadOptions.file_timeout": "--timeout",
}
_SETTINGS = (
    "allow_delete", "prune", "force", "dry_run", "include", "exclude", "encoding", "root", "chunk_tokens", "overlap",
    "window", "compression", "language", "layers", "task", "sparse", "multivector", "payload", "runtime",
    "shards", "replicas", "write_consistency",
)  # fmt: skip
"""Arguments whose flags have their names."""

_BYTES = re.compile(r"([\d,]+) bytes, the limit is ([\d,]+)")
_LIMIT = re.compile(r"\b(file_timeout|max_file_bytes)=(\S+) (reads nothing; give a positive number, )math\.inf")
_QUOTED = r"(?:[^()'\"]|'[^']*'|\"[^\"]*\")"
_CALL = re.compile(rf"\b[A-Za-z_.]+\({_QUOTED}*\) \((qdrant-embed {_QUOTED}+)\)")
"""A call, and the command for it in parentheses."""
_VALUE = r"(?:True|…|-?\d+|'[^']*'|\('[^']*',\))"
_ASSIGNED = rf"(?:{'|'.join(_SETTINGS)})={_VALUE}"
_IN_RECIPE = re.compile(rf"\bRecipe\((?:…, )?({_ASSIGNED}(?:, {_ASSIGNED})*)\)")
_SETTING = re.compile(rf"(?<![\w.(/-])({'|'.join(_SETTINGS)})=({_VALUE})")


def in_flags(text: str) -> str:
    """Return a message that names Python's arguments or calls with the flags and commands that do the same."""
    for word, flag in _WORDS.items():
        text = text.replace(word, flag)
    text = _LIMIT.sub(lambda found: f"{_limit(found[1], float(found[2]))} {found[3]}inf", text)
    text = _CALL.sub(lambda found: _there(found[1]), text)
    text = _IN_RECIPE.sub(lambda found: found[1].replace(", ", " "), text)
    text = _SETTING.sub(lambda found: _flag(found[1], found[2]), text)
    return _BYTES.sub(lambda found: f"{_mb(found[1])} MB, the limit is {_mb(found[2])} MB", text)


def place_flags(collection: str, at: str) -> str:
    """Return the flags for a collection and its location, each with a space before it; none for what is usual."""
    named = f" --collection {quote(collection)}" if collection != DEFAULT_COLLECTION else ""
    return named + (f" --at {quote(at)}" if at != DEFAULT_LOCATION else "")


def _there(command: str) -> str:
    """Return a command that is about the collection of the one that is running."""
    named = DEFAULT_COLLECTION if "--collection " in command else _place["collection"]
    return command + place_flags(named, _place["at"])


def _flag(name: str, value: str) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value == "True":
        return flag
    return f"{flag} {value if value == '…' else quote(value.strip('(,)').strip(chr(39)))}"


def _limit(name: str, value: float) -> str:
    return f"--timeout {value:g}" if name == "file_timeout" else f"--max-file-mb {value / 2**20:g}"


def _mb(number: str) -> str:
    return f"{int(number.replace(',', '')) / 2**20:,.2f}".removesuffix("0").removesuffix(".0")
