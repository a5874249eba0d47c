"""Names that resolve late: name → `module:attribute` → import on first use.

Built-in names stand in a table, third parties add theirs through an entry-point group, so listing every name imports
nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from qdrant_embed.errors import ConfigurationError, UnknownNameError

T = TypeVar("T")


def import_target(target: str) -> Any:
    """Import and return what `"module:attribute"` names."""
    module, _, attribute = target.partition(":")
    found: Any = import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


class Registry(Generic[T]):
    """A table of names for one kind of part.

    :param kind: What a name names, for messages: `"chunker"`.
    :param group: Entry-point group in which other packages offer theirs: `"qdrant_embed.chunkers"`.
    :param builtin: name → `"module:attribute"`, or what the name stands for where that is at hand.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str | T]) -> None:
        self.kind = kind
        self.group = group
        self._targets: dict[str, str | T] = dict(builtin)
        self._discovered = False

    def __iter__(self) -> Iterator[str]:
        """Yield every known name, those of installed plug-ins included."""
        self._discover()
        return iter(sorted(self._targets))

    def __contains__(self, name: object) -> bool:
        """Tell whether `get` would find the name."""
        self._discover()
        return name in self._targets

    def get(self, name: str) -> T:
        """Import and return what the name stands for.

        :raises UnknownNameError: The name is not registered; near names are listed.
        """
        if name not in self._targets:
            self._discover()
        if name not in self._targets:
            raise UnknownNameError(self.kind, name, self._targets)
        found = self._targets[name]
        return cast("T", import_target(found)) if isinstance(found, str) else found

    def _discover(self) -> None:
        if self._discovered:
            return
        from importlib.metadata import entry_points

        found = dict(self._targets)
        for entry in entry_points(group=self.group):
            if found.get(entry.name, entry.value) != entry.value:
                message = (
                    f"two packages offer a {self.kind} named {entry.name!r}: "
                    f"{found[entry.name]} and {entry.value}. Uninstall one of them."
                )
                raise ConfigurationError(message)
            found[entry.name] = entry.value
        self._targets, self._discovered = found, True


def lazy_names(
    package: str, homes: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package whose names are imported when they are first used.

    :param homes: Module within the package → the names that it gives, e.g. `{"hits": ["Hit", "Hits"]}`.
    """
    modules = {name: module for module, names in homes.items() for name in names}
    public = sorted(modules)

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{modules[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return find, lambda: public, public
