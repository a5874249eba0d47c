"""Patterns over sources: globs, `.gitignore` files with git's order of precedence, include and exclude lists."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from qdrant_embed.reading.contents import open_file

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAGIC = frozenset("*?[")


def split_glob(path: Path) -> tuple[Path, str | None]:
    """Split a path before its first part with a wildcard; None if it has none.

    A folder that has such a name is meant itself: `dir [old]/*.md`.
    """
    for index, part in enumerate(path.parts):
        if MAGIC & set(part) and not os.path.lexists(Path(*path.parts[: index + 1])):
            return Path(*path.parts[:index]), "/".join(path.parts[index:])
    return path, None


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob as the shell knows it: `*` stays within a name, `**` stands for any number of folders.

    A name that is written as the pattern matches too, so that `**/[slug].md` finds the file of that name.
    """

    pattern: str

    def matches(self, source: str) -> bool:
        """Tell whether a file matches or, for a source that ends with `/`, whether a file below it could."""
        parts = source.split("/")
        below = not parts[-1]
        pattern = self.pattern.split("/")
        # Each further one of several in a row changes nothing but the number of ways to try.
        pattern = [part for place, part in enumerate(pattern) if part != "**" or pattern[place - 1 : place] != ["**"]]
        return _match(parts[:-1] if below else parts, pattern, below=below)


def _match(parts: Sequence[str], pattern: Sequence[str], *, below: bool) -> bool:
    if not parts or not pattern:
        return bool(pattern) if below and not parts else not parts and all(part == "**" for part in pattern)
    if pattern[0] != "**":
        fits = parts[0] == pattern[0] or fnmatchcase(parts[0], pattern[0])
        return fits and _match(parts[1:], pattern[1:], below=below)
    return below or _match(parts, pattern[1:], below=below) or _match(parts[1:], pattern, below=below)


class PathPatterns:
    """A list of patterns as in `.gitignore`; the last one that matches decides."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._spec = compile_patterns(patterns)

    def match(self, source: str) -> bool:
        """Tell whether the patterns select a source."""
        return self._spec.match_file(source)


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """One `.gitignore` file, and those of the folders around it; the innermost that says something decides.

    :param cut: Characters of a source that lead to the file's folder; cut off before matching.
    :param add: For a file above the root: what leads from its folder to the root; put before the source.
    """

    spec: GitIgnoreSpec
    outer: IgnoreRules | None
    cut: int = 0
    add: str = ""

    @classmethod
    def read(cls, file: Path, *, outer: IgnoreRules | None, cut: int = 0, add: str = "") -> IgnoreRules | None:
        """Read a file of patterns; one that cannot be read says nothing, as with git."""
        try:
            with open_file(file) as opened:
                text = opened.read().decode("utf-8-sig", errors="replace")
        except OSError:
            return outer
        return cls(compile_patterns(text.splitlines()), outer, cut, add)

    def ignore(self, source: str) -> bool:
        """Tell whether a source is ignored; a folder's ends with `/`."""
        rules: IgnoreRules | None = self
        while rules is not None:
            decision = rules.spec.check_file(rules.add + source[rules.cut :]).include
            if decision is not None:
                return decision
            rules = rules.outer
        return False


def rules_in(folder: Path, names: AbstractSet[str], *, cut: int, outer: IgnoreRules | None) -> IgnoreRules | None:
    """Return the rules for what stands in a folder of the walk.

    :param names: What the folder holds.
    :param cut: Characters of a source that lead to the folder.
    """
    if ".git" in names:
        outer = IgnoreRules.read(_own_excludes(folder), outer=outer, cut=cut)
    return IgnoreRules.read(folder / ".gitignore", outer=outer, cut=cut) if ".gitignore" in names else outer


def rules_above(folder: Path) -> IgnoreRules | None:
    """Read the files of patterns between a folder and the top of the repository that it stands in.

    A folder that they ignore was named on purpose: then they say nothing about it.
    """
    way_up = (folder, *folder.parents)
    repository = next((above for above in way_up if os.path.exists(above / ".git")), None)  # noqa: PTH110
    if repository is None or repository == folder:
        return None
    way = folder.relative_to(repository).parts
    rules = IgnoreRules.read(_own_excludes(repository), outer=None, add="/".join(way) + "/")
    for depth in range(len(way)):
        add = "/".join(way[depth:]) + "/"
        rules = IgnoreRules.read(repository.joinpath(*way[:depth], ".gitignore"), outer=rules, add=add)
    return None if rules is not None and rules.ignore("") else rules


def _own_excludes(repository: Path) -> Path:
    """Return where a repository keeps patterns that are not shared; in a worktree, `.git` is a file that says where."""
    git = repository / ".git"
    try:
        if git.is_file():
            git = repository / git.read_text("utf-8").removeprefix("gitdir:").strip()
            common = git / "commondir"
            git = git / common.read_text("utf-8").strip() if common.is_file() else git
    except (OSError, ValueError):
        pass
    return git / "info" / "exclude"


def compile_patterns(lines: Iterable[str]) -> GitIgnoreSpec:
    """Compile the lines of a `.gitignore`; a malformed one matches nothing, as with git."""
    from pathspec import GitIgnoreSpec

    lines = list(lines)
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
