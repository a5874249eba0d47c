"""One passage of each document: the same as all passages ranked and the first of each document kept."""

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError

QUESTION = "which crane lifts the herring at night?"
MODES = ["hybrid", "dense", "bm25"]
LONG = 300


@pytest.fixture(scope="module", params=["float32", "bits", "int8+rescore2"])
def docs(request, tmp_path_factory):
    """Return one document of many chunks that all answer, before many short ones."""
    at = tmp_path_factory.mktemp("groups") / "data"
    recipe = Recipe(model="hashing", chunk_tokens=24, compression=request.param)
    with Collection.open("harbor", at=at, recipe=recipe) as made:
        lines = [f"Crane number {n} lifts the herring at night, which pleases hall {n}." for n in range(LONG)]
        made.ingest([Document(text="\n\n".join(lines), source="long")], sync=False)
        made.ingest(
            [Document(text=f"Crane {n} rests. Herring {n % 7} is weighed.", source=f"short {n:02}") for n in range(30)]
        )
        yield made


def firsts(hits):
    found = {}
    for hit in hits:
        found.setdefault(hit.document_id, hit)
    return list(found.values())


@pytest.mark.parametrize("mode", MODES)
def test_a_document_gives_its_best_passage(docs, mode):
    found = docs.search(QUESTION, 12, mode=mode, group_by="document")
    assert len({hit.source for hit in found}) == len(found) == 12
    if not docs.recipe.compression.startswith("int8"):  # rescores more where more is asked for
        assert [hit.id for hit in found] == [hit.id for hit in firsts(docs.search(QUESTION, 400, mode=mode))][:12]


@pytest.mark.parametrize("mode", MODES)
def test_the_first_documents_are_the_same_for_every_k(docs, mode):
    most = docs.search(QUESTION, 31, mode=mode, group_by="document")
    assert len(most) == 31, "no document is lacking because another one has three hundred passages"
    for k, offset in [(1, 0), (4, 0), (9, 3), (50, 0), (5, 29)]:
        page = docs.search(QUESTION, k, mode=mode, group_by="document", offset=offset)
        assert [hit.id for hit in page] == [hit.id for hit in most][offset : offset + k]


def test_filters_scores_and_batches(docs):
    questions = [QUESTION, "where is herring 3 weighed?"]
    together = docs.search(questions, 6, mode="bm25", group_by="document")
    assert list(together) == [docs.search(question, 6, mode="bm25", group_by="document") for question in questions]
    short = docs.search(QUESTION, 40, mode="bm25", group_by="document", filter={"source": "short*"})
    assert {hit.source.split()[0] for hit in short} == {"short"}
    least = short[4].score
    strong = docs.search(QUESTION, 40, mode="bm25", group_by="document", min_score=least)
    assert strong
    assert all(hit.score >= least for hit in strong)


def test_rounds_are_few(docs, monkeypatch):
    engine, rounds = docs.engine, []
    ask = engine.query_batch_points
    monkeypatch.setattr(engine, "query_batch_points", lambda *given, **named: rounds.append(1) or ask(*given, **named))
    assert len(docs.search(QUESTION, 31, mode="bm25", group_by="document")) == 31
    assert len(rounds) <= 4


@pytest.mark.parametrize("given", ["source", "", 3])
def test_other_groups_are_refused(docs, given):
    with pytest.raises(ConfigurationError, match=r"group_by=.*give group_by='document'"):
        docs.search(QUESTION, group_by=given)
