"""A change of compression that is cut off anywhere leaves a name that leads to every point."""

import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import RecipeMismatchError, StoreError
from qdrant_embed.store.location import open_engine
from tests.copied import copy_collections
from tests.support import forks
from tests.support.earlier_collections import make_earlier

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


STYLES = ("alias", "earlier")
WRITES = (
    "create_collection", "update_collection", "delete_collection", "create_payload_index", "update_collection_aliases",
    "upsert", "delete", "set_payload", "save_attachment", "finish_bulk_load",
)  # fmt: skip


class CutError(BaseException):
    """Stands for whatever ends a process."""


@pytest.fixture(scope="module")
def filled_folders(tmp_path_factory):
    """Return by style folders with the cranes, of which each test changes a copy."""
    folders = {style: tmp_path_factory.mktemp(style) / "qdrant_data" for style in STYLES}
    for style, folder in folders.items():
        fill(folder, style)
    return folders


@pytest.fixture
def here(filled_folders, tmp_path):
    """Return a folder with the cranes."""
    return copy_collections(filled_folders["alias"], tmp_path / "qdrant_data")


@pytest.fixture(params=["folder", "memory"])
def place(request):
    """Return a place with the cranes: a folder, and a client in memory."""
    return place_of(request, request.param, "alias")


def place_of(request, kind, style):
    if kind == "folder":
        folders = request.getfixturevalue("filled_folders")
        return copy_collections(folders[style], request.getfixturevalue("tmp_path") / "qdrant_data")
    client = QdrantClient(":memory:")
    fill(client, style)
    return client


def fill(place, style):
    """Make the cranes' collection: behind an alias, or as an earlier version did."""
    if style == "earlier":
        make_earlier("cranes", place)
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


def forbid_writes(engine, patch):
    """Let an engine refuse whatever would change something, as it does for a key that may only read."""

    def refuse(*_given, **_named):
        raise StoreError("this key may only read")

    for change in WRITES:
        patch.setattr(engine, change, refuse, raising=False)


def require_all(docs):
    assert docs.count() == len(TEXTS)
    assert docs.search("crane 12", k=1, mode="dense")[0].source == "12.txt"
    engine = docs.engine
    return [found.name for found in engine.get_collections().collections], engine.get_aliases().aliases


CHANGES = ("create_collection", "upsert", "delete_collection", "update_collection_aliases")
CUTS = [
    pytest.param(("folder", "memory")[(row + done + turn) % 2], style, change, done, id=f"{change}-{when}-{style}")
    for row, change in enumerate(CHANGES)
    for done, when in ((False, "before"), (True, "after"))
    for turn, style in enumerate(STYLES)
    if row > 1 or turn == (row + done) % 2
]
"""Every change, before and after it is done: on one engine each, and by both kinds of name where the name goes over.

What is cut off and where decides what must be put right again, by the same code for both engines.
"""


@pytest.mark.parametrize(("kind", "style", "change", "done"), CUTS)
def test_every_point_is_there_wherever_the_change_is_cut_off(request, kind, style, change, done):
    place = place_of(request, kind, style)
    with Collection.open("cranes", at=place) as docs, pytest.MonkeyPatch.context() as patch:
        cut(docs.engine, patch, change, done=done)
        with pytest.raises(CutError):
            docs.recompress("float16")
    with Collection.open("cranes", at=place) as reader, pytest.MonkeyPatch.context() as patch:
        forbid_writes(reader.engine, patch)
        require_all(reader)
    with Collection.open("cranes", at=place) as again:
        again.delete("nothing.txt")  # what changes something finishes what was begun
        names, aliases = require_all(again)
        finished = change in ("delete_collection", "update_collection_aliases")
        assert again.recipe.compression == ("float16" if finished else "float32")
        if finished:
            assert [names] == [[alias.collection_name for alias in aliases]], "something is left over"
        again.recompress("center+float16")
        names, aliases = require_all(again)
        assert [names] == [[alias.collection_name for alias in aliases]], "a copy that was given up is left"
    assert Collection.drop("cranes", at=place)
    assert not Collection.drop("cranes", at=place)


@pytest.mark.parametrize("change", ["create_payload_index", "update_collection_aliases"])
def test_a_collection_whose_making_was_cut_off_is_completed(change):
    client, recipe = QdrantClient(":memory:"), Recipe(model="hashing")
    engine = open_engine(client)
    with pytest.MonkeyPatch.context() as patch:
        cut(engine, patch, change, done=False)
        with pytest.raises(CutError):
            Collection.open("cranes", at=engine, recipe=recipe)
    for given in (None, recipe):
        with Collection.open("cranes", at=client, recipe=given) as docs:
            docs.ingest([Document(text=TEXTS[0], source="0.txt")])
            assert [alias.alias_name for alias in docs.engine.get_aliases().aliases] == ["cranes"]
    with pytest.raises(RecipeMismatchError, match="float16"):
        Collection.open("cranes", at=client, recipe=Recipe(model="hashing", compression="float16"))
    assert Collection.drop("cranes", at=client)
    assert not client.get_collections().collections


def test_two_that_make_a_collection_at_the_same_moment_meet_at_one():
    client, recipe = QdrantClient(":memory:"), Recipe(model="hashing")
    engine = open_engine(client)
    create = engine.create_collection

    def overtaken(*given, **named):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "create_collection", create)
            Collection.open("cranes", at=engine, recipe=recipe)
        return create(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "create_collection", overtaken)
        docs = Collection.open("cranes", at=engine, recipe=recipe)
    docs.ingest([Document(text=TEXTS[0], source="0.txt")])
    assert [found.name for found in client.get_collections().collections] == ["cranes--1"]


def test_what_somebody_else_called_so_is_left_alone():
    client, recipe = QdrantClient(":memory:"), Recipe(model="hashing")
    client.create_collection("cranes--1", models.VectorParams(size=2, distance=models.Distance.DOT))
    alias(client, "cranes--2", "cranes--1")
    with Collection.open("cranes--3", at=client, recipe=recipe), Collection.open("cranes", at=client, recipe=recipe):
        led = {found.alias_name: found.collection_name for found in client.get_aliases().aliases}
    assert led == {"cranes--2": "cranes--1", "cranes--3": "cranes--3--1", "cranes": "cranes--4"}
    assert [found.name for found in Collection.list(at=client)] == ["cranes", "cranes--2", "cranes--3"]
    assert Collection.drop("cranes", at=client)
    assert [found.name for found in Collection.list(at=client)] == ["cranes--2", "cranes--3"]


@pytest.mark.parametrize("name", ["ä" * 200, "n" * 255])
def test_a_long_name_has_generations_that_fit(name):
    client = QdrantClient(":memory:")
    with Collection.open(name, at=client, recipe=Recipe(model="hashing")) as docs:
        docs.ingest([Document(text=TEXTS[0], source="0.txt")])
        docs.recompress("float16")
        (own,) = [found.name for found in client.get_collections().collections]
        assert len(own.encode()) <= 255
    assert Collection.drop(name, at=client)


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
    ("kind", "style", "opened", "change"),
    [
        (("folder", "memory")[(row + turn) % 2], style, ("prod", "cranes")[row % 2], change)
        for row, change in enumerate([None, "delete_collection", "update_collection_aliases"])
        for turn, style in enumerate(STYLES)
    ],
)
def test_the_users_own_name_of_a_collection_leads_on_whichever_alias_it_was_changed_by(
    request, kind, style, opened, change
):
    place = place_of(request, kind, style)
    with Collection.open("cranes", at=place) as docs:
        alias(docs.engine, "prod", docs.engine.get_collections().collections[0].name)
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
