import sys

import numpy as np
import pytest

from benchmarks.compression.nearest import hyperplanes, nearest_by_hamming, nearest_by_weights
from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.compression.transform import Transform
from qdrant_embed.errors import ConfigurationError, MissingExtraError
from qdrant_embed.store.export.code_export import write_codes
from qdrant_embed.training.learned_codes import CodeTraining, _Batches, _scores, rounded, train_code
from tests.compression.samples import clustered
from tests.support.late_import import Late

torch = Late("torch")

QUICK = CodeTraining(bits=32, steps=60, queries=64, documents=512)


def shortlist_recall(transform, vectors, queries, count=40, k=5):
    codes = pack_signs(transform.rotate(vectors), transform.thresholds)
    weights = transform.weigh(queries)
    asked = pack_signs(transform.rotate(queries), transform.thresholds)
    shares = []
    for row, query in enumerate(queries):
        best = set(np.argsort(-(vectors @ query))[:k].tolist())
        found = (
            nearest_by_hamming(asked[row], codes, count)
            if weights is None
            else nearest_by_weights(weights[row], codes, count)
        )
        shares.append(len(best & set(found[0].tolist())) / k)
    return np.mean(shares)


def test_a_learned_code_beats_random_hyperplanes_of_the_same_bits_and_repeats_itself():
    everything = clustered(900, 48, 3, spread=0.9)
    vectors, queries = everything[:850], everything[850:]
    learned = train_code(vectors, QUICK)
    random = Transform(dim=48, matrix=hyperplanes(48, 32))
    assert shortlist_recall(learned, vectors, queries) > shortlist_recall(random, vectors, queries) + 0.03
    assert train_code(vectors, QUICK).digest == learned.digest
    assert Transform.from_bytes(learned.to_bytes()).digest == learned.digest
    assert (learned.width, learned.dim) == (32, 48)
    with pytest.raises(ConfigurationError, match="cannot be turned back"):
        learned.unrotate(np.zeros((1, 32), np.float32))


def test_a_small_collection_is_not_learned_by_heart():
    # Few clusters of little spread: without noise, a long training made such codes worse than a short one.
    everything = clustered(700, 48, 5, spread=0.9)
    vectors, queries = everything[:400], everything[400:]
    short, long = (
        train_code(vectors, CodeTraining(bits=16, steps=steps, queries=100, documents=300)) for steps in (60, 300)
    )
    assert shortlist_recall(long, vectors, queries) > shortlist_recall(short, vectors, queries)


def test_the_more_vectors_there_are_the_less_they_are_moved(monkeypatch):
    vectors = clustered(400, 24, 1)

    def moved_by(few):
        monkeypatch.setattr("qdrant_embed.training.learned_codes.FEW", few)
        _, documents, drawn = _Batches(vectors, QUICK, unit=False).draw()
        return documents.numpy() - vectors[drawn.numpy()]

    assert np.abs(moved_by(400)).mean() > 0.1 * vectors.std()
    assert np.allclose(moved_by(400), moved_by(4000), atol=1e-6)
    assert np.allclose(moved_by(400), 2 * moved_by(100), atol=1e-6)


@pytest.mark.parametrize("distance", ["dot", "euclid"])
def test_how_long_vectors_are_changes_nothing_in_how_a_code_is_trained(distance):
    # A power of two scales floats without rounding them, so the codes are to be the same to the last bit.
    vectors = clustered(300, 24, 2) * np.linspace(0.5, 1.5, 300, dtype=np.float32)[:, None]
    training = CodeTraining(bits=16, steps=20, queries=32, documents=128)
    short, long = (train_code(vectors * factor, training, distance=distance) for factor in (1, 64))
    codes = [pack_signs(code.rotate(vectors * factor), code.thresholds) for code, factor in ((short, 1), (long, 64))]
    assert np.array_equal(*codes)
    assert np.allclose(64**2 * short.weigh(vectors), long.weigh(vectors * 64), rtol=1e-4, atol=1e-2)


def test_euclidean_scores_rank_as_distances_do():
    rng = np.random.default_rng(0)
    queries, documents = (torch.from_numpy(rng.standard_normal((n, 8)).astype(np.float32) * 3) for n in (5, 40))
    nearest = torch.cdist(queries, documents).argsort(dim=1)
    assert torch.equal(_scores(queries, documents, "euclid").argsort(dim=1, descending=True), nearest)
    assert not torch.equal(_scores(queries, documents, "dot").argsort(dim=1, descending=True), nearest)


def test_words_can_be_predicted_too():
    vectors = clustered(300, 32, 1)
    counts = [{row % 7: 2, 7 + row % 3: 1} if row % 5 else {} for row in range(300)]
    losses = []
    training = CodeTraining(
        bits=16,
        steps=150,
        queries=32,
        documents=64,
        rate=0.02,
        words=1.0,
        progress=lambda step, loss: losses.append(loss),
    )
    assert train_code(vectors, training, word_counts=counts).width == 16
    assert np.mean(losses[-10:]) < np.mean(losses[:10])


def test_rounding_gives_bits_forwards_and_a_slope_backwards():
    import torch

    given = torch.tensor([-2.0, -0.1, 0.3, 5.0], requires_grad=True)
    codes = rounded(given)
    codes.sum().backward()
    assert codes.tolist() == pytest.approx([-1, -1, 1, 1])
    assert (given.grad > 0).all()


def test_codes_are_exported_with_their_ids(tmp_path):
    codes = pack_signs(clustered(4, 24))
    path = write_codes(tmp_path / "codes.npy", ["a", "bb", "ccc", "d"], codes)
    back = np.load(path, allow_pickle=False)
    assert back["id"].tolist() == ["a", "bb", "ccc", "d"]
    assert (back["code"] == codes).all()
    with pytest.raises(ConfigurationError, match=r"\.npy or \.parquet"):
        write_codes(tmp_path / "codes.csv", ["a"] * 4, codes)


def test_codes_are_exported_as_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    codes = pack_signs(clustered(4, 24))
    table = parquet.read_table(write_codes(tmp_path / "codes.parquet", ["a", "bb", "ccc", "d"], codes))
    assert table["id"].to_pylist() == ["a", "bb", "ccc", "d"]
    assert table["code"].to_pylist() == [code.tobytes() for code in codes]
    with pytest.raises(ConfigurationError, match="3 ids cannot stand beside 4 codes"):
        write_codes(tmp_path / "codes.parquet", ["a", "b", "c"], codes)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"qdrant-embed\[parquet\]"):
        write_codes(tmp_path / "codes.parquet", ["a"] * 4, pack_signs(clustered(4, 24)))


def test_a_training_has_a_step():
    with pytest.raises(ConfigurationError, match="steps=0 makes no training"):
        CodeTraining(steps=0)


@pytest.mark.parametrize("bits", [4, 8000])
def test_codes_are_neither_tiny_nor_endless(bits):
    with pytest.raises(ConfigurationError, match="8 to 4096 bits"):
        CodeTraining(bits=bits)


def test_a_code_need_not_fill_its_last_byte():
    everything = clustered(500, 32, 6, spread=0.9)
    vectors, queries = everything[:450], everything[450:]
    trained = train_code(vectors, CodeTraining(bits=28, steps=60, queries=64, documents=256))
    codes = pack_signs(trained.rotate(vectors), trained.thresholds)
    assert codes.shape == (450, 4)
    weights = trained.weigh(queries)[0]
    signs = np.where(trained.rotate(vectors) > trained.thresholds, 1.0, -1.0)
    _, scores = nearest_by_weights(weights, codes, 5)
    assert scores == pytest.approx(np.sort(signs @ weights)[::-1][:5], rel=1e-4)
    assert shortlist_recall(trained, vectors, queries) > 0.6
