import numpy as np

from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.explore import map_cache
from qdrant_embed.explore.map_cache import load_map, map_key, save_map
from qdrant_embed.explore.map_clusters import drawn_texts, groups_of, labels_of

ENGLISH = Bm25Encoder("english")


def test_labels_are_the_words_that_tell_groups_apart():
    texts = [
        ["The harbour opens its gates", "harbours and gates of the town"],
        ["Cranes lift the cables", "a crane of the town, its cable"],
    ]
    first, second = labels_of(texts, ENGLISH, 2)
    assert set(first) == {"harbour", "gates"}
    assert {word[:5] for word in second} == {"crane", "cable"}


def test_weights_are_those_of_class_based_tf_idf():
    texts = [["red red blue", "blue green"], ["green", "green yellow"]]
    (first, _) = labels_of(texts, ENGLISH, 3)
    counts = [{"red": 1, "blue": 2, "green": 1}, {"green": 2, "yellow": 1}]
    mean = sum(sum(one.values()) for one in counts) / 2
    often = {word: sum(one.get(word, 0) for one in counts) for word in ("red", "blue", "green", "yellow")}
    weight = {word: count / 4 * np.log(1 + mean / often[word]) for word, count in counts[0].items()}
    del weight["green"]  # which the group has less often than all have
    assert first == sorted(weight, key=lambda word: -weight[word])


def test_groups_that_nothing_tells_apart_have_no_words():
    assert labels_of([["the crane at pier four"] * 9, ["crane, pier, four"] * 5], ENGLISH) == [[], []]
    assert set(labels_of([["the crane at pier four"] * 9], ENGLISH)[0]) == {"crane", "pier", "four"}


def test_numbers_and_stop_words_are_no_labels():
    assert labels_of([["the 42 of 2026 an ox"]], ENGLISH) == [[]]


def test_groups_are_numbered_by_size():
    draw = np.random.default_rng(0)
    places = np.concatenate([draw.normal(0, 0.1, (200, 2)), draw.normal(9, 0.1, (60, 2))]).astype(np.float32)
    groups = groups_of(places)
    sizes = np.bincount(groups)
    assert (np.diff(sizes) <= 0).all()
    assert not set(groups[:200].tolist()) & set(groups[200:].tolist())
    assert [len(one) for one in drawn_texts(groups)] == np.minimum(sizes, 200).tolist()
    assert groups_of(places[:0]).tolist() == []
    assert drawn_texts(groups[:0]) == []


def test_maps_are_kept_by_what_they_show(tmp_path, monkeypatch):
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path))
    key = map_key("fingerprint", "float32", ["a", "b"])
    assert key != map_key("fingerprint", "float32", ["a", "c"])
    assert key != map_key("fingerprint", "float16", ["a", "b"])
    assert load_map(key, 2) is None
    places = np.asarray([[0, 1], [2, 3]], np.float32)
    save_map(key, places, 0.5)
    found, kept = load_map(key, 2)
    assert found.tolist() == places.tolist()
    assert kept == 0.5
    assert load_map(key, 3) is None
    (file,) = (tmp_path / "maps").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(b"PK\x03\x04 damaged")
    assert load_map(key, 2) is None


def test_few_maps_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path))
    for number in range(map_cache.KEPT + 3):
        save_map(f"{number}", np.zeros((1, 2), np.float32), 1.0)
    assert len(list((tmp_path / "maps").iterdir())) == map_cache.KEPT
