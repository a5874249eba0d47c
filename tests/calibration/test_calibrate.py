import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.compression.nearest import hyperplanes
from qdrant_embed import Document
from qdrant_embed.calibration.calibration_run import CalibrateOptions
from qdrant_embed.calibration.trial import Trial, try_settings
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.evaluation import Question
from qdrant_embed.evaluation.exact_search import exact_search, similarity
from qdrant_embed.evaluation.metrics import bootstrap_interval, ndcg
from tests.calibration.footprints import count_in_a_fork
from tests.compression.samples import WORDS, clustered

SETTINGS = ("float32", "float16", "binary", "bits")


@pytest.fixture
def filled(make_collection, monkeypatch):
    """Return a collection of which a calibration asks little, and whose trials it measures in this process."""
    monkeypatch.setattr("qdrant_embed.calibration.calibration_run.DRAWN", 20)
    count_in_a_fork(monkeypatch)
    rng = np.random.default_rng(3)
    collection = make_collection("harbour")
    texts = [f"The {' '.join(rng.choice(WORDS, 10))} is at place {n}." for n in range(100)]
    collection.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(texts)])
    return collection


@pytest.mark.folder
def test_the_cheapest_setting_that_meets_the_target_is_chosen_and_applied(filled, tmp_path):
    seen = []
    options = CalibrateOptions(k=5, target_recall=0.95, settings=SETTINGS, progress=lambda *told: seen.append(told[0]))
    found = filled.calibrate(options=options)
    assert seen[:4] == list(SETTINGS)
    assert all(told.endswith("with its graph") for told in seen[4:]) and len(seen) > 4
    by_name = {trial.setting: trial for trial in found.trials}
    assert by_name["float32"].recall == 1.0
    assert by_name["bits"].recall < 1.0
    rescored = [trial for name, trial in by_name.items() if name.startswith("binary+rescore")]
    assert by_name["binary"].recall < 1.0
    assert [trial.recall for trial in rescored] == [1.0]  # all that there is, is rescored, so no other factor is tried
    assert by_name["bits"].disk < by_name["float16"].disk < by_name["float32"].disk
    assert all(trial.low <= trial.recall <= trial.high for trial in found.trials)
    assert found.chosen is not None
    assert found.chosen.low >= 0.95
    done = filled.recompress(found.chosen.setting)
    assert filled.recipe.compression == found.chosen.setting == done.recipe.compression
    paths = found.save(tmp_path / "out")
    assert [path.suffix for path in paths] == [".json", ".png", ".html"]
    assert json.loads(paths[0].read_text())["chosen"] == found.chosen.setting
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    page = paths[2].read_text()
    assert "<svg" in page
    assert "http" not in page


@pytest.mark.folder
def test_what_a_graph_loses_is_measured_before_anything_is_chosen(filled, monkeypatch):
    figures = {"": (1.0, 32), "binary": (0.99, 1), "int8": (0.995, 8)}

    def tried(settings, truth, *, transform=None):
        for setting in settings:
            recall, ram = figures[setting.code]
            yield Trial(setting=str(setting), recall=recall, low=recall, high=recall, ram=ram, disk=9, p50=1, p95=2,
                        build=1, resident=True, found=())  # fmt: skip

    def searched(trials, truth, *, transform=None):
        seen.append([trial.setting for trial in trials])
        lost = 0.05 if "binary" in trials[0].setting else 0.001
        return [replace(trial, recall=trial.recall - lost, low=trial.low - lost) for trial in trials]

    seen = []
    monkeypatch.setattr("qdrant_embed.calibration.trial_runner.try_settings", tried)
    monkeypatch.setattr("qdrant_embed.calibration.trial_runner.with_graph", searched)
    settings = ("float32", "int8+rescore2", "binary+rescore4", "binary+rescore2")
    found = filled.calibrate(options=CalibrateOptions(target_recall=0.98, settings=settings))
    assert seen == [["binary+rescore2", "binary+rescore4"], ["int8+rescore2"]]
    assert found.chosen is not None
    assert (found.chosen.setting, round(found.chosen.recall, 3)) == ("int8+rescore2", 0.994)
    assert "searched through its graph, is 'int8+rescore2': 0.994" in found.verdict()
    assert str(found) == found.verdict()
    assert "found=" not in repr(found.chosen)
    assert [row[-1] for row in found.rows()[-3:]] == ["with its graph", "with its graph", "chosen"]
    found = filled.calibrate(options=CalibrateOptions(target_recall=0.98, settings=settings[2:]))
    assert found.chosen is None
    assert "searched through its graph; the best was 'binary+rescore" in found.verdict()


def test_too_little_is_said(make_collection):
    collection = make_collection("few")
    collection.ingest([Document(text="One crane stands at the pier today.", source="1.txt")])
    with pytest.raises(ConfigurationError, match="holds 1 chunk;"):
        collection.calibrate()


def test_judgments_add_ndcg(filled):
    hit = filled.chunks("3.txt")[0]
    options = CalibrateOptions(k=5, settings=("float32",))
    found = filled.calibrate([Question(hit.text, {"3.txt": 1.0})], options=options)
    assert found.ndcg == {"float32": 1.0}
    with pytest.raises(ConfigurationError, match="1 of 2 questions say what is relevant"):
        filled.calibrate([hit.text, Question(hit.text, {})], options=options)


def test_capacity_is_the_papers_table_and_fit(filled):
    from qdrant_embed.compression.capacity import capacity

    assert capacity(12).documents == 47
    assert (capacity(45).documents, capacity(45).measured) == (626, True)
    assert capacity(512).documents == pytest.approx(500_000, rel=0.05)
    assert capacity(1024).documents == pytest.approx(4_000_000, rel=0.05)
    said = str(filled.vectors.capacity())
    assert "256 dimensions" in said
    assert "any pair" in said
    assert "hybrid" in str(capacity(8, stored=1000))
    with pytest.raises(ConfigurationError, match="begins at 4"):
        capacity(3)


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclid"])
def test_truth_is_that_of_a_slow_search_and_ties_count(distance):
    vectors, queries = clustered(60, 8, 1) * 2, clustered(5, 8, 2)
    vectors[7] = vectors[3]
    truth = exact_search(vectors, queries, 4, distance)
    slow = {
        "cosine": lambda query, v: v @ query / np.linalg.norm(v),
        "dot": lambda query, v: v @ query,
        "euclid": lambda query, v: -np.linalg.norm(v - query),
    }[distance]
    for row, query in enumerate(queries):
        graded = [slow(query, vector) for vector in vectors]
        best = sorted(range(60), key=lambda place, graded=graded: -graded[place])[:4]
        scores = similarity(queries[row : row + 1], vectors, distance)[0]
        assert np.allclose(scores[truth.places[row]], scores[best], atol=1e-5)
    assert truth.recall(truth.places.tolist()).tolist() == [1.0] * 5
    swapped = [[7 if place == 3 else place for place in places] for places in truth.places.tolist()]
    assert (truth.recall(swapped) >= 0.75).all()


def test_the_interval_holds_the_mean_and_narrows():
    rng = np.random.default_rng(0)
    few, many = rng.random(20).astype(np.float32), rng.random(2000).astype(np.float32)
    assert bootstrap_interval(few)[0] < few.mean() < bootstrap_interval(few)[1]
    assert np.ptp(bootstrap_interval(many)) < np.ptp(bootstrap_interval(few))


def test_the_interval_of_many_takes_little_memory():
    many = np.random.default_rng(0).random(20_000).astype(np.float32)
    tracemalloc.start()
    low, high = bootstrap_interval(many)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50_000_000
    assert 0.49 < low < many.mean() < high < 0.51


def test_ndcg_by_hand():
    assert ndcg([["b", "a"]], [{"a": 1.0}], 10)[0] == pytest.approx(1 / np.log2(3))
    assert ndcg([["a", "a", "b"]], [{"a": 1.0, "b": 1.0}], 10)[0] == pytest.approx(1.0)


@pytest.mark.folder
@pytest.mark.parametrize("held", ["64d!", "uint8"])
def test_what_is_chosen_for_a_compressed_collection_can_be_applied(filled, held, monkeypatch):
    small = {"CODES": ("binary",), "SIGNS": ("",), "OVERSAMPLING": (16.0,), "PRODUCT": "pq64"}
    for name, value in {**small, **dict.fromkeys(("QUERY_BITS", "ROTATIONS", "STORED", "UNDER_CODES"), ())}.items():
        monkeypatch.setattr(f"qdrant_embed.calibration.grid.{name}", value)
    filled.recompress(held)
    found = filled.calibrate(options=CalibrateOptions(k=5, target_recall=0.9))
    names = [trial.setting for trial in found.trials]
    assert names[0] == held
    assert len({name.split("+")[0] for name in names if "64d!" in name}) == (held == "64d!")
    coded = next(name for name in names if name.endswith("binary+rescore16"))
    filled.recompress(coded)
    assert filled.recipe.compression == coded
    with pytest.raises(ConfigurationError, match="does not hold the numbers"):
        filled.calibrate(options=CalibrateOptions(settings=("binary",)))


def test_a_learned_code_is_measured_as_it_was_trained(filled, monkeypatch):
    used = []
    monkeypatch.setattr(
        "qdrant_embed.calibration.trial_runner.try_settings", lambda *_, transform: used.append(transform) or []
    )
    named = CalibrateOptions(k=5, settings=("full+bits+learned16+rescore2", "float32"))
    with pytest.raises(ConfigurationError, match="train-codes --bits 16 --apply"):
        filled.calibrate(options=named)
    code = Transform(dim=256, matrix=hyperplanes(256, 16))
    filled.calibrate(options=replace(named, trained={16: code}))
    filled.recompress("full+bits+learned16+rescore4", trained=code)
    filled.calibrate(options=named)
    assert [transform.digest for transform in used[::2]] == [code.digest] * 2


def test_a_learned_code_that_nobody_trained_is_not_measured():
    with pytest.raises(ConfigurationError, match="must be trained first"):
        list(try_settings([Compression.parse("bits+learned64")], exact_search(*sampled(300, 64), 10, "cosine")))


def sampled(count, dim):
    vectors = clustered(count + 40, dim, 5)
    return vectors[40:], vectors[:40]


def test_documents_with_windows_are_what_is_found(make_collection):
    """The one test of this file that counts bytes in a process of its own, as calibrations do."""
    rng = np.random.default_rng(3)
    docs = make_collection("long", window="windows:24", chunker="document")
    texts = [f"{' '.join(rng.choice(WORDS, 60))}. Number {n} is told of at length here." for n in range(60)]
    docs.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(texts)])
    asked = [Question(" ".join(text.split()[:12]), {f"{n}.txt": 1.0}) for n, text in enumerate(texts[:20])]
    options = CalibrateOptions(k=5, settings=("float32",))
    found = docs.calibrate(asked, options=options)
    [trial] = found.trials
    assert found.vectors > docs.count() == 60
    assert trial.recall == 1.0
    assert all(len(set(places)) == 5 and max(places) < 60 for places in trial.found)
    assert found.ndcg["float32"] > 0.5
