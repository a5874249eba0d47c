"""The real engine beside slow searches, on made-up vectors."""

import numpy as np
import pytest

from qdrant_embed.calibration.trial import _built, try_settings, with_graph
from qdrant_embed.calibration.trial_search import NAME
from qdrant_embed.compression import Compression
from qdrant_embed.evaluation.exact_search import exact_search
from tests.calibration.footprints import count_in_a_fork
from tests.compression.samples import clustered


def truth_of(count, dim, *, windows=False, k=5):
    vectors = clustered(count + 20, dim, 5)
    counts = np.random.default_rng(1).integers(1, 5, count).tolist() if windows else None
    if counts:
        vectors = clustered(sum(counts) + 20, dim, 5)
    return exact_search(vectors[20:], vectors[:20], k, "cosine", counts=counts, normalize=True)


def tried(truth, *settings):
    return list(try_settings([Compression.parse(setting) for setting in settings], truth))


def test_a_point_with_windows_counts_once_by_its_best():
    truth = truth_of(80, 64, windows=True)
    for row, query in enumerate(truth.queries):
        best = [
            max(query @ vector for vector in truth.vectors[a:b])
            for a, b in np.lib.stride_tricks.sliding_window_view(truth.starts, 2)
        ]
        assert truth.places[row].tolist() == sorted(range(80), key=lambda point, best=best: -best[point])[:5]
    assert truth.recall(truth.places.tolist()).tolist() == [1.0] * 20
    assert truth.recall([[], *truth.places.tolist()[1:]])[0] == 0


@pytest.mark.parametrize("setting", ["float32", "bits", "binary+rescore"])
def test_windows_are_searched_as_collections_search_them(setting, monkeypatch):
    count_in_a_fork(monkeypatch)
    truth = truth_of(80, 64, windows=True)
    [trial] = tried(truth, setting)
    assert all(len(set(places)) == 5 for places in trial.found)
    assert trial.recall > 0.4
    if setting != "bits":
        # As in searches, a hundred and more are rescored for any k: here all that there are.
        assert trial.found == tuple(map(tuple, truth.places.tolist()))


def test_memory_of_sign_codes_is_that_of_the_index_that_searches_them():
    truth = truth_of(2000, 256)
    [signs] = tried(truth, "bits")
    [coded] = tried(truth, "binary")
    assert signs.resident and coded.resident
    # Beside the code itself, which the engine has too, the codes as numbers and their ids stand in this process.
    assert signs.ram > 256 / 8 + 16 + coded.ram * 0.5


def test_sign_codes_take_a_twentieth_of_the_disk(monkeypatch):
    count_in_a_fork(monkeypatch)
    truth = truth_of(4000, 384)
    [whole], [signs] = tried(truth, "float32"), tried(truth, "bits")
    assert signs.disk <= whole.disk / 20
    assert whole.disk >= 4 * 384


def test_what_is_checked_is_built_as_collections_are(monkeypatch):
    count_in_a_fork(monkeypatch)
    truth = truth_of(200, 64)
    setting = Compression.parse("float16+binary")
    with _built(setting, truth, graph=True, transform=None) as (engine, *_):
        params = engine.get_collection(NAME).config.params.vectors["dense"]
    assert params.hnsw_config is None
    assert params.quantization_config.binary.always_ram
    flat = tried(truth, "float16+binary", "float16+binary+rescore8")
    checked = with_graph(flat, truth)
    assert [(trial.setting, trial.ram, trial.disk) for trial in checked] == [
        (trial.setting, trial.ram, trial.disk) for trial in flat
    ]
    assert [trial.recall for trial in checked] == pytest.approx([trial.recall for trial in flat], abs=0.05)
    signs = tried(truth, "bits")
    assert with_graph(signs, truth) == signs
