"""What paths mean to a collection: the roots that they belong to, and the files below; no document is there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.inputs import split_label
from qdrant_embed.ingest.options import IngestOptions
from qdrant_embed.ingest.prune import Fate, fate_of_file
from qdrant_embed.ingest.roots import (
    GIVEN,
    RootLabel,
    refuse_inside,
    refuse_nested,
    require_match,
    resolve,
    two_of_a_name,
)
from qdrant_embed.reading.files import ReadOptions, Root, Skipped, SourceFile, find_root, walk


@dataclass(frozen=True, slots=True)
class FileScope:
    """The part of a root that one ingest of files covers.

    :param within: Prefix of the sources that can have vanished.
    :param whole: Whether every file below `within` was offered, so that one not met counts as gone.
    :param total: How many files there are, where they have been walked already.
    """

    root: RootLabel
    within: str
    whole: bool
    found: Root
    total: int | None = None

    def fates(self, files: Callable[[], Iterable[SourceFile | Skipped]]) -> Callable[[str], Fate]:
        """Return what says what became of a source that was not met.

        Where all files were offered, one that is there has to be among them; or it came when its folder had been
        passed, and another program may have ingested it.

        :param files: Walks the files once more.
        """
        offered = cache(lambda: {found.source for found in files() if isinstance(found, SourceFile)})

        def fate(source: str) -> Fate:
            found = fate_of_file(self.root.base, source)
            left_out = self.whole and found.kind == "there" and source not in offered()
            return Fate("gone") if left_out else found

        return fate

    def may_hold(self, folder: Path) -> bool:
        """Tell whether a folder lies on the way from the root to a file, as far as can be said without a look."""
        below = folder.is_relative_to(self.found.folder) or self.found.folder.is_relative_to(folder)
        return below and folder.is_relative_to(self.root.base)

    def files(self, reading: ReadOptions, roots: Mapping[str, str]) -> Iterator[SourceFile | Skipped]:
        """Yield the files, not read yet.

        :param roots: label → place of every root that the collection knows.
        :raises ConfigurationError: A folder on the way is a root of its own.
        """
        prefix = self.root.relative(self.found.folder)
        checked = set(self.root.base.parents)
        for item in walk(self.found, reading):
            if isinstance(item, SourceFile):
                for folder in item.path.parents:  # those without files of their own, too
                    if folder in checked:
                        break
                    checked.add(folder)
                    refuse_nested(folder, self.root, roots)
            yield replace(item, source=prefix + item.source) if prefix else item


def require_paths(paths: Sequence[str | Path], reading: ReadOptions) -> None:
    """Refuse misspelled paths, whatever collection they are for.

    :raises ConfigurationError: One does not exist or matches nothing.
    :raises ReadError: One cannot be looked at.
    """
    for path in paths:
        require_match(find_root(split_label(path)[1]), reading)


def plan(
    paths: Sequence[str | Path],
    options: IngestOptions,
    known: Mapping[str, str],
    holds: Callable[[str, str], bool],
) -> list[FileScope]:
    """Say what each path means, all of them before anything is done with one.

    :param known: label → place of every root that the collection has.
    :param holds: Tells whether it has documents of a root below a prefix of their sources.
    :raises ConfigurationError: One does not exist or matches nothing, two would have the same label, or the documents
        of one are, or would be, those of another root too.
    :raises ReadError: One cannot be looked at.
    """
    scopes: list[FileScope] = []
    for path in paths:
        label, where = split_label(path)
        chosen = options if label is None else options.changed({"root": label})
        here = {scope.root.label: scope.root for scope in scopes}
        scope = _scope(where, chosen, {**known, **{name: root.place for name, root in here.items()}}, here)
        other = here.get(scope.root.label)
        if other is not None and other.base != scope.root.base:
            raise two_of_a_name(scope.root.label, other.base, scope.root.base)
        if known.get(scope.root.label) != scope.root.place:
            refuse_inside(scope.root, known, holds)
        scopes.append(scope)
    return [_checked(scope, options.reading, known, [other.root for other in scopes]) for scope in scopes]


def _scope(
    path: str | Path, options: IngestOptions, known: Mapping[str, str], here: Mapping[str, RootLabel]
) -> FileScope:
    found = find_root(path)
    reading = options.reading
    if options.prune and found.pattern is not None:
        raise ConfigurationError(
            f"prune=True with the glob {str(path)!r} would remove what other globs have brought; give its folder, and "
            "patterns: include=…"
        )
    root = resolve(found.folder, options.root, known, here)
    require_match(found, reading)
    prefix = root.relative(found.folder)
    asked_for_all = options.prune or not (reading.include or reading.exclude)
    whole = found.only is None and found.pattern is None and asked_for_all
    within = f"{prefix}{found.only.source}" if found.only is not None else prefix
    return FileScope(root, within, whole, found)


def _checked(scope: FileScope, reading: ReadOptions, known: Mapping[str, str], here: Sequence[RootLabel]) -> FileScope:
    """Walk a scope that another root may stand in, before anything is stored; the files are counted on the way."""
    label = scope.root.label
    new = known.get(label) != scope.root.place
    others = {name: where for name, where in known.items() if name != label and where != GIVEN} if new else {}
    others |= {root.label: root.place for root in here if root.label != label and scope.may_hold(root.base)}
    if not others:
        return scope
    return replace(scope, total=sum(isinstance(item, SourceFile) for item in scope.files(reading, others)))
