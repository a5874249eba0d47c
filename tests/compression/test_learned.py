import numpy as np
import pytest

from qdrant_embed.compression.codes import hyperplanes, nearest_by_hamming, pack_signs
from qdrant_embed.compression.export import write_codes
from qdrant_embed.compression.learned import CodeTraining, rounded, train_code
from qdrant_embed.compression.paragraphs import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.compression.transform import Transform
from qdrant_embed.errors import ConfigurationError, MissingExtraError
from tests.compression.samples import clustered

QUICK = CodeTraining(bits=32, steps=60, batch=128)
TOPICS = (
    "crane cable winch hoist lift load tons",
    "herring cod eel net catch fish scale",
    "key lock gate guard night watch door",
)


def shortlist_recall(transform, vectors, queries, count=40, k=5):
    codes = pack_signs(transform.rotate(vectors), transform.thresholds)
    shares = []
    for query in queries:
        code = pack_signs(transform.rotate(query[None]), transform.thresholds)[0]
        best = set(np.argsort(-(vectors @ query))[:k].tolist())
        shares.append(len(best & set(nearest_by_hamming(code, codes, count)[0].tolist())) / k)
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


def test_words_can_be_predicted_too():
    vectors = clustered(300, 32, 1)
    counts = [{row % 7: 2, 7 + row % 3: 1} if row % 5 else {} for row in range(300)]
    losses = []
    training = CodeTraining(
        bits=16, steps=150, batch=64, rate=0.02, words=1.0, progress=lambda step, loss: losses.append(loss)
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


def test_paragraph_vectors_bring_texts_of_a_topic_together(tmp_path):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(TOPICS[n % 3].split(), 9)) for n in range(150)]
    model = BinaryParagraphVectors.train(texts, ParagraphTraining(bits=16, epochs=15))
    codes = model.codes(texts)
    right = [
        np.mean([n % 3 == other % 3 for other in nearest_by_hamming(codes[n], codes, 11)[0] if other != n])
        for n in range(60)
    ]
    assert np.mean(right) > 0.8
    assert (model.codes(texts[:5]) == BinaryParagraphVectors.train(texts, model.training).codes(texts[:5])).all()
    model.save(tmp_path / "paragraphs.safetensors")
    assert (
        BinaryParagraphVectors.load(tmp_path / "paragraphs.safetensors").codes(texts[:5]) == model.codes(texts[:5])
    ).all()
    with pytest.raises(ConfigurationError, match="holds no binary paragraph vectors"):
        BinaryParagraphVectors.load(tmp_path / "nothing.safetensors")


def test_codes_are_exported_with_their_ids(tmp_path):
    codes = pack_signs(clustered(4, 24))
    path = write_codes(tmp_path / "codes.npy", ["a", "bb", "ccc", "d"], codes)
    back = np.load(path, allow_pickle=False)
    assert back["id"].tolist() == ["a", "bb", "ccc", "d"]
    assert (back["code"] == codes).all()
    with pytest.raises(ConfigurationError, match=r"\.npy or \.parquet"):
        write_codes(tmp_path / "codes.csv", ["a"] * 4, codes)
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"qdrant-embed\[parquet\]"):
            write_codes(tmp_path / "codes.parquet", ["a"] * 4, codes)
    else:
        write_codes(tmp_path / "codes.parquet", list("abcd"), codes)
        assert parquet.read_table(tmp_path / "codes.parquet")["code"].to_pylist()[0] == codes[0].tobytes()


@pytest.mark.parametrize("bits", [4, 30, 8000])
def test_codes_are_whole_bytes(bits):
    with pytest.raises(ConfigurationError, match="whole bytes"):
        CodeTraining(bits=bits)
