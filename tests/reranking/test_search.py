"""A search with rerankers: depth, chains, documents, longer passages, and what is said of wrong words."""

import pytest

from qdrant_embed import Document
from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.reranking import Reranker

QUESTION = "herring is landed at which pier?"


class Backwards(Reranker):
    """Turns the first hits round, and notes what it is given."""

    def __init__(self, depth=8):
        self.depth, self.given = depth, []

    def rerank(self, query, hits):
        from dataclasses import replace

        self.given.append((query, [hit.id for hit in hits]))
        return [replace(hit, score=1.0 / rank) for rank, hit in enumerate(reversed(hits), 1)]


def ids(hits):
    return [hit.id for hit in hits]


def test_the_first_hits_are_the_same_for_every_k_and_offset(docs):
    plain = ids(docs.search(QUESTION, k=32))
    whole = docs.search(QUESTION, k=32, rerank=Backwards())
    assert ids(whole) == [*plain[:8][::-1], *plain[8:]]
    assert {hit.score for hit in whole[8:]} == {whole[7].score}
    for k, offset in [(1, 0), (5, 0), (5, 3), (20, 5), (3, 31)]:
        part = docs.search(QUESTION, k=k, offset=offset, rerank=Backwards())
        assert list(part) == whole[offset : offset + k]
        assert part.offset == offset


def test_hits_know_where_they_stood(docs):
    plain = docs.search(QUESTION, k=8)
    ranked = docs.search(QUESTION, k=8, rerank=["mmr", Backwards()])
    places = {hit.id: (rank, hit.score) for rank, hit in enumerate(plain, 1)}
    known = {hit.id: (hit.first_rank, hit.first_score) for hit in ranked if hit.id in places}
    assert known and known.items() <= places.items()
    assert (plain[0].first_rank, plain[0].first_score) == (None, None)
    assert ranked.to_pandas()["first_rank"].notna().all()


def test_several_questions_go_through_at_once(docs):
    questions = [QUESTION, "coal", "zzz qqq"]
    steps = ["mmr:0.3", Backwards()]
    both = docs.search(questions, k=4, rerank=steps)
    assert [list(hits) for hits in both] == [docs.search(one, k=4, rerank=steps) for one in questions]
    assert [hits.query for hits in both] == questions
    assert docs.search([], rerank="mmr") == []


def test_a_chain_goes_through_each_step(docs):
    one, other = Backwards(6), Backwards(4)
    ranked = docs.search(QUESTION, k=8, rerank=[one, other])
    plain = ids(docs.search(QUESTION, k=8))
    turned = plain[:6][::-1]
    assert one.given == [(QUESTION, plain[:6])]
    assert other.given == [(QUESTION, turned[:4])]
    assert ids(ranked) == [*turned[:4][::-1], *turned[4:], *plain[6:]]
    assert ids(docs.search(QUESTION, k=8, rerank=[])) == plain


def test_scores_below_the_least_are_left_out_by_the_last_scale(docs):
    ranked = docs.search(QUESTION, k=32, rerank=Backwards(4), min_score=0.3)
    assert [hit.score for hit in ranked] == pytest.approx([1.0, 1 / 2, 1 / 3])


def test_documents_are_ranked_by_their_best_passages_and_never_too_few(make_collection):
    made = make_collection(chunk_tokens=16)
    line = "Cod number {} is landed at pier {} today."
    for name in range(12):
        text = "\n\n".join(line.format(name, part) for part in range(20))
        made.ingest([Document(text=text, source=f"{name}.md")])
    plain = made.search("which cod is landed at pier 3?", k=12, group_by="document")
    step = Backwards(100)
    ranked = made.search("which cod is landed at pier 3?", k=10, group_by="document", rerank=step)
    assert ids(ranked) == ids(plain)[::-1][:10]
    assert len({hit.document_id for hit in ranked}) == 10
    assert len(step.given[0][1]) == 12


def test_passages_are_made_longer_last(make_collection):
    made = make_collection(chunk_tokens=16)
    made.ingest([Document(text="\n\n".join(f"Line {n} tells of cod." for n in range(20)), source="cod.md")])
    step = Backwards()
    longer = made.search("what tells line 7?", k=3, rerank=step, expand=1)
    chosen = made.search("what tells line 7?", k=3, rerank=Backwards())
    assert longer[0].id == chosen[0].id
    assert chosen[0].text in longer[0].text and len(longer[0].text) > len(chosen[0].text)
    assert longer[0].first_rank == 8


def test_filters_and_modes_are_those_of_the_first_list(docs):
    for mode in ("dense", "bm25"):
        found = docs.search("cod", k=40, mode=mode, filter={"source": "1*"}, rerank="mmr")
        assert {hit.source[0] for hit in found} == {"1"}
        assert sorted(ids(found)) == sorted(ids(docs.search("cod", k=40, mode=mode, filter={"source": "1*"})))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("mrr", UnknownNameError, r"unknown reranker 'mrr'\. Did you mean 'mmr'\? Known: .*mmr.*recency"),
        (["mmr", "tokns"], UnknownNameError, "unknown reranker 'tokns'"),
        ("", UnknownNameError, "unknown reranker ''"),
        (3, ConfigurationError, r"rerank=3 is of type int; give a word such as 'mmr:0\.3', a Reranker, or a list"),
        ([None], ConfigurationError, "rerank=None is of type NoneType"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_searched(docs, given, error, message):
    with pytest.raises(error, match=message):
        docs.search("cod", rerank=given)


def test_a_reranker_that_loses_hits_is_refused(docs):
    class Half(Reranker):
        def rerank(self, query, hits):
            return list(hits[::2])

    with pytest.raises(ConfigurationError, match=r"the reranker Half was given 32 hits and returned 16"):
        docs.search(QUESTION, rerank=Half())
