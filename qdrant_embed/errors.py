"""Everything that this library raises on purpose; each message says what came, what was expected and what to type.

All errors are `QdrantEmbedError`: a value that makes no sense is a `ConfigurationError`, a document that cannot be read
a `ReadError`, what a model or its server does a `ModelError`, what the engine refuses a `StoreError`, and a package
that is not installed a `MissingExtraError`. What ends in `Warning` is a warning.
"""

from __future__ import annotations

import difflib
import reprlib
import sys
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence

from qdrant_embed.display import printable


class QdrantEmbedError(Exception):
    """Base of every error this library raises on purpose."""

    def __str__(self) -> str:
        # A message may name files and quote what they hold.
        return printable(super().__str__())


class ConfigurationError(QdrantEmbedError, ValueError):
    """A setting is unknown, malformed or contradicts another."""


_LISTED_AT_MOST = 30


class UnknownNameError(ConfigurationError):
    """A name that is not registered; near ones are listed.

    :param kind: What the name should have named, e.g. `"chunker"`.
    :param name: What came.
    :param known: Every name that would have done.
    :param spellings: What else a known name is called elsewhere → that name.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], spellings: Mapping[str, str] | None = None) -> None:
        names = sorted(known)
        near = near_names(name, names, spellings or {})
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        listed = ", ".join(names) or "none"
        if len(names) > _LISTED_AT_MOST:
            listed = f"{len(names)} names{'; type: qdrant-embed models' if kind == 'model' else ''}"
        super().__init__(f"unknown {kind} {name!r}.{hint} Known: {listed}.")
        self.kind, self.name, self.known = kind, name, tuple(names)


def near_names(name: str, known: Sequence[str], spellings: Mapping[str, str], cutoff: float = 0.5) -> list[str]:
    """Return the known names that are spelled like another, the nearest first; capitals do not matter.

    :param spellings: What else a known name is called elsewhere → that name.
    """
    named = {**{other.lower(): one for other, one in spellings.items()}, **{one.lower(): one for one in known}}
    if name.lower() in named:
        return [named[name.lower()]]
    most = 5 if len(known) > _LISTED_AT_MOST else 3
    found = difflib.get_close_matches(name.lower(), named, n=2 * most, cutoff=cutoff)
    found.sort(key=lambda other: not other.startswith(name.lower()))  # what was only cut short comes first
    return list(dict.fromkeys(named[other] for other in found))[:most]


def require_keywords(what: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse keywords that nothing would be done with.

    :param what: Whose they are, e.g. `QdrantEmbedEmbedding`.
    :raises UnknownNameError: One is not known; near ones are listed.
    """
    for keyword in given:
        if keyword not in known:
            raise UnknownNameError(f"keyword of {what}", keyword, known)


def require_type(name: str, value: object, kind: type | tuple[type, ...], wanted: str) -> None:
    """Refuse an argument of a wrong type here, where its name is known, instead of deep inside.

    :param wanted: What to give.
    :raises ConfigurationError: It is of no such type.
    """
    if not isinstance(value, kind):
        raise ConfigurationError(f"{name}={reprlib.repr(value)} is of type {type(value).__name__}; give {wanted}.")


class RecipeMismatchError(ConfigurationError):
    """A collection was made with one recipe and is opened with another; the differing lines are listed."""


class MissingExtraError(QdrantEmbedError, ImportError):
    """An optional package is needed and not installed.

    :param what: What the user asked for.
    :param package: The importable package that is missing.
    :param install: What to pass to `pip install`.
    :param hint: What to say after that.
    """

    def __init__(self, what: str, package: str, install: str, hint: str = "") -> None:
        super().__init__(
            f"{what} needs the package {package!r}, which is not installed. Type: pip install '{install}'{hint}"
        )


class ReadError(QdrantEmbedError):
    """One document cannot be read; the run goes on without it.

    :param reason: One sentence for the report.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ModelError(QdrantEmbedError):
    """A model cannot be loaded, or what it returned cannot be used."""


class ForkedError(ModelError):
    """A process was forked from one that has used a native library, whose threads a fork does not copy."""


class TextTooLongError(ModelError):
    """A text is longer than the model's window and the window strategy is `error`."""


class ApiError(ModelError):
    """The server of a model refused, or could not be reached, for some texts or all.

    :param places: Which texts have no vector, counted from 0 in the order given.
    """

    def __init__(self, message: str, places: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.places = places


class StoreError(QdrantEmbedError):
    """The vector engine refused, or could not be reached."""


class CollectionNotFoundError(StoreError, ValueError):
    """There is no such collection at this location."""


class CollectionExistsError(StoreError, ValueError):
    """There is already a collection, or an alias, of this name."""


class AccessDeniedError(StoreError):
    """The key that was given, or the lack of one, does not allow what was asked for."""


class DamagedError(StoreError):
    """The files of a collection cannot be read; it can be restored from a copy, or removed."""


class LocationLockedError(StoreError):
    """Another process holds the folder, and cannot be asked to answer this one.

    :param pid: Its process id, None if it could not be found out.
    """

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class DiskFullError(StoreError):
    """There is no room on the disk for what shall be written; what was stored is kept."""


class LimitError(StoreError):
    """A limit that a server sets for a collection, in its strict mode, forbids what was asked.

    :param limit: The server's name of it: `max_query_limit`, for one.
    """

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class UnsupportedByEngineError(StoreError):
    """The feature exists in Qdrant, but not on the engine in use; the message names one that has it."""


class FilterWarning(UserWarning):
    """A filter names a field that no document of the collection has; near names are listed."""


class ForeignPointsWarning(UserWarning):
    """Another program wrote points into a collection, which are left out; given once for each handle."""


class IndexWarning(UserWarning):
    """A collection was made without an index that is asked for: it was made now, or cannot be; which, is said."""


class LimitWarning(UserWarning):
    """A limit that a server sets for a collection changes what is done; given once for each limit and collection."""


class RerankWarning(UserWarning):
    """A reranker finds nothing in the hits that it could rank by, and leaves them as they are."""


class UnreadableWarning(UserWarning):
    """A file of a corpus that something is trained on cannot be read and is left out; the reason is given."""


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the line outside this package that led here, through however many of our own functions."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "qdrant_embed":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def first_line(error: Exception) -> str:
    """Return what an error says first, without its full stop, or its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
