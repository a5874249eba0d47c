"""Tables of vectors in every layout, beside sentence-transformers and slow twins."""

import gzip
import json
import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.word_vectors import find_table, table_folder
from qdrant_embed.testing.conformance.embedders import check_embedder
from qdrant_embed.training import fit_word_table

WORDS = ["the", "harbour", "cranes", "lift", "fish", "gates", "open", "six"]
TEXTS = ["the harbour gates open", "cranes lift the fish", "the fish", "", "unknownword", "six " * 3000]
DIM = 6


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def rows():
    return np.random.default_rng(5).normal(size=(len(WORDS), DIM)).astype(np.float32)


def make_tokenizer(unknown=True):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["[CLS]", "[UNK]", *WORDS]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 0)])
    return tokenizer


def unit(vector):
    length = np.linalg.norm(vector)
    return vector / length if length else np.eye(1, len(vector))[0]


@pytest.mark.parametrize("normalize", [True, False])
def test_a_static_embedding_of_sentence_transformers_gives_the_same_vectors_as_there(tmp_path, normalize):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    table = np.random.default_rng(1).normal(size=(len(WORDS) + 2, DIM)).astype(np.float32)
    modules = [StaticEmbedding(make_tokenizer(), embedding_weights=table), *([Normalize()] if normalize else [])]
    model = SentenceTransformer(modules=modules, device="cpu", prompts={"query": "six "}, similarity_fn_name="cosine")
    model.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    embedder = load_embedder(tmp_path / "model")
    assert embedder.preset.runtime == "static"
    assert (embedder.dim, embedder.preset.normalize, embedder.preset.query_prompt) == (DIM, normalize, "six ")
    filled = [text for text in TEXTS if text]
    np.testing.assert_allclose(embedder.embed_documents(filled), model.encode(filled), rtol=1e-4, atol=1e-6)
    prompted = model.encode(filled, prompt="six ")
    np.testing.assert_allclose(embedder.embed_queries(filled), prompted, rtol=1e-4, atol=1e-6)
    assert embedder.encode_documents(["the fish"]).tokens == 2, "no special tokens, which the table would average"


@pytest.mark.parametrize(
    ("kind", "weighted", "mapped"), [("f4", False, False), ("f2", True, False), ("f4", True, True)]
)
def test_a_model2vec_folder_is_averaged_as_its_authors_do(tmp_path, kind, weighted, mapped):
    """Unknown tokens are left out; weights and the mapping of a quantized vocabulary are by token id."""
    random = np.random.default_rng(2)
    tokens = len(WORDS) + 2
    table = random.normal(size=(4 if mapped else tokens, DIM)).astype(kind)
    tensors = {"embeddings": table}
    mapping = random.integers(0, 4, tokens) if mapped else np.arange(tokens)
    tensors |= {"mapping": mapping.astype(np.int64)} if mapped else {}
    weights = random.uniform(0.1, 2, tokens).astype(np.float32) if weighted else np.ones(tokens, np.float32)
    tensors |= {"weights": weights} if weighted else {}
    save_file(tensors, str(tmp_path / "model.safetensors"))
    make_tokenizer().save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    embedder = load_embedder(tmp_path)
    expected = []
    for text in TEXTS:
        ids = [WORDS.index(word) + 2 for word in text.split() if word in WORDS]
        rows = [table[mapping[token]].astype(np.float64) * weights[token] for token in ids]
        expected.append(unit(sum(rows) / len(rows) if rows else np.zeros(DIM)))
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), expected, atol=2e-6)
    if weighted and mapped:
        check_embedder(embedder)


def write_table(path, rows, *, counts_line=True, words=WORDS):
    lines = [f"{len(words)} {DIM}"] if counts_line else []
    lines += [" ".join([word, *(f"{value:.9g}" for value in row)]) for word, row in zip(words, rows, strict=True)]
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize(("name", "counts_line"), [("words.vec", True), ("glove.txt", False), ("words.vec.gz", True)])
@pytest.mark.parametrize("as_folder", [False, True])
def test_a_word_table_in_text_form_gives_means(tmp_path, rows, name, counts_line, as_folder):
    place = tmp_path / "table"
    place.mkdir()
    table = write_table(place / name, rows, counts_line=counts_line)
    (place / "notes.txt").write_text("Some notes.\nNo table.\n")
    embedder = load_embedder(place if as_folder else table)
    expected = [unit(rows[[0, 1]].mean(axis=0)), unit(rows[[3, 2]].mean(axis=0)), np.eye(1, DIM)[0]]
    np.testing.assert_allclose(embedder.embed_documents(["The HARBOUR!", "lift, cranes", "?"]), expected, atol=1e-6)


def test_a_word_table_in_text_form_is_an_embedder(tmp_path, rows):
    check_embedder(load_embedder(write_table(tmp_path / "words.vec", rows)))


def test_a_word_table_is_converted_once_and_again_when_it_has_changed(tmp_path, rows):
    table = write_table(tmp_path / "words.vec", rows)
    folder = table_folder(table)
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert table_folder(table) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    write_table(table, rows[:5], words=WORDS[:5])
    assert table_folder(table) != folder


def test_words_with_capitals_spaces_and_doubles_are_kept_apart(tmp_path, rows):
    words = ["Fish", "fish", "new york", "fish", *WORDS[:4]]
    embedder = load_embedder(write_table(tmp_path / "words.vec", rows, words=words))
    vectors = embedder.embed_documents(["Fish", "fish"])
    np.testing.assert_allclose(vectors, [unit(rows[0]), unit(rows[1])], atol=1e-6)


def test_turkish_capitals_become_turkish_small_letters(tmp_path, rows):
    words = ["ışık", "iki", *WORDS[:6]]
    write_table(tmp_path / "words.vec", rows, words=words)
    presets = tmp_path / "mine.toml"
    presets.write_text(f'[models.tr]\nsource = "{tmp_path / "words.vec"}"\nlanguages = ["tr"]\n')
    vectors = load_embedder("tr", presets=presets).embed_documents(["IŞIK", "İKİ"])
    np.testing.assert_allclose(vectors, [unit(rows[0]), unit(rows[1])], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [("2 3\na 1 2 3\nb 1 2\n", "the vector of .b. has 2 numbers"), ("1 2\na x y\n", "line 2, is not a word")],
)
def test_a_broken_word_table_is_refused_and_leaves_nothing_behind(tmp_path, text, message):
    (tmp_path / "words.vec").write_text(text)
    with pytest.raises(ModelError, match=message):
        table_folder(tmp_path / "words.vec")
    assert not list((tmp_path / "cache" / "tables").glob("*/config.json"))


def test_a_text_file_is_no_table(tmp_path):
    (tmp_path / "readme.txt").write_text("Word tables are files of words and numbers.\nThis is none.\n")
    assert find_table(tmp_path) is None


CORPUS = ["the harbour gates open", "the cranes lift the fish", "the fish the fish", "six gates", "the the the open"]


def slow_weight(word, weighting, smoothing):
    tokens = [token for text in CORPUS for token in text.split()]
    if weighting == "tfidf":
        return math.log((1 + len(CORPUS)) / (1 + sum(word in text.split() for text in CORPUS))) + 1
    counts = {each: max(1, tokens.count(each)) for each in [*WORDS, "[UNK]"]}
    return smoothing / (smoothing + counts[word] / sum(counts.values()))


@pytest.mark.parametrize("weighting", ["sif", "tfidf"])
@pytest.mark.parametrize("components", [0, 1, 2])
def test_weighted_averages_and_removed_directions_follow_the_formulas(tmp_path, rows, weighting, components):
    table = write_table(tmp_path / "words.vec", rows)
    folder = fit_word_table(
        table, CORPUS, tmp_path / "fitted", weighting=weighting, smoothing=0.05, components=components
    )
    embedder = load_embedder(folder)

    def average(text):
        words = [word for word in text.split() if word in WORDS]
        weights = [slow_weight(word, weighting, 0.05) for word in words]
        total = sum(weight * rows[WORDS.index(word)] for weight, word in zip(weights, words, strict=True))
        return total / (sum(weights) if weighting == "tfidf" else len(words))

    directions = np.linalg.svd(np.array([average(text) for text in CORPUS]))[2][:components]
    texts = ["the harbour fish", "cranes open six gates"]
    expected = [average(text) - directions.T @ (directions @ average(text)) for text in texts]
    vectors = embedder.embed_documents(texts)
    np.testing.assert_allclose(vectors, [unit(vector) for vector in expected], atol=1e-5)
    assert np.abs(vectors @ directions.T).max(initial=0) < 1e-5, "nothing is left in a direction that was removed"
    weighing = {"pooling": weighting, "smoothing": 0.05, "components": components}
    assert weighing.items() <= embedder.fingerprint.items()


def test_sif_without_counts_takes_frequencies_from_the_order_of_the_table(tmp_path, rows):
    table = write_table(tmp_path / "words.vec", rows)
    presets = tmp_path / "mine.toml"
    presets.write_text(f'[models.zipf]\nsource = "{table}"\npooling = "sif"\nsmoothing = 0.1\ncomponents = 0\n')
    chance = 1 / np.arange(2, len(WORDS) + 3)
    weights = 0.1 / (0.1 + chance / chance.sum())
    expected = unit(weights[0] * rows[0] + weights[4] * rows[4])
    np.testing.assert_allclose(
        load_embedder("zipf", presets=presets).embed_queries(["the fish"]), [expected], atol=1e-6
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('pooling = "tfidf"\ncomponents = 0', "in how many texts each word stands"),
        ('pooling = "sif"', "components = 1 common directions"),
        ('pooling = "cls"', "by mean, sif or tfidf, not by 'cls'"),
    ],
)
def test_what_was_never_counted_is_said_with_what_to_type(tmp_path, rows, lines, message):
    table = write_table(tmp_path / "words.vec", rows)
    presets = tmp_path / "mine.toml"
    presets.write_text(f'[models.mine]\nsource = "{table}"\n{lines}\n')
    with pytest.raises(ConfigurationError, match=message):
        load_embedder("mine", presets=presets).embed_documents(["the fish"])


def test_layers_make_no_sense_for_a_table(tmp_path, rows):
    with pytest.raises(ConfigurationError, match="layers=2 makes no sense"):
        load_embedder(write_table(tmp_path / "words.vec", rows), layers=2)
