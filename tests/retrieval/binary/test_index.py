"""Codes in memory: whatever is written, by whichever handle, is what the next search sees."""

import pytest

from qdrant_embed import Document
from qdrant_embed.store.filters import to_filter

SIGNS = ("bits+rotate", "full+bits+rotate+rescore4")
WORDS = ("anchor", "beam", "crane", "dock", "eel", "fish", "gate", "hull", "iron", "jetty", "keel", "lamp")
MORE = 200
"""More documents than a search fetches, so that one that is gone need not be among those."""


def documents():
    rows = [Document(text=f"The {word} lies at the pier.", source=f"{word}.txt") for word in WORDS]
    return rows + [Document(text=f"Herring and cod number {n} are weighed.", source=f"{n}.txt") for n in range(MORE)]


@pytest.fixture(params=SIGNS)
def make_signs(request, collection, make_collection):
    """Return a function that opens handles on one collection of sign codes, on each local engine."""
    at = collection.engine.client if "memory" in repr(collection.engine) else None
    return lambda: make_collection("signs", at=at, compression=request.param)


def nearest(docs, query, k=1):
    return [hit.source for hit in docs.search(query, k=k, mode="dense")]


@pytest.mark.parametrize("handles", ["the same handle", "another handle"])
def test_a_document_that_was_replaced_is_found_by_its_new_text(make_signs, handles):
    docs = make_signs()
    docs.ingest(documents())
    assert nearest(docs, "the lamp lies at the pier") == ["lamp.txt"]
    writer = docs if handles == "the same handle" else make_signs()
    writer.ingest([Document(text="Herring and cod are weighed in the tower.", source="lamp.txt")])
    assert docs.count() == len(WORDS) + MORE
    assert nearest(docs, "herring and cod are weighed in the tower") == ["lamp.txt"]
    assert nearest(docs, "the lamp lies at the pier") != ["lamp.txt"]


def test_what_was_removed_is_replaced_by_the_next_best(make_signs, tmp_path):
    (tmp_path / "pages").mkdir()
    for document in documents()[: len(WORDS)]:
        (tmp_path / "pages" / document.source).write_text(document.text)
    docs = make_signs()
    docs.ingest(tmp_path / "pages")
    assert len(nearest(docs, "the gate lies at the pier", k=12)) == 12
    make_signs().delete("gate.txt")
    (tmp_path / "pages" / "gate.txt").unlink()
    assert sorted(nearest(docs, "the gate lies at the pier", k=11)) == sorted(
        {f"{w}.txt" for w in WORDS} - {"gate.txt"}
    )
    (tmp_path / "pages" / "hull.txt").unlink()
    docs.ingest(tmp_path / "pages")
    assert len(nearest(docs, "the gate lies at the pier", k=10)) == 10


def test_points_whose_writer_died_before_it_could_say_so_are_not_missed(make_signs):
    docs = make_signs()
    docs.ingest(documents())
    best = docs.search("the gate lies at the pier", k=4, mode="dense")
    docs.engine.delete(docs.name, points_selector=[hit.id for hit in best[:3]])
    found = docs.search("the gate lies at the pier", k=4, mode="dense")
    assert len(found) == 4
    assert not {hit.id for hit in found} & {hit.id for hit in best[:3]}


def test_only_codes_of_points_that_came_are_read(make_signs, monkeypatch):
    docs = make_signs()
    docs.ingest(documents())
    nearest(docs, "the gate lies at the pier")
    read = []
    for method in ("scroll", "retrieve"):
        monkeypatch.setattr(docs.engine, method, watched(getattr(docs.engine, method), read), raising=False)
    make_signs().ingest([Document(text=f"Seal {n} barks.", source=f"{word}.txt") for n, word in enumerate("ab")])
    docs.delete("lamp.txt")
    assert nearest(docs, "seal barks") != ["lamp.txt"]
    assert sum(read) == 2


def watched(method, read):
    """Return an engine's method that notes of how many points it gave vectors."""

    def call(*given, **named):
        found = method(*given, **named)
        if named.get("with_vectors"):
            read.append(len(found[0] if isinstance(found, tuple) else found))
        return found

    return call


@pytest.mark.parametrize("sources", [("lamp.txt",), tuple(f"{n}.txt" for n in range(0, MORE, 2)), ("none.txt",)])
def test_filters_that_few_or_many_points_pass_give_what_is_nearest_of_these(make_signs, sources):
    docs = make_signs()
    docs.ingest(documents())
    index, condition = docs.parts.searcher.lists.hamming, to_filter({"source": list(sources)})
    coded = docs.parts.codec.vector_codec.queries(docs.embedder.embed_queries(["the lamp and the herring are weighed"]))
    passing = set(docs.to_pandas(filter={"source": list(sources)})["id"])
    everything = index.nearest(coded.vectors[0], len(WORDS) + MORE, None)
    assert len(everything) == len(WORDS) + MORE
    expected = [(point, score) for point, score in everything if point in passing][:3]
    assert index.nearest(coded.vectors[0], 3, condition) == expected
