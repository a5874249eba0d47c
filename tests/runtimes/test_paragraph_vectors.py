import numpy as np
import pytest

from benchmarks.compression.nearest import nearest_by_hamming
from qdrant_embed import Document, load_embedder
from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.runtimes.paragraph_vectors import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.training import train_paragraph_vectors

TOPICS = (
    "crane cable winch hoist lift load tons",
    "herring cod eel net catch fish scale",
    "key lock gate guard night watch door",
)
TRAINING = ParagraphTraining(bits=16, epochs=15)


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(TOPICS[n % 3].split(), 9)) for n in range(150)]


@pytest.fixture(scope="module")
def model(texts):
    return train_paragraph_vectors(texts, TRAINING)


@pytest.fixture
def folder(model, tmp_path):
    return model.save(tmp_path / "harbour-codes")


def test_texts_of_a_topic_come_together_and_training_repeats_itself(model, texts):
    codes = model.codes(texts)
    right = [
        np.mean([n % 3 == other % 3 for other in nearest_by_hamming(codes[n], codes, 11)[0] if other != n])
        for n in range(60)
    ]
    assert np.mean(right) > 0.8
    again = train_paragraph_vectors(texts, TRAINING)
    assert (again.output == model.output).all()
    assert (again.codes(texts) == codes).all()
    other = train_paragraph_vectors(texts, ParagraphTraining(bits=16, epochs=15, seed=1))
    assert (other.codes(texts) != codes).any()


def test_a_new_text_is_found_by_its_topic_whatever_stands_beside_it(folder, texts):
    embedder = load_embedder(folder)
    assert (embedder.dim, embedder.distance, embedder.runtime) == (16, "cosine", "paragraphs")
    stored = embedder.embed_documents(texts)
    assert np.allclose(np.abs(stored), 0.25)
    for topic, query in enumerate(("The winch and its CABLE, lift!", "an eel in the net", "guard the gate")):
        best = np.argsort(-(stored @ embedder.embed_queries([query])[0]), kind="stable")[:10]
        assert np.mean([place % 3 == topic for place in best]) > 0.7
        assert (embedder.embed_documents([query]) == embedder.embed_documents([*texts[:7], query, "x"])[7]).all()
    assert (stored == load_embedder(folder).embed_documents(texts)).all()


def test_the_folder_gives_the_model_back(model, folder, texts):
    back = BinaryParagraphVectors.load(folder)
    assert back.words == model.words
    assert (back.codes(texts) == model.codes(texts)).all()
    assert (pack_signs(load_embedder(folder).embed_documents(texts[:9])) == model.codes(texts[:9])).all()
    with pytest.raises(ModelError, match="holds no binary paragraph vectors"):
        BinaryParagraphVectors.load(folder / "nothing")
    with pytest.raises(ConfigurationError, match="is a file"):
        model.save(folder / "config.json")


def test_a_text_of_unknown_words_says_nothing(folder):
    unknown, empty = load_embedder(folder).embed_documents(["zebra ... quagga", ""])
    assert (unknown == empty).all()
    assert not unknown[1:].any()


@pytest.mark.parametrize("compression", ["float32", "bits"])
def test_a_recipe_takes_the_folder(folder, texts, make_collection, compression):
    collection = make_collection("codes", model=str(folder), compression=compression)
    report = collection.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(texts)])
    assert report.embedded == len(texts)
    found = collection.search("herring and cod in the net", k=10, mode="dense")
    assert np.mean([int(hit.source[:-4]) % 3 == 1 for hit in found]) > 0.7


def test_another_runtime_does_not_run_it(folder):
    with pytest.raises((ConfigurationError, ModelError)):
        load_embedder(folder, runtime="static").embed_documents(["crane"])
    with pytest.raises(ConfigurationError, match="pv-dbow"):
        load_embedder("hashing", runtime="paragraphs").embed_documents(["crane"])


def test_there_must_be_words_that_repeat():
    with pytest.raises(ConfigurationError, match="no word stands in 2 texts"):
        train_paragraph_vectors(["one two", "three four"])
    with pytest.raises(ConfigurationError, match="8 bits or more"):
        ParagraphTraining(bits=4)
