"""What codes are trained on: the model's vectors, or the texts alone, each once."""

import sys

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.compression import Transform
from qdrant_embed.errors import ConfigurationError, MissingExtraError
from qdrant_embed.store.stored_vectors import read_rows, read_texts
from qdrant_embed.training.collection_codes import word_numbers

WORDS = ["anchor", "beam", "crane", "dock", "eel", "fish", "gate", "hull", "iron", "jetty"]


def documents(count=60, longest=12):
    rng = np.random.default_rng(5)
    texts = [" ".join(rng.choice(WORDS, 2 + n % longest)) for n in range(count)]
    return [Document(text=f"{text} number {n}", source=f"{n:03}.txt") for n, text in enumerate(texts)]


def exported(path):
    return np.load(path, allow_pickle=False)


class OfTexts:
    """Stands for a model of texts, which is not what is tried here."""

    def __init__(self, texts, _training):
        self.trained_on = texts

    def codes(self, texts):
        return np.zeros((len(texts), 2), np.uint8)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("qdrant_embed.training.collection_codes.train_paragraph_vectors", OfTexts)


def test_paragraph_vectors_need_no_vectors(make_collection, tmp_path):
    bits = make_collection(compression="bits")
    bits.ingest(documents())
    model = bits.vectors.train_paragraphs(16, codes_out=tmp_path / "codes.npy")
    assert len(exported(tmp_path / "codes.npy")) == len(model.trained_on) == 60
    with pytest.raises(ConfigurationError, match="cannot be turned back"):
        bits.vectors.train_codes(16)


@pytest.fixture
def windowed(make_collection):
    collection = make_collection("windows", chunker="document", window="windows:24")
    collection.ingest(documents(longest=60))
    return collection


def test_a_text_counts_once_however_many_windows_it_has(windowed, tmp_path):
    found = read_texts(windowed.engine, "windows")
    assert (len(found.texts), len(set(found.ids))) == (60, 60)
    windowed.vectors.train_paragraphs(16, codes_out=tmp_path / "codes.npy")
    assert len(set(exported(tmp_path / "codes.npy")["id"].tolist())) == len(exported(tmp_path / "codes.npy")) == 60


def test_each_window_has_its_own_words_and_its_number_in_the_file(windowed, tmp_path, monkeypatch):
    rows = read_rows(windowed.engine, "windows", windowed.parts.codec, texts=True)
    assert len(rows.ids) == len(rows.texts) == len(rows.windows) == len(rows.vectors) > 60
    longest = max(windowed.documents(), key=lambda document: len(windowed.chunks(document.source)[0].text))
    chunk = windowed.chunks(longest.source)[0]
    mine = [text for key, text in zip(rows.ids, rows.texts, strict=True) if key == chunk.id]
    assert len(mine) > 1
    assert all(text in chunk.text and len(text) < len(chunk.text) for text in mine)
    trained_on = []

    def train_code(vectors, _training, *, distance, word_counts):
        trained_on.append((word_counts, len(vectors), distance))
        return Transform(dim=256, matrix=np.eye(8, 256, dtype=np.float32))

    monkeypatch.setattr("qdrant_embed.training.collection_codes.train_code", train_code)
    windowed.vectors.train_codes(8, words=True, codes_out=tmp_path / "codes.npy")
    assert trained_on == [(word_numbers(rows.texts), len(rows.ids), "cosine")]
    found = exported(tmp_path / "codes.npy")
    pairs = list(zip(found["id"].tolist(), found["window"].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) == len(rows.ids)


@pytest.mark.parametrize("train", ["train_codes", "train_paragraphs"])
def test_files_that_cannot_be_written_are_refused_before_the_training(make_collection, tmp_path, monkeypatch, train):
    collection = make_collection()
    (tmp_path / "there").write_text("a file")
    monkeypatch.setattr("qdrant_embed.training.collection_codes.train_code", None)
    monkeypatch.setattr("qdrant_embed.training.collection_codes.train_paragraph_vectors", None)
    start = getattr(collection.vectors, train)
    with pytest.raises(ConfigurationError, match=r"must end in \.npy or \.parquet"):
        start(16, codes_out=tmp_path / "codes.csv")
    with pytest.raises(ConfigurationError, match="there is no folder"):
        start(16, codes_out=tmp_path / "nowhere" / "codes.npy")
    with pytest.raises(ConfigurationError, match=r"is a file|there is no folder"):
        start(16, model_out=tmp_path / ("there" if train == "train_paragraphs" else "nowhere/code.safetensors"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pyarrow"):
        start(16, codes_out=tmp_path / "codes.parquet")
