"""MMR: what a slow twin of it picks, what Qdrant's own picks, and what is refused."""

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed import Document
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.reranking import MmrReranker
from qdrant_embed.testing import check_reranker

QUESTION = "herring is landed at which pier?"


def picked_slowly(relevant, vectors, diversity):
    """Take one after another, each compared with each that was taken, as Carbonell and Goldstein write it."""

    def cosine(one, other):
        return max(0.0, float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)))

    left, taken = list(range(len(relevant))), []
    while left:
        scored = [
            (
                (1 - diversity) * relevant[place]
                - diversity * max((cosine(vectors[place], vectors[other]) for other, _ in taken), default=0.0),
                -place,
            )
            for place in left
        ]
        score, place = max(scored)
        taken.append((-place, score))
        left.remove(-place)
    return taken


def vectors_of(docs, hits):
    frame = docs.to_pandas(vectors=True).set_index("id")
    return [frame.loc[hit.id, "vector"] for hit in hits]


def test_the_suite_runs_over_it(docs):
    check_reranker(docs.parts.reranker("mmr"), QUESTION, docs.search(QUESTION, k=12))


@pytest.mark.parametrize("diversity", [0.0, 0.3, 0.5, 1.0])
def test_it_picks_what_a_slow_twin_picks(docs, diversity):
    hits = docs.search(QUESTION, k=100, mode="dense")
    scores = np.array([hit.score for hit in hits])
    relevant = (scores - scores.min()) / (scores.max() - scores.min())
    expected = picked_slowly(relevant, vectors_of(docs, hits), diversity)
    ranked = docs.search(QUESTION, k=100, mode="dense", rerank=f"mmr:{diversity}")
    assert [hit.score for hit in ranked] == pytest.approx([score for _, score in expected], abs=1e-5)
    if diversity:
        firsts = [hits[place].source for place, _ in expected[:8]]
        assert [hit.source for hit in ranked[:8]] == firsts
    else:
        assert [hit.id for hit in ranked] == [hit.id for hit in hits]


def test_it_picks_what_the_engines_own_picks(make_collection):
    """Qdrant's relevance is the cosine itself, so that its weights differ from ours by the range of the cosines."""
    made, diversity = make_collection(at=":memory:"), 0.5
    texts = (f"Ship {number} brings {number % 7} tons of coal, {number % 5} of salt." for number in range(40))
    made.ingest([Document(text=text, source=text) for text in texts])
    hits = made.search("coal and salt of ship 4", k=40, mode="dense")
    spread = diversity * (hits[0].score - hits[-1].score)
    answer = made.engine.query_points(
        made.name,
        query=models.NearestQuery(
            nearest=made.embedder.embed_queries(["coal and salt of ship 4"])[0].tolist(),
            mmr=models.Mmr(diversity=spread / (1 - diversity + spread), candidates_limit=40),
        ),
        using="dense",
        limit=8,
    )
    ours = made.search("coal and salt of ship 4", k=8, mode="dense", rerank=f"mmr:{diversity}")
    relevance = {hit.id: hit.score for hit in hits}
    # Where two are as good, either may come first.
    assert [relevance[hit.id] for hit in ours] == pytest.approx([point.score for point in answer.points], abs=1e-5)
    assert {hit.id for hit in ours} == {str(point.id) for point in answer.points}


def test_what_repeats_is_put_behind(docs):
    plain = docs.search("herring cod", k=4, mode="dense")
    other = docs.search("herring cod", k=4, mode="dense", rerank="mmr:1.0")
    kinds = [{hit.text.partition(" ")[0] for hit in hits} for hits in (plain, other)]
    assert len(kinds[0]) < len(kinds[1]) == 4


@pytest.mark.folder
def test_vectors_of_windows_and_codes_count_too(make_collection, tmp_path):
    for number, settings in enumerate([{"window": "windows:24", "chunker": "document"}, {"compression": "int8"}]):
        made = make_collection(f"kept-{number}", at=tmp_path / "data", **settings)
        made.ingest([Document(text=f"Ship {ship} carries coal. " * 12, source=str(ship)) for ship in range(6)])
        assert len(made.search("which ship carries coal?", k=6, rerank="mmr")) == 6


def test_signs_alone_are_refused(make_collection):
    bits = make_collection(compression="bits")
    bits.ingest([Document(text=f"Ship {number}.", source=str(number)) for number in range(4)])
    with pytest.raises(ConfigurationError, match=r"keeps nothing but signs .* compression='float16'"):
        bits.search("ship", rerank="mmr")


@pytest.mark.parametrize("word", ["mmr:x", "mmr:1.5", "mmr:-1", "mmr:nan", "mmr:0.3:more"])
def test_other_numbers_are_refused(docs, word):
    with pytest.raises(ConfigurationError, match=r"from 0 to 1.*mmr:0\.3"):
        docs.search("ship", rerank=word)


def test_hits_of_another_collection_are_refused(docs, make_collection):
    other = make_collection("other")
    other.ingest([Document(text=f"Ship {number}.", source=str(number)) for number in range(4)])
    with pytest.raises(ConfigurationError, match="collection 'notes' has none of these 4 passages"):
        docs.parts.reranker("mmr").rerank("ship", other.search("ship"))
    assert MmrReranker.depth == 100
