"""Looking around a collection without a question, on each local engine."""

import numpy as np
import pytest

from qdrant_embed import Document, Hits
from qdrant_embed.errors import ConfigurationError, MissingExtraError, UnknownNameError

pytestmark = pytest.mark.anywhere

LONG = "\n\n".join(
    f"Paragraph {number} tells of ship number {number}, its crew and the cargo it carried." for number in range(9)
)


LOG = [
    Document(text="A page before.", source="a"),
    Document(text=LONG, source="log", title="Log", metadata={"year": 1926}),
    Document(text="A page after.", source="z"),
]


@pytest.fixture(params=["folder", "memory"])
def log(request, made_once):
    """Return a collection to read, with one long document between two short ones."""
    return made_once(request.param, "log", lambda collection: collection.ingest(LOG))


def test_chunks_are_the_document_in_reading_order(log):
    chunks = log.chunks("log")
    assert len(chunks) > 4
    assert [chunk.chunk_index for chunk in chunks] == list(range(len(chunks)))
    assert all(LONG[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert "".join("".join(chunk.text for chunk in chunks).split()) == "".join(LONG.split())
    with pytest.raises(UnknownNameError, match="Did you mean 'log'"):
        log.chunks("logs")


def test_chunks_takes_a_source_literally(collection):
    collection.ingest([Document(text="One.", source="notes*.md"), Document(text="Two.", source="notes1.md")])
    assert [chunk.text for chunk in collection.chunks("notes*.md")] == ["One."]
    with pytest.raises(UnknownNameError, match="unknown document"):
        collection.chunks("notes*")


def test_chunks_of_one_root_only(collection, pages):
    collection.ingest(pages)
    collection.ingest([Document(text="Keys of another house.", source="guide/keys.md")])
    assert {chunk.root for chunk in collection.chunks("guide/keys.md")} == {"", "harbour"}
    assert [chunk.text for chunk in collection.chunks("guide/keys.md", root="")] == ["Keys of another house."]


@pytest.mark.parametrize(
    ("at", "before", "after", "expected"),
    [(3, 1, 1, [2, 3, 4]), (3, 0, 2, [3, 4, 5]), (3, 0, 0, [3]), (0, 2, 1, [0, 1]), (3, 100, 0, [0, 1, 2, 3])],
)
def test_neighbors_stay_in_their_document(log, at, before, after, expected):
    hit = log.chunks("log")[at]
    around = log.neighbors(hit, before, after)
    assert [found.chunk_index for found in around] == expected
    assert {found.source for found in around} == {"log"}


def test_neighbors_at_the_end(log):
    last = log.chunks("log")[-1]
    assert [found.chunk_index for found in log.neighbors(last, before=1, after=5)] == [
        last.chunk_index - 1,
        last.chunk_index,
    ]


def test_neighbors_of_a_hit(log):
    hit = log.search("ship number 4", k=1, mode="bm25")[0]
    assert hit.id in [found.id for found in log.neighbors(hit)]
    with pytest.raises(ConfigurationError, match="0 or more"):
        log.neighbors(hit, before=-1)


def test_get_returns_the_chunk_of_an_id(log):
    chunk = log.chunks("log")[2]
    assert log.get(chunk.id) == chunk


@pytest.mark.parametrize("wrong", ["5b3c5f0e-6d6c-5c5e-9a53-1f0d8b8a4e51", "abc", ""])
def test_get_says_that_there_is_no_such_point(log, wrong):
    with pytest.raises(ConfigurationError, match="has no point"):
        log.get(wrong)


def test_documents_are_listed_with_what_is_known(collection, pages):
    collection.ingest(pages)
    documents = collection.documents()
    assert [document.source for document in documents] == [
        "guide/cranes.md",
        "guide/keys.md",
        "index.md",
        "notes/fish.txt",
    ]
    for document in documents:
        assert document.size == (pages / document.source).stat().st_size
        assert document.chunks == len(collection.chunks(document.source))
        assert (document.root, bool(document.modified)) == ("harbour", True)
    assert documents[0].title == "Cranes"
    assert documents[0].as_dict()["media_type"] == "text/markdown"
    assert collection.info()["documents"] == 4


def test_documents_are_filtered_by_any_of_their_chunks(log):
    third = log.chunks("log")[3]
    assert [document.source for document in log.documents(filter={"start": {"gte": third.start}})] == ["log"]
    assert [document.source for document in log.documents(filter={"year": 1926})] == ["log"]


def test_more_documents_than_a_page_of_points(collection, monkeypatch):
    monkeypatch.setattr("qdrant_embed.retrieval.browse.PAGE", 7)
    collection.ingest([Document(text=f"Page {number}.", source=f"{number:02}") for number in range(20)])
    assert [document.source for document in collection.documents()] == [f"{number:02}" for number in range(20)]


def test_count(log):
    assert log.count() == len(log.to_pandas()) == len(log.chunks("log")) + 2
    assert log.count(filter={"source": "log"}) == len(log.chunks("log"))


def test_delete_by_source_prefix_and_root(collection, pages):
    collection.ingest(pages)
    collection.ingest([Document(text="Keys of another house.", source="guide/keys.md")])
    gone = len(collection.chunks("guide/keys.md", root="harbour"))
    assert collection.delete("guide/keys.md", root="harbour") == gone
    assert [chunk.root for chunk in collection.chunks("guide/keys.md")] == [""]
    collection.delete("guide/*")
    assert [document.source for document in collection.documents()] == ["index.md", "notes/fish.txt"]
    assert collection.search("master keys", filter={"source": "guide/*"}) == []
    assert collection.delete("guide/*") == 0
    collection.delete(root="harbour")
    assert (collection.count(), collection.info()["roots"]) == (0, [])
    with pytest.raises(ConfigurationError, match="say what to delete"):
        collection.delete()


def test_what_was_deleted_comes_back_with_the_next_ingest(collection, pages):
    collection.ingest(pages)
    before = collection.count()
    collection.delete("guide/*")
    assert collection.ingest(pages).embedded > 0
    assert collection.count() == before


def test_a_frame_has_a_row_for_each_chunk(log):
    frame = log.to_pandas()
    assert list(frame["source"]) == ["a", *["log"] * len(log.chunks("log")), "z"]
    log_rows = frame[frame["source"] == "log"]
    assert list(log_rows["chunk_index"]) == list(range(len(log_rows)))
    assert list(log_rows["text"]) == [chunk.text for chunk in log.chunks("log")]
    assert log_rows["metadata"].iloc[0] == {"year": 1926}
    assert "score" not in frame.columns


def test_a_frame_with_vectors(log):
    frame = log.to_pandas(vectors=True, filter={"source": "a"})
    wanted = log.embedder.embed_documents(["A page before."])[0]
    assert frame["vector"].iloc[0] == pytest.approx(wanted.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    "compression",
    ["float16", "uint8", "center+rotate", "uint8+center+itq", "64d!", "64d!+full+rescore4", "full+bits+itq+rescore4"],
)
def test_the_vectors_of_a_frame_are_the_models(make_collection, compression):
    docs = make_collection(compression=compression)
    texts = [f"Crane {name} stands at the pier." for name in ("anchor", "beam", "dock", "eel", "gate", "hull")]
    docs.ingest([Document(text=text, source=text) for text in texts])
    frame = docs.to_pandas(vectors=True)
    wanted = docs.embedder.embed_documents(list(frame["text"]))
    np.testing.assert_allclose(np.stack(frame["vector"]), wanted, atol=0.01)  # the steps of eight bits, rotated back


def test_the_vectors_of_a_frame_are_one_for_each_window(make_collection):
    docs = make_collection(compression="rotate", window="windows:24", chunker="document")
    text = " ".join(
        f"The harbour owns a {thing}." for thing in ("crane", "bell", "lamp", "scale", "clock", "wheel") * 2
    )
    docs.ingest([Document(text=text, source="a"), Document(text="The mill.", source="b")])
    for text, vectors in zip(*docs.to_pandas(vectors=True)[["text", "vector"]].T.values, strict=True):
        wanted = docs.embedder.encode_windows([text]).vectors[0].vectors
        np.testing.assert_allclose(vectors, wanted, atol=1e-5)


def test_signs_alone_give_a_frame_no_vectors(make_collection):
    docs = make_collection(compression="bits")
    with pytest.raises(ConfigurationError, match="nothing but signs"):
        docs.to_pandas(vectors=True)
    assert "vector" not in docs.to_pandas().columns


def test_an_empty_frame_has_the_same_columns(log):
    assert list(log.to_pandas(filter={"source": "nothing"}).columns) == list(log.to_pandas().columns)
    assert "vector" in log.to_pandas(filter={"source": "nothing"}, vectors=True).columns


def test_a_frame_without_pandas_says_what_to_install(log, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"qdrant-embed\[pandas\]"):
        log.to_pandas()


def test_passages_without_a_question_draw_themselves_too(log):
    chunks = log.chunks("log")
    assert isinstance(chunks, Hits)
    assert isinstance(log.neighbors(chunks[1]), Hits)
    assert "<th>score</th>" not in chunks._repr_html_()
    assert "Paragraph 0 tells" in chunks._repr_html_()


def test_a_collection_says_what_it_is_even_when_it_is_closed(collection):
    collection.ingest(LOG)
    assert repr(collection) == f"Collection('harbour', model='hashing', {collection.count()} chunks)"
    collection.close()
    assert repr(collection).startswith("Collection('harbour', model='hashing'")
