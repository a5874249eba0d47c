"""What a collection's name leads to: a generation, which is a collection with a name of its own behind an alias.

The name that users give is an alias from the day the collection is made, so that a copy takes it over in one step, and
nobody ever finds it leading nowhere. The first generation's own name follows from that name alone (`NAME--1`), so two
programs that create at the same moment meet at one collection. Its metadata say both names: one request tells what a
name leads to. Collections of earlier versions have no alias until a copy takes their name over; in the moment between
the removal of the old one and the making of the alias, the copy is found by what it says of itself.

What is asked by a generation's own name is of that generation, or fails because it is gone (`PinnedEngine`): vectors
never meet a recipe that is not theirs, and no search has to look up an alias. The metadata are believed where they name
the alias that was asked for. A snapshot that was restored under that very name is noticed by whoever writes, and by
readers once the other generation is gone; restore it under the generation's own name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Concatenate

from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.engine_wrappers import HandingOn, P, R
from qdrant_embed.store.metadata import METADATA_KEY, checked_metadata
from qdrant_embed.store.methods.ranking_request import CollectionFacts
from qdrant_embed.types import BM25, Json

KEY = "succeeds"
"""Metadata entry of a generation: the `name` under which the collection was first made, for good, and its `own`; of a
copy, until it has taken over, also the collection `before` it, whether that was `named` so by someone, and whether the
copy is `whole`."""
COPYING = "qdrant_embed_copying"
"""Metadata entry of a collection of which a copy is made; see `copy_lease`."""
LONGEST_BYTES = 255
"""Of a collection's name: servers keep each in a folder of its name."""
_MARK = "--"
_LONGEST_SUFFIX = 12


@dataclass(frozen=True, slots=True)
class Generation:
    """What a name led to when it was asked.

    :param name: The name that was asked for.
    :param said: Its own name, by what its metadata say or its alias.
    :param own: The name by which it is asked: its own, or where a key opens no more than an alias, that.
    :param facts: What the engine says of it.
    :param reached: Whether the name led to it; else it is on its way to that name, which leads nowhere.
    """

    name: str
    said: str
    own: str
    facts: CollectionFacts
    reached: bool = True

    @property
    def metadata(self) -> Mapping[str, Json]:
        """Its metadata entries, whoever set them."""
        return self.facts.metadata

    @property
    def stored(self) -> dict[str, Any]:
        """What this library noted of it.

        :raises StoreError: The collection was made by something else, or by a newer version of this library.
        """
        return checked_metadata(self.name, self.metadata)

    @property
    def bm25_vectors(self) -> bool:
        """Whether it keeps BM25's terms as sparse vectors, and not in a text index."""
        return BM25 in self.facts.sparse_vectors

    @property
    def settled(self) -> bool:
        """Whether no copy is being made of it, and it is none that is still taking a name over."""
        return not self.metadata.get(COPYING) and "before" not in succession(self.metadata)


class PinnedEngine(HandingOn):
    """An engine by which a name leads to one generation, whatever its alias says meanwhile."""

    def __init__(self, engine: Engine, name: str, own: str) -> None:
        super().__init__(engine)
        self._name, self._own = name, own

    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call the other engine's method of the same name, for the generation."""
        given: tuple[Any, ...] = arguments
        if given and given[0] == self._name:
            given = self._own, *given[1:]
        elif named.get("collection_name") == self._name:
            named["collection_name"] = self._own
        found: R = getattr(self.whole, method.__name__)(*given, **named)
        return found


def find_generation(engine: Engine, name: str) -> Generation:
    """Return what a name leads to, by one request where this version made it.

    :raises CollectionNotFoundError: Nothing; the names that do are listed.
    """
    try:
        facts = engine.collection_facts(name)
    except CollectionNotFoundError:
        own = successor(engine, name)
        if own is None:
            raise not_found(engine, name) from None
        return Generation(name, own, own, engine.collection_facts(own), reached=False)
    own = said_own(engine, name, facts.metadata)
    if facts.info is not None:
        engine.note_collection(own, facts.info, name)
    return Generation(name, own, own, facts)


def said_own(engine: Engine, name: str, metadata: Mapping[str, Any]) -> str:
    """Return the own name of what a name leads to, of which these are the metadata."""
    noted = succession(metadata)
    if "own" in noted and name in (noted["own"], noted["name"]):
        return str(noted["own"])
    return resolve_alias(engine, name)


def resolve_alias(engine: Engine, name: str) -> str:
    """Return the name of the collection that a name or an alias leads to."""
    return engine.alias_targets().get(name, name)


def succession(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the metadata of a collection say of its names; nothing where something else made it."""
    stored = metadata.get(METADATA_KEY)
    return dict(stored.get(KEY) or {}) if isinstance(stored, dict) else {}


def generation_name(name: str, suffix: str) -> str:
    """Return an own name of a generation: the collection's with something behind it, cut where that is too long."""
    return f"{_stem(name)}{_MARK}{suffix}"


def first_generation(engine: Engine, name: str) -> str:
    """Return how the first generation of a name is called: the first such name that no other collection has."""
    for number in count(1):
        own = generation_name(name, str(number))
        try:
            noted = succession(engine.stored_metadata(own))
        except CollectionNotFoundError:
            return own
        if noted.get("name") == name and noted.get("own") == own and "before" not in noted:
            return own
    raise AssertionError


def generations(engine: Engine, first: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the generations of a collection, with what they say of their names.

    :param first: The name under which it was first made.
    """
    start = f"{_stem(first)}{_MARK}"
    found = []
    for own in engine.collection_names():
        if own.startswith(start):
            try:
                noted = succession(engine.stored_metadata(own))
            except CollectionNotFoundError:  # gone since it was listed
                continue
            if noted.get("name") == first:
                found.append((own, noted))
    return found


def successor(engine: Engine, name: str) -> str | None:
    """Return the own name of the generation that is on its way to a name which leads nowhere; None for none.

    Of a copy that is whole, or of a first generation whose maker was cut off before it gave it its name.
    """
    made_up, _, _ = name.rpartition(_MARK)
    known = [*generations(engine, name), *(generations(engine, made_up) if made_up else ())]
    wanted = [
        (own, noted)
        for own, noted in known
        if noted.get("whole") is not False and name in (noted["name"], noted.get("before"))
    ]
    # Where nothing else is called so, the first generation has the number 1.
    first = generation_name(name, "1")
    wanted.sort(key=lambda one: ("before" not in one[1], one[0] == first, one[0]))
    return wanted[0][0] if wanted else None


def names_to_open(engine: Engine) -> list[str]:
    """Return the names to open collections by: an alias instead of what it leads to, and no copy that is being made."""
    aliases = engine.alias_targets()
    names = set(aliases)
    others = set(engine.collection_names()) - set(aliases.values())
    made_up = set()
    for own in sorted(others):
        with suppress(StoreError):  # damaged, or gone by now
            noted = succession(engine.stored_metadata(own)) if _MARK in own else {}
            if noted.get("name", own) != own:
                made_up.add(own)
                if noted.get("whole") is not False:  # on its way to a name that leads nowhere
                    names.add(noted["name"])
    return sorted(names | (others - made_up))


def not_found(engine: Engine, name: str) -> CollectionNotFoundError:
    """Return the error for a name that leads nowhere."""
    there = ", ".join(names_to_open(engine)) or "none"
    return CollectionNotFoundError(
        f"there is no collection {name!r} here; collections found: {there}. "
        "Give a recipe to create it: Collection.open(name, at=…, recipe=Recipe(model='minilm'))."
    )


def _stem(name: str) -> str:
    room = LONGEST_BYTES - len(_MARK) - _LONGEST_SUFFIX
    encoded = name.encode()
    if len(encoded) <= room:
        return name
    digest = hashlib.blake2b(encoded, digest_size=6).hexdigest()
    return f"{encoded[: room - len(digest) - 1].decode(errors='ignore')}~{digest}"
