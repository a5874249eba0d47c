"""What paths mean together, and with the roots that a collection has: no document is there twice."""

import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest import scopes

pytestmark = pytest.mark.anywhere


@pytest.fixture
def docs(tmp_path):
    """Return a folder with files of its own and a folder in it."""
    folder = tmp_path / "docs"
    (folder / "sub").mkdir(parents=True)
    (folder / "top.txt").write_text("Crane four lifts twelve tons.")
    (folder / "sub" / "inner.txt").write_text("Keys are rotated every ninety days.")
    return folder


TWICE = "would be found twice"


@pytest.mark.parametrize("paths", [("docs", "own=docs/sub"), ("own=docs/sub", "docs"), ("docs/sub", "docs")])
def test_a_folder_and_one_inside_it_are_no_two_roots(collection, docs, monkeypatch, paths):
    monkeypatch.chdir(docs.parent)
    with pytest.raises(ConfigurationError, match=TWICE):
        collection.ingest(list(paths))
    assert (collection.count(), collection.info()["roots"]) == (0, [])


@pytest.mark.parametrize("paths", [("own=docs/sub",), ("own=docs/sub", "docs"), ("docs", "own=docs/sub")])
def test_a_folder_inside_a_known_root_is_no_root_of_its_own(collection, docs, monkeypatch, paths):
    monkeypatch.chdir(docs.parent)
    collection.ingest("docs")
    with pytest.raises(ConfigurationError, match=TWICE):
        collection.ingest(list(paths))
    assert (collection.count(), collection.info()["roots"]) == (2, ["docs"])
    with pytest.raises(
        ConfigurationError, match=r"Leave the label 'own' out.*collection\.delete\('sub/\*', root='docs'\)"
    ):
        collection.ingest("docs/sub", root="own")


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """Return a folder that holds folders only, and so do all in it but the last."""
    folder = tmp_path / "yard"
    (folder / "north" / "quay" / "crane").mkdir(parents=True)
    (folder / "north" / "quay" / "crane" / "manual.txt").write_text("The jib is greased on Mondays.")
    (folder / "south" / "shed").mkdir(parents=True)
    (folder / "south" / "shed" / "rope.txt").write_text("Ropes are counted in spring.")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("inner", ["yard", "yard/north", "yard/north/quay", "yard/north/quay/crane/manual.txt"])
@pytest.mark.parametrize("outer", ["yard", "yard/**/*.txt"])
def test_a_root_of_folders_only_is_noticed_in_every_order(make_collection, deep, inner, outer):
    for number, calls in enumerate((
        [[f"all={outer}", f"own={inner}"]], [[f"own={inner}", f"all={outer}"]],
        [f"all={outer}", f"own={inner}"], [f"own={inner}", f"all={outer}"],
    )):  # fmt: skip
        docs = make_collection(f"docs-{number}")
        with pytest.raises(ConfigurationError, match=TWICE):
            for paths in calls:
                docs.ingest(paths)
        texts = [hit.text for hit in docs.search("Mondays", k=9)]
        assert len(texts) == len(set(texts)) == docs.count()
        assert len(docs.info()["roots"]) == len(calls) - 1


@pytest.mark.parametrize("paths", [["yard/north/quay", "own=yard/north"], ["own=yard/north", "yard=yard/north/quay"]])
def test_a_part_of_a_root_and_a_root_around_that_part_are_refused_before_either(collection, deep, paths):
    from qdrant_embed import ReadOptions

    collection.ingest("yard", reading=ReadOptions(exclude=("north/",)))
    with pytest.raises(ConfigurationError, match="'north' inside 'yard' is a root of its own"):
        collection.ingest(paths)
    assert (collection.count(), collection.info()["roots"]) == (1, ["yard"])


def test_one_folder_has_no_two_labels(collection, deep):
    with pytest.raises(ConfigurationError, match=r"the folder 'yard' is a root of its own \('b'\)"):
        collection.ingest(["a=yard", "b=yard"])
    assert collection.count() == 0


def test_what_a_root_leaves_out_may_be_a_root_of_its_own(collection, docs):
    from qdrant_embed import ReadOptions

    without = ReadOptions(exclude=("sub/",))
    collection.ingest(docs, reading=without)
    collection.ingest(docs / "sub", root="own")
    collection.ingest(docs, reading=without)
    assert (collection.count(), collection.info()["roots"]) == (2, ["docs", "own"])


def test_the_advice_for_a_folder_that_is_there_already_works(collection, docs):
    collection.ingest(docs)
    collection.delete("sub/*", root="docs")
    collection.ingest(docs / "sub", root="own")
    assert (collection.count(), collection.info()["roots"]) == (2, ["docs", "own"])


def test_a_part_of_a_root_may_be_named_by_the_label_of_the_whole(collection, docs):
    collection.ingest(docs, root="own")
    (docs / "sub" / "more.txt").write_text("The gates open at six.")
    assert collection.ingest(docs / "sub", root="own").deleted == 0
    assert (collection.count(), collection.info()["roots"]) == (3, ["own"])
    assert collection.ingest(docs, root="own").reused == 3


def test_a_new_root_is_walked_once_before_it_is_read(collection, docs, tmp_path, monkeypatch):
    walks = []
    original = scopes.walk
    monkeypatch.setattr(scopes, "walk", lambda *given: walks.append(given) or original(*given))
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("Herring is landed at pier two.")
    for folder, expected in ((docs, 2), (other, 2), (other, 2)):
        walks.clear()
        collection.ingest(folder)
        assert len(walks) == expected  # one of them counts the files, beside the ingest or before it


@pytest.mark.parametrize(
    ("what", "hinted"), [(["a text", "another text"], True), (["docs", "docs/nowhere"], False), (["docs/*.xyz"], False)]
)
def test_texts_are_told_of_only_where_no_item_is_a_path(collection, docs, monkeypatch, what, hinted):
    monkeypatch.chdir(docs.parent)
    with pytest.raises(ConfigurationError) as raised:
        collection.ingest(what)
    assert ("If this is no list of paths" in str(raised.value)) is hinted
