"""Evaluations of small collections: drawn and judged questions, the report, and what cannot be measured."""

import json
import re

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.comparison import Evaluation, SettingScores
from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.evaluation import Question
from tests.calibration.footprints import count_in_a_fork
from tests.compression.samples import WORDS

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def harbour(collection):
    """Return a collection of pages with headings, one of them hostile, on either local engine."""
    fill(collection)
    return collection


def fill(collection):
    rng = np.random.default_rng(5)
    pages = []
    for n in range(12):
        halves = [" ".join(rng.choice(WORDS, 9)) for _ in range(4)]
        said = "\n\n".join(f"The {half} is told of on page {n}." for half in halves[1:])
        text = f"# Page {n} of the harbour\n\nOn page {n} the {halves[0]}.\n\n## Section {n} {SCRIPT}\n\n{said}"
        pages.append(Document(text=text, source=f"guide/{n}.md", media_type="text/markdown"))
    collection.ingest(pages)


def test_drawn_questions_are_asked_of_every_mode(harbour):
    told = []
    found = harbour.evaluate(n=40, progress=told.append)
    assert told == [one.setting for one in found.settings] == ["hybrid", "rrf", "dense", "bm25"]
    assert set(found.kinds) == {"heading", "opening", "sentence", "words"}
    assert sorted(found.kinds["heading"] + found.kinds["opening"]) == found.counted
    assert len(found.questions) == 40
    assert {one.setting for one in found.comparisons} == {"rrf", "dense", "bm25"}
    assert found.settings[3].values("ndcg", found.kinds["sentence"]).mean() > 0.8
    again = harbour.evaluate(n=40)
    assert [one.ranks for one in again.settings] == [one.ranks for one in found.settings]
    assert again.rows()[1][:4] == found.rows()[1][:4]


def test_folder_and_memory_give_the_same(make_collection):
    both = [make_collection("twin", chunk_tokens=24), make_collection("twin", at=":memory:", chunk_tokens=24)]
    ranks = []
    for docs in both:
        fill(docs)
        found = docs.evaluate(n=24, k=5)
        ranks.append([(question.text, [one.ranks[n] for one in found.settings])
                      for n, question in enumerate(found.questions)])  # fmt: skip
    assert ranks[0] == ranks[1]


def test_questions_are_embedded_once(harbour, monkeypatch):
    asked, whole = [], type(harbour.embedder).embed_queries
    monkeypatch.setattr(
        type(harbour.embedder), "embed_queries", lambda self, texts, **more: asked.append(texts) or whole(self, texts)
    )
    found = harbour.evaluate(n=20, settings=["dense", "hybrid"])
    assert [one.setting for one in found.settings] == ["dense", "hybrid"]
    assert [sorted(texts) for texts in asked] == [sorted({question.text for question in found.questions})]


def test_documents_are_judged_by_their_sources_in_any_form(harbour, tmp_path):
    text = harbour.chunks("guide/3.md")[1].text
    whole, short, chunk = (
        harbour.evaluate([Question(text, {name: 1, "guide/7.md": 0})], settings=["bm25"], k=3)
        for name in ("guide/3.md", "3", harbour.chunks("guide/3.md")[1].id)
    )
    assert whole.settings[0].ranks == short.settings[0].ranks == chunk.settings[0].ranks == (1,)
    assert whole.unknown == ()
    (tmp_path / "asked.jsonl").write_text(json.dumps({"text": text, "relevant": {"3.md": 1, "gone.md": 1}}))
    found = harbour.evaluate(tmp_path / "asked.jsonl", settings=["bm25"])
    assert (found.unknown, found.settings[0].recall) == (("gone.md",), (0.5,))
    assert "1 judged document, such as 'gone.md'" in found.about()


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        ([Question("cod?")], "1 of 1 questions do not say"),
        ([], "0 of 0 questions do not say"),
        ([Question("cod?", {"nowhere.md": 1})], "no judged document is in the collection, which holds 'guide/"),
        (["cod?"], r"give Question\("),
    ],
)
def test_what_cannot_be_measured_is_said(harbour, questions, said):
    with pytest.raises(ConfigurationError, match=said):
        harbour.evaluate(questions)


def test_settings_are_those_of_the_collection(harbour):
    with pytest.raises(UnknownNameError, match=r"unknown setting 'sparse'.*bm25, dense, hybrid"):
        harbour.evaluate(settings=["sparse"])
    with pytest.raises(UnknownNameError, match="unknown reranker 'shuffle'"):
        harbour.evaluate(settings=["dense+shuffle:1"])
    with pytest.raises(ConfigurationError, match="n=0"):
        harbour.evaluate(n=0)


def test_rerankers_stand_behind_a_mode(harbour):
    found = harbour.evaluate(n=20, settings=["bm25", "bm25+mmr:0", "dense+mmr:0.9"], k=5)
    by_words, again, spread = found.settings
    assert again.setting == "bm25+mmr:0"
    assert again.ranks == by_words.ranks  # no diversity: the order stays
    assert spread.setting == "dense+mmr:0.9"
    assert spread.ndcg != harbour.evaluate(n=20, settings=["dense"], k=5).settings[0].ndcg


def test_compressions_are_measured_beside_the_collections_own(make_collection, monkeypatch):
    count_in_a_fork(monkeypatch)
    docs = make_collection("compressed", chunk_tokens=24)
    fill(docs)
    before = docs.recipe
    found = docs.evaluate(n=60, settings=["dense"], compressions=["float32", "bits"])
    dense, whole, signs = found.settings
    assert [one.setting for one in (whole, signs)] == ["dense:float32", "dense:bits"]
    assert whole.ranks == dense.ranks
    assert signs.ram < whole.ram
    assert {one.against for one in found.comparisons} == {"dense"}
    assert docs.recipe == before
    assert "No compression surely" in found.verdict() or "is the smallest" in found.verdict()
    assert found.rows()[0][-1] == "RAM B"
    with pytest.raises(ConfigurationError, match="must be trained first"):
        docs.evaluate(compressions=["full+bits+learned16+rescore2"])
    monkeypatch.setattr("qdrant_embed.comparison.evaluation_run.MOST_VECTORS", 50)
    with pytest.raises(ConfigurationError, match="Leave compressions out"):
        docs.evaluate(compressions=["bits"])


def test_the_page_needs_nothing_and_runs_nothing(harbour, tmp_path):
    found = harbour.evaluate([Question(f"{SCRIPT} crane", {"guide/3.md": 1})], settings=["dense", "bm25"], k=1)
    page = found.page(tmp_path / "page.html").read_text()
    assert len(found.missed) <= 1
    assert "<svg" in page
    assert not re.search(r"<script|https?:|<link|@import|<img|url\((?!#)", page)
    assert found.plot(tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert "<script" not in found._repr_html_()


def scored(setting, values, ram=None):
    ranks = tuple(1 if value else 0 for value in values)
    return SettingScores(setting=setting, recall=values, ndcg=values, ranks=ranks, first=("",) * len(values), ms=1.0,
                         ram=ram)  # fmt: skip


def report(*settings, kind="given"):
    questions = tuple(Question(f"question {n}", {"a": 1}, kind) for n in range(len(settings[0].ndcg)))
    return Evaluation(collection="harbour", k=10, questions=questions, settings=settings, missed=())


def test_a_setting_is_taken_only_where_it_is_shown_to_be_better():
    rng = np.random.default_rng(1)
    base = rng.random(100) * 0.5
    hybrid, better = scored("hybrid", tuple(base)), scored("dense", tuple(base + rng.random(100) * 0.2))
    luckier = scored("bm25", tuple(base + rng.normal(0.001, 0.2, 100)))
    found = report(hybrid, better, luckier)
    assert found.chosen is better
    assert found.verdict().startswith("take 'dense': nDCG@10")
    assert [one.sure for one in found.comparisons] == [True, False]
    found = report(hybrid, luckier)
    assert found.chosen is hybrid
    assert "no difference" in found.verdict()
    worse = report(better, hybrid)
    assert worse.chosen is better
    assert worse.verdict().endswith("on 100 questions, better than all others.")


def test_drawn_questions_do_not_tell_to_search_by_words_alone():
    base = np.random.default_rng(1).random(100) * 0.5
    both = scored("hybrid", tuple(base)), scored("bm25", tuple(base + 0.1))
    assert report(*both).chosen is both[1]
    drawn = report(*both, kind="opening")
    assert drawn.chosen is both[0]
    assert "'bm25' has +0.100 (p 0.0001): drawn questions use the texts' own words" in drawn.verdict()


def test_the_smallest_compression_that_loses_nothing_is_named():
    base = np.linspace(0, 1, 80)
    dense = scored("dense", tuple(base))
    small, smaller = scored("dense:bits", tuple(base * 0.9), 48), scored("dense:int8", tuple(base - 0.001), 400)
    assert "'int8' is the smallest (400 bytes" in report(dense, small, smaller).verdict()
    assert "No compression surely loses less than 0.02" in report(dense, small).verdict()


def test_the_report_as_text_json_and_frame():
    found = report(scored("hybrid", (1.0, 0.0, 1.0)), scored("dense", (1.0, 0.0, 0.0)))
    assert [line.split() for line in str(found).splitlines()[:3]] == [
        ["setting", "recall@10", "nDCG@10", "MRR@10", "change", "p", "ms"],
        ["hybrid", *["0.667", "(.00–1.00)"] * 3, "1.0"],
        ["dense", *["0.333", "(.00–1.00)"] * 3, "-0.333", "1.00", "1.0"],
    ]
    told = json.loads(json.dumps(found.as_dict()))
    assert told["chosen"] == "hybrid"
    assert told["settings"][1]["ndcg"][0] == 0.3333
    assert told["questions"][2]["ranks"] == {"hybrid": 1, "dense": None}
    frame = found.to_pandas()
    assert list(frame.columns) == ["question", "kind", "setting", "recall", "ndcg", "rank", "first"]
    assert frame.groupby("setting").ndcg.mean().round(2).to_dict() == {"dense": 0.33, "hybrid": 0.67}
