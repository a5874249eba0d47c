"""A change of compression that is cut off anywhere leaves a name that leads to every point."""

import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed import Collection, Document, Recipe
from tests.copied import copy_collections
from tests.support import forks

pytestmark = pytest.mark.anywhere

TEXTS = [f"Crane {n} lifts {n * 7} tons at pier {n}." for n in range(30)]
KILLED = """
import os, sys
from qdrant_embed import Collection
docs = Collection.open("cranes", at=sys.argv[1])
remove = docs.engine.delete_collection
docs.engine.delete_collection = lambda name: remove(name) and os._exit(9)
docs.recompress("float16")
"""


class CutError(BaseException):
    """Stands for whatever ends a process."""


@pytest.fixture(scope="module")
def filled_folder(tmp_path_factory):
    """Return a folder with the cranes, of which each test changes a copy."""
    folder = tmp_path_factory.mktemp("filled") / "qdrant_data"
    fill(folder)
    return folder


@pytest.fixture
def here(filled_folder, tmp_path):
    """Return a folder with the cranes."""
    return copy_collections(filled_folder, tmp_path / "qdrant_data")


@pytest.fixture(params=["folder", "memory"])
def place(request):
    """Return a place with the cranes: a folder, and a client in memory."""
    return place_of(request, request.param)


def place_of(request, kind):
    if kind == "folder":
        return request.getfixturevalue("here")
    client = QdrantClient(":memory:")
    fill(client)
    return client


def fill(place):
    with Collection.open("cranes", at=place, recipe=Recipe(model="hashing")) as docs:
        docs.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)])


def cut(engine, patch, change, *, done):
    """Let an engine fail at a change, before or after it is done."""
    original = getattr(engine, change)

    def cut_off(*given, **named):
        if done:
            original(*given, **named)
        raise CutError

    patch.setattr(engine, change, cut_off, raising=False)


def require_all(docs):
    assert docs.count() == len(TEXTS)
    assert docs.search("crane 12", k=1, mode="dense")[0].source == "12.txt"
    engine = docs.engine
    return [found.name for found in engine.get_collections().collections], engine.get_aliases().aliases


CHANGES = ("create_collection", "upsert", "delete_collection", "update_collection_aliases")
CUTS = [
    pytest.param(
        ("folder", "memory")[(row + done) % 2], aliased, change, done,
        id=f"{change}-{when}-{'alias' if aliased else 'collection'}",
    )
    for row, change in enumerate(CHANGES)
    for done, when in ((False, "before"), (True, "after"))
    for aliased in ((row // 2 + done) % 2 == 0,)
]  # fmt: skip
"""Every change, before and after it is done: on one engine each and by one kind of name, in turns.

What is cut off and where decides what must be put right again, by the same code for both engines.
"""


@pytest.mark.parametrize(("kind", "aliased", "change", "done"), CUTS)
def test_every_point_is_there_wherever_the_change_is_cut_off(request, kind, aliased, change, done):
    place = place_of(request, kind)
    with Collection.open("cranes", at=place) as docs:
        if aliased:
            docs.recompress("rotate")
        with pytest.MonkeyPatch.context() as patch:
            cut(docs.engine, patch, change, done=done)
            with pytest.raises(CutError):
                docs.recompress("float16")
    with Collection.open("cranes", at=place, recipe=None) as again:
        names, aliases = require_all(again)
        finished = change in ("delete_collection", "update_collection_aliases")
        assert again.recipe.compression == ("float16" if finished else "rotate" if aliased else "float32")
        if finished:
            assert [names] == [[alias.collection_name for alias in aliases]], "something is left over"
        again.recompress("center+float16")
        names, aliases = require_all(again)
        assert [names] == [[alias.collection_name for alias in aliases]], "a copy that was given up is left"
    assert Collection.drop("cranes", at=place)
    assert not Collection.drop("cranes", at=place)


def test_a_name_that_leads_nowhere_is_not_made_anew(place):
    with Collection.open("cranes", at=place) as docs, pytest.MonkeyPatch.context() as patch:
        cut(docs.engine, patch, "delete_collection", done=True)
        with pytest.raises(CutError):
            docs.recompress("float16")
    with Collection.open("cranes", at=place, recipe=Recipe(model="hashing", compression="float16")) as again:
        require_all(again)


def test_a_killed_process_loses_nothing(here):
    assert forks.run("-c", KILLED, here).returncode == 9
    with Collection.open("cranes", at=here) as again:
        require_all(again)
        assert again.recipe.compression == "float16"


def test_other_names_of_a_collection_go_with_it(place):
    with Collection.open("cranes", at=place) as docs:
        for compression, alias in (("float16", "lifting"), ("rotate+float16", "hoisting")):
            own = docs.engine.get_collections().collections[0].name
            create = models.CreateAlias(collection_name=own, alias_name=alias)
            docs.engine.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])
            docs.recompress(compression)
        names = {found.alias_name for found in docs.engine.get_aliases().aliases}
        assert names == {"cranes", "lifting", "hoisting"}
        assert len(docs.engine.get_collections().collections) == 1


def test_a_copy_is_listed_by_the_name_to_open_it_by(here):
    with Collection.open("cranes", at=here) as docs:
        docs.recompress("float16")
    assert [found.name for found in Collection.list(at=here)] == ["cranes"]


def alias(engine, name, collection):
    create = models.CreateAlias(collection_name=collection, alias_name=name)
    engine.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])


@pytest.mark.parametrize(
    ("kind", "opened", "change"),
    [
        (kind, opened, change)
        for row, change in enumerate([None, "delete_collection", "update_collection_aliases"])
        for kind, opened in zip(("folder", "memory"), ("prod", "cranes")[:: (1, -1)[row % 2]], strict=True)
    ],
)
def test_the_users_own_name_of_a_collection_leads_on_whichever_alias_it_was_changed_by(request, kind, opened, change):
    place = place_of(request, kind)
    with Collection.open("cranes", at=place) as docs:
        alias(docs.engine, "prod", "cranes")
    with Collection.open("prod", at=place) as docs, pytest.MonkeyPatch.context() as patch:
        if change is None:
            docs.recompress("float16")
        else:
            cut(docs.engine, patch, change, done=True)
            with pytest.raises(CutError):
                docs.recompress("float16")
    with Collection.open(opened, at=place) as docs:
        docs.recompress("float16+rotate")
    for name in ("prod", "cranes"):
        with Collection.open(name, at=place) as docs:
            names, aliases = require_all(docs)
            assert len(names) == 1
            assert {found.alias_name for found in aliases} == {"prod", "cranes"}
            assert docs.recipe.compression == "rotate+float16" or docs.recipe.compression == "float16+rotate"


def test_a_copy_opened_by_its_made_up_name_keeps_that_too(place):
    with Collection.open("cranes", at=place) as docs:
        docs.recompress("float16")
        made_up = docs.engine.get_collections().collections[0].name
    with Collection.open(made_up, at=place) as docs:
        docs.recompress("rotate+float16")
        require_all(docs)
    with Collection.open("cranes", at=place) as docs:
        require_all(docs)
