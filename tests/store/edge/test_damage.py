"""A collection that can no longer be opened: said in one sentence, removable, and no hindrance to the others."""

import json

import pytest
from typer.testing import CliRunner

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.cli.app import app
from qdrant_embed.errors import CollectionNotFoundError, DamagedError, StoreError
from qdrant_embed.store.edge.catalog_file import CATALOG_FILE
from qdrant_embed.store.location import open_engine
from tests.copied import copy_collections


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a folder with the collections `good` and `bad`, of which each test damages a copy."""
    at = tmp_path_factory.mktemp("sound") / "q"
    for name in ("good", "bad"):
        with Collection.open(name, at=at, recipe=Recipe(model="hashing")) as docs:
            docs.ingest([Document(text="The gate opens at nine.", source="a")])
    return at


@pytest.fixture
def folder(sound, tmp_path):
    """Return a folder with the collections `good` and `bad`."""
    return copy_collections(sound, tmp_path / "q")


def shard_of(folder, name):
    entry = json.loads((folder / CATALOG_FILE).read_text())["collections"][f"{name}--1"]
    return folder / "shards" / entry["folder"]


def empty(path, pattern):
    files = sorted(path.rglob(pattern))
    assert files
    for file in files[:1]:
        file.write_bytes(b"")


DAMAGES = {
    "an index": lambda shard: empty(shard, "status.dat"),
    "the log": lambda shard: empty(shard, "first-index"),
    "a segment": lambda shard: empty(shard, "segment.json"),
    "the shard": lambda shard: shard.rename(shard.with_name("gone")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_collection_is_told_and_can_be_removed(folder, damage, capfd):
    damage(shard_of(folder, "bad"))
    with pytest.raises(DamagedError, match=r"(damaged|lost the data).*from a copy.*Collection\.drop\('bad'") as raised:
        Collection.open("bad", at=folder)
    assert len(str(raised.value)) < 1000
    assert "panicked" not in capfd.readouterr().err
    listed = {found.name: found for found in Collection.list(at=folder)}
    assert (listed["good"].chunks, listed["good"].problem) == (1, "")
    assert listed["bad"].chunks is None
    assert "from a copy" in listed["bad"].problem
    assert Collection.open("good", at=folder).count() == 1
    assert Collection.drop("bad", at=folder)
    assert [found.name for found in Collection.list(at=folder)] == ["good"]
    with Collection.open("bad", at=folder, recipe=Recipe(model="hashing")) as docs:
        assert docs.count() == 0


@pytest.mark.parametrize("damage", ["the log", "the shard"])
def test_the_command_line_removes_a_damaged_collection(folder, damage):
    DAMAGES[damage](shard_of(folder, "bad"))
    run = CliRunner().invoke
    at = ["--at", str(folder), "-c", "bad"]
    shown = run(app, ["info", "--at", str(folder)])
    assert (shown.exit_code, "bad" in shown.output, "good" in shown.output) == (0, True, True)
    dry = run(app, ["delete", "--all", "--dry-run", *at])
    assert (dry.exit_code, "would remove the collection 'bad'" in dry.stdout) == (0, True)
    assert "from a copy" in dry.stderr
    dry = run(app, ["delete", "--all", "--dry-run", "--json", *at])
    assert (json.loads(dry.stdout)["matched"], json.loads(dry.stdout)["deleted"]) == (None, 0)
    assert run(app, ["delete", "--all", *at], input="n\n").exit_code == 1
    assert [found.name for found in Collection.list(at=folder)] == ["bad", "good"]
    done = run(app, ["delete", "--all", "-y", "--json", *at])
    assert (done.exit_code, json.loads(done.stdout)["deleted"]) == (0, None)
    assert [found.name for found in Collection.list(at=folder)] == ["good"]


@pytest.mark.parametrize(
    "reason",
    ["failed to open WAL: Too many open files (os error 24)", "Permission denied (os error 13)", "(os error 12)"],
)
def test_what_the_system_refuses_for_now_is_not_taken_for_damage(folder, monkeypatch, reason):
    class Refusing:
        @staticmethod
        def load(*_):
            raise RuntimeError(reason)

    monkeypatch.setattr("qdrant_embed.store.edge.shard.edge.EdgeShard", Refusing)
    with pytest.raises(StoreError, match=r"'good' could not be opened.*os error \d+.*try again") as raised:
        Collection.open("good", at=folder)
    assert not isinstance(raised.value, DamagedError)
    done = CliRunner().invoke(app, ["delete", "--all", "-y", "--at", str(folder), "-c", "good"])
    assert done.exit_code == 1
    monkeypatch.undo()
    assert {found.name for found in Collection.list(at=folder)} == {"good", "bad"}


def changed(folder, name, change):
    path = folder / CATALOG_FILE
    stored = json.loads(path.read_text())
    change(stored["collections"][f"{name}--1"])
    path.write_text(json.dumps(stored))


def test_a_collection_whose_entry_cannot_be_understood_can_be_removed(folder):
    changed(folder, "bad", lambda entry: entry["config"].update(vectors=7))
    with pytest.raises(DamagedError, match=r"'bad' is damaged.*from a copy"):
        Collection.open("bad", at=folder)
    done = CliRunner().invoke(app, ["delete", "--all", "-y", "--at", str(folder), "-c", "bad"])
    assert (done.exit_code, [found.name for found in Collection.list(at=folder)]) == (0, ["good"])


def test_a_collection_of_a_newer_version_or_of_something_else_is_not_taken_for_damaged(folder):
    def to_newer(entry):
        entry["metadata"]["qdrant_embed"]["layout"] += 1

    changed(folder, "good", to_newer)
    changed(folder, "bad", lambda entry: entry.update(metadata=None))
    for name, said in (("good", "Upgrade qdrant-embed"), ("bad", "something else made it")):
        for words in (["--yes"], ["--dry-run"], ["--yes", "--json"]):
            done = CliRunner().invoke(app, ["delete", "--all", *words, "--at", str(folder), "-c", name])
            assert (done.exit_code, done.stdout, said in done.stderr) == (1, "", True)
    assert [found.name for found in Collection.list(at=folder)] == ["bad", "good"]


ENTRY = {"folder": "a", "config": {}, "metadata": None}
SHAPES = [
    "",
    "[1, 2]",
    '{"format": 1}',
    '{"format": "1", "collections": {}, "aliases": {}}',
    '{"format": 1, "collections": [], "aliases": {}}',
    '{"format": 1, "collections": {}, "aliases": []}',
    json.dumps({"format": 1, "collections": {"x": {}}, "aliases": {}}),
    json.dumps({"format": 1, "collections": {"x": "y"}, "aliases": {}}),
    json.dumps({"format": 1, "collections": {"x": {**ENTRY, "more": 1}}, "aliases": {}}),
    json.dumps({"format": 1, "collections": {"x": {**ENTRY, "folder": "../up"}}, "aliases": {}}),
    json.dumps({"format": 1, "collections": {"x": {**ENTRY, "folder": 3}}, "aliases": {}}),
    json.dumps({"format": 1, "collections": {"x": {**ENTRY, "config": []}}, "aliases": {}}),
    json.dumps({"format": 1, "collections": {"x": ENTRY, "y": ENTRY}, "aliases": {}}),
    "[" * 100_000,
]


@pytest.mark.parametrize("content", SHAPES, ids=lambda content: content[:60])
def test_a_catalog_of_another_shape_is_damaged(folder, content):
    (folder / CATALOG_FILE).write_text(content)
    with pytest.raises(StoreError, match=r"catalog\.json' is damaged .* Restore it from a copy"):
        open_engine(folder)


def test_a_catalog_with_a_byte_order_mark_or_a_lost_alias_can_be_read(folder):
    path = folder / CATALOG_FILE
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "aliases": {**stored["aliases"], "old": "nowhere"}}), encoding="utf-8-sig")
    assert [found.name for found in Collection.list(at=folder)] == ["bad", "good"]


@pytest.mark.parametrize(
    "look",
    [
        lambda at: Collection.open("x", at=at),
        lambda at: Collection.drop("x", at=at),
        lambda at: Collection.list(at=at),
        *(
            lambda at, command=command: CliRunner().invoke(app, [*command, "--at", str(at)])
            for command in (["search", "x"], ["info"], ["doctor", "-m", "hashing"], ["delete", "--all", "-y"])
        ),
    ],
)
def test_looking_into_a_folder_of_something_else_writes_nothing(tmp_path, look):
    (tmp_path / "mine.txt").write_text("kept")
    try:
        look(tmp_path)
    except CollectionNotFoundError as error:
        assert "holds no collections" in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
