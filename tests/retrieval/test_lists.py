"""The first hits are the same however many are asked for, and pages follow each other."""

import random

import pytest

from qdrant_embed import Document
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval import query_plan
from qdrant_embed.retrieval.fusion.fused_ranking import rrf_fuse
from tests.support.server_stand_in import StandIn

pytestmark = pytest.mark.anywhere

WORDS = [
    "harbour",
    "boat",
    "rope",
    "sail",
    "mast",
    "pier",
    "tide",
    "wind",
    "crew",
    "deck",
    "lamp",
    "chart",
    "anchor",
    "net",
    "fish",
]
KS = (1, 2, 5, 10, 20, 50, 100, 150, 400)


@pytest.fixture(scope="module")
def records():
    """Return many short records of equal length, so that most scores are equal to others."""
    draw = random.Random(4)
    return [
        Document(text=" ".join(draw.sample(WORDS, 6)) + f" note {number}", source=str(number)) for number in range(500)
    ]


@pytest.mark.folder
@pytest.mark.parametrize("compression", ["float32", "binary+rescore4", "bits", "full+bits+rescore2"])
def test_the_first_hits_do_not_depend_on_k(make_collection, records, compression):
    docs = make_collection(compression=compression)
    docs.ingest(records)
    for mode in ("hybrid", "dense", "bm25"):
        # Beyond the depth, more codes are rescored for more hits.
        most = query_plan.DEPTH if mode == "dense" and "rescore" in compression else KS[-1]
        all_of_them = [(hit.id, hit.score) for hit in docs.search("boat with rope and sail", k=most, mode=mode)]
        scores = [score for _, score in all_of_them]
        assert scores == sorted(scores, reverse=True)
        assert len(set(all_of_them)) == len(all_of_them) >= 100
        for k in [k for k in KS if k <= most]:
            found = [(hit.id, hit.score) for hit in docs.search("boat with rope and sail", k=k, mode=mode)]
            assert found == all_of_them[:k], (mode, k)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "bm25"])
def test_pages_are_parts_of_one_ranking(make_collection, records, mode):
    docs = make_collection(at=":memory:")
    docs.ingest(records[:150])
    question = "lamp at the pier"
    whole = docs.search(question, k=30, mode=mode)
    pages = [docs.search(question, k=10, offset=offset, mode=mode) for offset in (0, 10, 20)]
    assert [hit for page in pages for hit in page] == whole
    assert [page.offset for page in pages] == [0, 10, 20]
    assert list(pages[1].to_pandas()["rank"]) == list(range(11, 21))
    assert docs.search(question, k=10, offset=100_000, mode=mode) == []


def test_pages_behind_what_the_lists_offer_at_first_follow_each_other(make_collection):
    docs = make_collection(at=":memory:")
    draw = random.Random(5)
    texts = [" ".join(draw.choices([*WORDS, "and", "of", "the"], k=draw.randrange(5, 40))) for _ in range(300)]
    docs.ingest(Document(text=text, source=str(place)) for place, text in enumerate(texts))
    question = "and of the"  # nothing but stop words: one list alone is fused
    whole = docs.search(question, k=300)
    pages = [docs.search(question, k=60, offset=offset) for offset in range(0, 300, 60)]
    assert [hit for page in pages for hit in page] == whole


@pytest.mark.parametrize("offset", [-1, 1.5, "2", True])
def test_what_is_no_offset_is_refused(harbour, offset):
    with pytest.raises(ConfigurationError, match="offset="):
        harbour.search("keys", offset=offset)


def test_more_equal_hits_than_are_asked_for_at_first(make_collection, monkeypatch):
    docs = make_collection()
    docs.ingest([Document(text="the same words", source=f"{number:04}") for number in range(900)])
    asked, ask = [], docs.engine.query_batch_points

    def watched(name, requests):
        asked.extend(request.limit for request in requests)
        return ask(name, requests)

    monkeypatch.setattr(docs.engine, "query_batch_points", watched)
    hits = docs.search("the same words", k=3, mode="bm25")
    assert [hit.source for hit in hits] == ["0000", "0001", "0002"]
    assert max(asked) > 900
    assert hits == docs.search("the same words", k=300, mode="bm25")[:3]


def test_equal_scores_have_equal_ranks():
    from qdrant_embed.store.methods.ranking_request import FoundPoint

    def points(*scores):
        return [FoundPoint(place, score) for place, score in enumerate(scores)]

    scores = {point.id: point.score for point in rrf_fuse([points(3.0, 2.0, 2.0, 1.0)])}
    assert scores == {0: 1 / 2, 1: 1 / 3, 2: 1 / 3, 3: 1 / 5}


@pytest.mark.parametrize(
    ("compression", "mode", "most"),
    [("float32", "hybrid", 2), ("full+bits+rescore2", "dense", 1), ("full+bits+rescore2", "hybrid", 2)],
)
def test_several_queries_are_one_request(make_collection, records, monkeypatch, compression, mode, most):
    docs = make_collection(at=":memory:", compression=compression)
    docs.ingest(records[:150])
    questions = ["boat with rope", "lamp at the pier", "wind and tide", "the", "crew and deck"]
    singly = [docs.search(question, k=3, mode=mode) for question in questions]
    asked, ask = [], docs.engine.query_batch_points

    def watched(name, requests):
        asked.append(len(requests))
        return ask(name, requests)

    monkeypatch.setattr(docs.engine, "query_batch_points", watched)
    assert list(docs.search(questions, k=3, mode=mode)) == singly
    # Lists whose hits are equal at their end are asked for again, all at once.
    assert 1 <= len(asked) <= 2 * most
    assert max(asked) >= len(questions) - 1


def test_equal_scores_come_in_the_order_of_the_corpus_on_every_engine(make_collection, tmp_path):
    texts = ["the boat and the rope", "a lamp at the pier", "the boat and the rope, again"]
    draw = random.Random(6)
    given = [(root, f"{number:03}.txt", draw.choice(texts)) for root in ("quay", "dock") for number in range(90)]
    draw.shuffle(given)
    answers = []
    with StandIn() as server:
        for at in (":memory:", tmp_path / "folder", server.url):
            docs = make_collection(at=at, chunk_tokens=24)
            for root in ("quay", "dock"):
                docs.ingest(
                    [Document(text=text, source=source) for own, source, text in given if own == root], root=root
                )
            ways = [{"mode": mode} for mode in ("dense", "bm25", "rrf", "hybrid")] + [{"group_by": "document"}]
            answers.append([[hit.place for hit in docs.search("boat with rope", k=20, **way)] for way in ways])
            docs.close()
    assert answers[0] == answers[1] == answers[2]
    for found, alike in zip(answers[0], (texts[:1], texts[::2]), strict=False):  # "again" is a stop word of BM25
        assert found == sorted(f"{root}: {source}" for root, source, text in given if text in alike)[:20]
