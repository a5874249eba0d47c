"""Finding files: what a path argument means, and a lazy walk that reports what it passes over."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qdrant_embed.errors import ConfigurationError, ReadError, require_type
from qdrant_embed.reading.charset.codepages import require_encoding
from qdrant_embed.reading.contents import why
from qdrant_embed.reading.formats import reason_to_skip
from qdrant_embed.reading.growth import TEXT_CHARACTERS
from qdrant_embed.reading.ignore_patterns import (
    MAGIC,
    Glob,
    IgnoreRules,
    PathPatterns,
    rules_above,
    rules_in,
    split_glob,
)
from qdrant_embed.reading.marks import DATABASE, database_entries, is_database_data, reason_not_to_read

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Which files are read, and the limits for each.

    :param include: Patterns as in `.gitignore`, relative to the folder; empty for every file that can be read.
    :param exclude: Patterns of the same form; a file that both match is left out.
    :param max_file_bytes: A larger file is reported as failed.
    :param file_timeout: Seconds that reading one file may take; `math.inf` for as long as it takes.
    :param max_text_characters: A file that becomes a longer text, and is itself smaller, is reported as failed.
    :param encoding: Encoding of files that are not UTF-8 and do not say which they are in; empty to guess it of each.
    :param hidden: Whether names that begin with a dot are read.
    :param gitignore: Whether `.gitignore` files are respected.
    :raises ConfigurationError: A limit is no positive number, patterns are one string, or there is no such encoding.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_file_bytes: float = 50 * 2**20
    file_timeout: float = 60.0
    max_text_characters: float = TEXT_CHARACTERS
    encoding: str = ""
    hidden: bool = False
    gitignore: bool = True

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ConfigurationError(f"{name}={value!r} is one string; give a tuple: {name}=({value!r},).")
            require_type(name, value, Iterable, f"a tuple of patterns: {name}=('*.md',)")
            object.__setattr__(self, name, tuple(value))
        if self.encoding:
            require_encoding(self.encoding)
        for name in ("max_file_bytes", "file_timeout", "max_text_characters"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not value > 0:
                raise ConfigurationError(
                    f"{name}={value!r} reads nothing; give a positive number, math.inf for no limit."
                )


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was found and not read yet.

    :param source: Path relative to the root, with `/` between names.
    :param size: Bytes.
    :param modified: Time of the last change, ISO 8601, UTC, microseconds; the first or the last that can be written so
        where the file's own is beyond it.
    """

    path: Path
    source: str
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder (its source ends with `/`) that the walk passed over.

    :param failed: Whether it was wanted and could not be looked at; what stands below it is unknown, not gone.
    """

    source: str
    reason: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """What a path argument means.

    :param folder: Absolute, symlinks resolved; sources are relative to it.
    :param pattern: The glob part, relative to the folder, if a glob was given.
    :param only: The file, if a single file was given.
    """

    folder: Path
    pattern: str | None = None
    only: SourceFile | None = None


def find_root(path: str | Path) -> Root:
    """Say what a folder, a file or a glob such as `docs/**/*.md` means.

    :raises ConfigurationError: There is no such file or folder, or it is what a vector database keeps there.
    :raises ReadError: It cannot be looked at.
    """
    if not str(path):
        raise ConfigurationError("'' is no path, perhaps of a variable that is not set; type '.' for this folder.")
    given = Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser fails where there is no such user
    kind = _kind(given)
    if kind and is_database_data(given.absolute()):
        raise ConfigurationError(f"{str(path)!r} is {DATABASE}, no documents. Give the folder of the documents.")
    if kind == "folder":
        return Root(given.resolve())
    if kind == "file":
        folder = given.parent.resolve()
        return Root(folder, only=_source_file(folder / given.name, safe_name(given.name)))
    above, pattern = split_glob(given)
    if pattern is not None and _kind(above) == "folder":
        return Root(above.resolve(), pattern)
    near = next(parent for parent in given.absolute().parents if os.path.isdir(parent))  # noqa: PTH112
    raise ConfigurationError(
        f"there is no file or folder {str(path)!r}: the last part of the path that exists is {near.name or '/'!r}. "
        "Give a folder, a file or a glob such as 'docs/**/*.md'."
    )


def _kind(path: Path) -> str:
    """Return `folder`, `file`, or nothing for what is not there."""
    try:
        os.stat(path)  # noqa: PTH116 - Path.is_dir takes every error for an absence
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return ""
    except OSError as error:
        if MAGIC & set(str(path)):
            return ""
        raise ReadError(f"{path.name!r} cannot be looked at: {why(error)}") from error
    return "folder" if path.is_dir() else "file" if path.is_file() else ""


def walk(root: Root, options: ReadOptions) -> Iterator[SourceFile | Skipped]:
    """Yield the files of a root, sorted by source, one folder being listed at a time.

    A file that was named itself is yielded whatever it is. Files that a glob does not match are not mentioned.

    :raises ReadError: The root folder cannot be listed.
    """
    if root.only is not None:
        yield root.only
    else:
        yield from _Walk(root, options).items()


def safe_name(name: str) -> str:
    """Return a file name that can be stored as UTF-8; bytes that are no UTF-8 are written as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file or folder that waits for its turn; `rules` are those of the folder it stands in."""

    path: Path
    source: str
    is_folder: bool
    is_link: bool
    rules: IgnoreRules | None = None


class _Walk:
    def __init__(self, root: Root, options: ReadOptions) -> None:
        self.root, self.options = root, options
        self.glob = Glob(root.pattern) if root.pattern is not None else None
        self.include = PathPatterns(options.include) if options.include else None
        self.exclude = PathPatterns(options.exclude) if options.exclude else None
        self.entered: set[tuple[int, int]] = set()

    def items(self) -> Iterator[SourceFile | Skipped]:
        """Walk depth first; only the entries of the folders that are open are held."""
        rules = rules_above(self.root.folder) if self.options.gitignore else None
        top = _Entry(self.root.folder, "", is_folder=True, is_link=False, rules=rules)
        try:
            listed = self._list(top)
        except OSError as error:
            raise ReadError(f"the folder {self.root.folder.name!r} cannot be listed: {why(error)}") from error
        own = database_entries(self.root.folder, {entry.name for entry in listed})
        waiting = self._entries(top, listed)
        while waiting:
            entry = waiting.pop()
            if self.glob is not None and not self.glob.matches(entry.source):
                continue
            try:
                reason = DATABASE if entry.source in own else self._reason_to_skip(entry)
                listed = self._list(entry) if reason is None and entry.is_folder else []
                if listed:
                    reason = reason_not_to_read(entry.path, {found.name for found in listed})
                if reason is not None:
                    yield Skipped(entry.source, reason)
                elif entry.is_folder:
                    waiting.extend(self._entries(entry, listed))
                else:
                    yield _source_file(entry.path, entry.source)
            except OSError as error:
                yield Skipped(entry.source, f"cannot be opened: {why(error)}", failed=True)

    def _list(self, folder: _Entry) -> list[os.DirEntry[str]]:
        status = folder.path.stat()
        self.entered.add((status.st_dev, status.st_ino))
        with os.scandir(folder.path) as entries:
            return list(entries)

    def _entries(self, folder: _Entry, listed: list[os.DirEntry[str]]) -> list[_Entry]:
        """Sort a folder's entries, last one first; a folder sorts as its name with `/`, which puts sources in order."""
        rules = folder.rules
        if self.options.gitignore:
            rules = rules_in(folder.path, {entry.name for entry in listed}, cut=len(folder.source), outer=rules)
        found = [(safe_name(entry.name) + "/" * _is_folder(entry), entry) for entry in listed]
        return [
            _Entry(Path(entry.path), folder.source + name, name.endswith("/"), entry.is_symlink(), rules)
            for name, entry in sorted(found, key=lambda pair: pair[0], reverse=True)
        ]

    def _reason_to_skip(self, entry: _Entry) -> str | None:
        name = entry.path.name
        if name == ".git":
            return "version control"
        if name.startswith(".") and not self.options.hidden:
            return "hidden"
        if entry.rules is not None and entry.rules.ignore(entry.source):
            return "ignored by .gitignore"
        if self.exclude is not None and self.exclude.match(entry.source):
            return "excluded"
        if entry.is_folder:
            return self._reason_not_to_enter(entry)
        if self.include is not None and not self.include.match(entry.source):
            return "not included"
        status = _status(entry.path)
        if status is None or not stat.S_ISREG(status.st_mode):
            return "broken symlink" if entry.is_link and status is None else "not a regular file"
        return reason_to_skip(entry.path)

    def _reason_not_to_enter(self, entry: _Entry) -> str | None:
        """Keep every real folder to one visit: below the root by its own name, elsewhere by the first link to it."""
        if entry.is_link:
            real, top = entry.path.resolve(), self.root.folder
            if real.is_relative_to(top) or top.is_relative_to(real):
                return "symlink to a folder that is read anyway"
        status = entry.path.stat()
        return "folder that was read already" if (status.st_dev, status.st_ino) in self.entered else None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to where one may not look: to be found out, and said, when its turn comes
        return False


def _status(path: Path) -> os.stat_result | None:
    """Return what the system says of a file, None for a link that leads nowhere.

    :raises OSError: It cannot be looked at.
    """
    try:
        return path.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


def as_it_is(file: SourceFile) -> SourceFile | None:
    """Return a file as it is now; None if it is gone, or cannot be looked at."""
    try:
        return _source_file(file.path, file.source) if file.path.is_file() else None
    except OSError:
        return None


def _source_file(path: Path, source: str) -> SourceFile:
    status = path.stat()
    try:
        modified = EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
    except OverflowError:
        modified = (datetime.max if status.st_mtime_ns > 0 else datetime.min).replace(tzinfo=UTC)
    return SourceFile(path, source, status.st_size, modified.isoformat(timespec="microseconds"))
