"""Documents longer than the model, whole: a vector for each window, late chunking, and edits of both."""

import re

import numpy as np
import pytest

from qdrant_embed import Document, load_embedder
from qdrant_embed.compression import Transform
from qdrant_embed.compression.rotations import random_rotation
from qdrant_embed.errors import ConfigurationError
from tests.support.tiny_models import SENTENCES, save_tiny_model

pytestmark = pytest.mark.anywhere

PLACES = ("harbour", "tower", "bridge", "market", "station", "mill", "garden", "library", "school", "well")
THINGS = ("crane", "bell", "lamp", "scale", "clock", "wheel", "fountain", "ladder", "desk", "bucket")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(save_tiny_model(tmp_path_factory.mktemp("tiny"), "bert", max_tokens=64))


def report(place, things, sentences=12):
    """Return a text whose windows differ: one sentence for each thing, among others that all texts share."""
    filler = "The report goes on and says that nothing of note has happened there since it was last written. "
    return "".join(f"{filler * 2}The {place} owns a {thing} of great age. " for thing in things[:sentences])


@pytest.fixture
def reports():
    return [Document(text=report(place, THINGS), source=f"{place}.txt") for place in PLACES]


@pytest.fixture
def make_windows(make_collection):
    def make(**recipe):
        given = {"window": "windows:24", "chunker": "document", **recipe}
        return make_collection(**given)

    return make


def brute_force(docs, documents, query, k):
    """Return the sources of the k documents whose best window is nearest, by the embedder alone."""
    (asked,) = docs.embedder.embed_queries([query])
    texts = docs.embedder.encode_windows([document.text.strip() for document in documents]).vectors
    scores = [float((text.vectors @ asked).max()) for text in texts]
    order = sorted(range(len(documents)), key=lambda place: (-round(scores[place], 5), documents[place].source))[:k]
    return [documents[place].source for place in order], [scores[place] for place in order]


@pytest.mark.folder
@pytest.mark.parametrize("compression", ["float32", "binary+rescore4", "16d!+full+rescore4", "bits"])
def test_no_graph_compares_documents_window_by_window(make_collection, compression):
    """Of 200 documents of 100 000 tokens it would take minutes, in which the engine answers nobody."""
    docs = make_collection(window="windows:24", chunker="document", compression=compression)
    stored = docs.engine.get_collection(docs.name).config.params.vectors
    assert stored
    assert {params.hnsw_config.m for params in stored.values()} == {0}


def test_a_document_scores_by_its_best_window_and_k_means_documents(make_windows, reports):
    docs = make_windows()
    done = docs.ingest(reports)
    assert (done.documents, done.chunks, done.windowed, docs.count()) == (10, 10, 10, 10)
    for query in ("the bridge owns a clock", "library fountain of great age"):
        hits = docs.search(query, k=4, mode="dense")
        sources, scores = brute_force(docs, reports, query, 4)
        assert [hit.source for hit in hits] == sources
        np.testing.assert_allclose([hit.score for hit in hits], scores, atol=1e-5)


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_the_hit_says_which_window_was_best(make_windows, reports, mode):
    docs = make_windows()
    docs.ingest(reports)
    best = docs.search("the bridge owns a wheel", k=3, mode=mode)[0]
    assert best.source == "bridge.txt"
    start, end = best.window
    text = next(document.text for document in reports if document.source == best.source)
    assert best.passage == text[start:end]
    assert "wheel" in best.passage and len(best.passage) < len(best.text) / 5
    assert best.text == text


def test_bm25_sees_the_whole_text_and_no_window(make_windows, reports):
    docs = make_windows()
    docs.ingest([*reports, Document(text=f"{report('pier', THINGS)} Herring.", source="pier.txt")])
    (best,) = docs.search("herring", k=1, mode="bm25")
    assert (best.source, best.window) == ("pier.txt", None)
    assert best.passage == best.text


def test_filters_hold_for_documents(make_windows, reports):
    docs = make_windows()
    docs.ingest(reports)
    hits = docs.search("the bridge owns a wheel", k=10, mode="dense", filter={"source": ["mill.txt", "well.txt"]})
    assert sorted(hit.source for hit in hits) == ["mill.txt", "well.txt"]


def test_a_short_text_has_one_window_that_is_not_pointed_out(make_windows, reports):
    docs = make_windows()
    docs.ingest([*reports, Document(text="The pier owns a herring.", source="pier.txt")])
    (best,) = docs.search("the pier owns a herring", k=1, mode="dense")
    assert (best.source, best.window) == ("pier.txt", None)


def test_windows_of_chunks_with_headings_stand_at_their_place_in_the_document(make_windows):
    text = f"# Handbook\n\n## Bridge\n\n{report('bridge', THINGS)}\n\n## Mill\n\n{report('mill', THINGS)}"
    docs = make_windows(chunker="markdown", chunk_tokens=2000)
    docs.ingest([Document(text=text, source="a.md", media_type="text/markdown")])
    best = docs.search("mill owns a ladder", k=1, mode="dense")[0]
    start, end = best.window
    assert text[start:end] == best.passage and "ladder" in best.passage
    assert best.start <= start < end <= best.end


def test_running_again_embeds_nothing_and_an_edit_only_its_document(make_windows, reports):
    docs = make_windows()
    docs.ingest(reports)
    again = docs.ingest(reports)
    assert (again.embedded, again.tokens, again.reused) == (0, 0, 10)
    edited = [Document(text=reports[0].text + "And a broom.", source=reports[0].source), *reports[1:]]
    changed = docs.ingest(edited)
    assert (changed.embedded, changed.deleted, docs.count()) == (1, 1, 10)


def test_equal_texts_share_vectors_and_windows_across_documents(make_windows, reports):
    docs = make_windows()
    docs.ingest(reports[:1])
    copy = Document(text=reports[0].text, source="copy.txt")
    assert docs.ingest([copy]).embedded == 0
    hits = docs.search("the harbour owns a wheel", k=2, mode="dense")
    assert hits[0].window == hits[1].window is not None


@pytest.mark.folder
@pytest.mark.parametrize(
    "compression",
    [
        "float16",
        "128d!+float32",
        "128d!+full+float16+rescore4",
        "int8+rescore4",
        "uint8",
        "rotate+bits",
        "full+bits+rescore8",
        "rotate+binary+rescore8",
    ],
)
def test_compressed_windows_are_found_and_named(make_collection, reports, compression):
    docs = make_collection(window="windows:24", chunker="document", compression=compression)
    docs.ingest(reports)
    for source, text in ((document.source, document.text.strip()) for document in reports[2:6:3]):
        spans = load_embedder("hashing", window="windows:24").encode_windows([text]).vectors[0].spans
        start, end = next((start, end) for start, end in spans if "owns a wheel" in text[start:end])
        hits = docs.search(text[start:end], k=3, mode="dense")
        assert len({hit.id for hit in hits}) == 3
        assert (hits[0].source, hits[0].window) == (source, (start, end))


@pytest.mark.folder
def test_a_change_of_compression_keeps_every_window(make_collection, reports):
    docs = make_collection(window="windows:24", chunker="document")
    docs.ingest(reports)
    before = docs.search("the bridge owns a wheel", k=3, mode="dense")
    done = docs.recompress("float16")
    assert not done.in_place
    after = docs.search("the bridge owns a wheel", k=3, mode="dense")
    assert [(hit.source, hit.window) for hit in after] == [(hit.source, hit.window) for hit in before]
    assert docs.ingest(reports).embedded == 0
    docs.recompress("float16+int8+rescore4")
    assert docs.search("the bridge owns a wheel", k=3, mode="dense")[0].window == before[0].window


@pytest.mark.parametrize("compression", ["rotate", "uint8"])
def test_vectors_that_come_from_the_store_are_not_coded_again(make_windows, reports, monkeypatch, compression):
    docs = make_windows(compression=compression)
    docs.ingest(reports)
    before = stored_vectors(docs)
    # Fewer than the windows of these documents: what a block holds must not depend on what is still at hand.
    monkeypatch.setattr("qdrant_embed.ingest.embed_stage.RECENT_VECTORS", 16)
    renamed = [Document(text=report_.text, source=report_.source, title="Renamed") for report_ in reports]
    assert docs.ingest(renamed).embedded == 0
    after = stored_vectors(docs)
    for key, vectors in before.items():
        np.testing.assert_allclose(after[key], vectors, atol=1e-5)


def stored_vectors(docs):
    records, _ = docs.engine.scroll(docs.name, limit=100, with_vectors=["dense"])
    return {record.payload["text_hash"]: np.asarray(record.vector["dense"]) for record in records}


def test_windows_of_a_code_whose_queries_keep_their_numbers_are_named(make_windows, reports):
    docs = make_windows()
    docs.ingest(reports)
    matrix = random_rotation(docs.embedder.dim)
    trained = Transform(dim=len(matrix), matrix=matrix, query_matrix=matrix)
    docs.recompress("bits+learned256", trained=trained)
    source, text = reports[2].source, reports[2].text.strip()
    spans = docs.embedder.encode_windows([text]).vectors[0].spans
    start, end = next((start, end) for start, end in spans if "owns a wheel" in text[start:end])
    for mode in ("dense", "hybrid"):
        hit = docs.search(text[start:end], k=3, mode=mode)[0]
        assert (hit.source, hit.window) == (source, (start, end))


def test_vectors_of_windows_are_fetched_a_page_at_a_time(make_windows, reports, monkeypatch):
    docs = make_windows()
    docs.ingest(reports)
    before = docs.search("the bridge owns a wheel", k=10, mode="dense")
    monkeypatch.setattr("qdrant_embed.store.collection_codec.PAGE_OF_WINDOWS", 3)
    asked = []

    def retrieve(name, ids, **given):
        if given.get("with_vectors"):
            asked.append(len(ids))
        return engine_retrieve(name, ids, **given)

    engine_retrieve = docs.engine.retrieve
    monkeypatch.setattr(docs.engine, "retrieve", retrieve)
    after = docs.search("the bridge owns a wheel", k=10, mode="dense")
    assert [(hit.id, hit.window) for hit in after] == [(hit.id, hit.window) for hit in before]
    assert asked == [3, 3, 3, 1]


def test_whole_documents_take_no_chunk_size(make_collection):
    with pytest.raises(ConfigurationError, match="leaves documents whole, so chunk_tokens=64 has no meaning"):
        make_collection(chunker="document", chunk_tokens=64)
    with pytest.raises(ConfigurationError, match="no overlap"):
        make_collection(chunker="document", overlap=4)


# Stretched models


@pytest.mark.parametrize("window", ["pi:256", "pi:256+truncate", "pi:256+windows"])
def test_texts_read_by_stretching_are_counted(make_collection, model, window):
    docs = make_collection(model=model, window=window, chunker="document")
    done = docs.ingest([Document(text=" ".join(paragraphs(count)), source=f"{count}") for count in (1, 10, 60)])
    assert done.extended == 2
    assert ", 2 extended" in str(done)
    plain = make_collection(name="plain", model=model, chunker="document")
    assert ("extended" in str(plain.ingest([Document(text="A bell.", source="a")]))) is False


def test_windows_that_fit_what_the_model_was_trained_for_are_not_extended(make_collection, model):
    docs = make_collection(model=model, window="pi:256+windows:32", chunker="document")
    done = docs.ingest([Document(text=" ".join(paragraphs(20)), source="keys.txt")])
    assert (done.windowed, done.extended) == (1, 0)


# Late chunking


@pytest.fixture
def make_late(make_collection, model):
    return lambda **recipe: make_collection(model=model, window="late", chunk_tokens=24, **recipe)


def paragraphs(count):
    """Return paragraphs that differ in their words: numbers may all be one unknown token."""
    words = sorted({word for word in re.findall("[a-z]{4,}", " ".join(SENTENCES))})
    pairs = [(words[number % len(words)], words[(7 * number + 3) % len(words)]) for number in range(count)]
    return [f"Master key {one} of the harbour is rotated every ninety days and {other} {one}." for one, other in pairs]


def test_late_chunks_hold_the_vectors_of_their_document(make_late, model):
    docs = make_late()
    text = "\n\n".join(paragraphs(20))
    done = docs.ingest([Document(text=text, source="keys.txt")])
    assert done.late == done.embedded == done.chunks > 5
    frame = docs.to_pandas(vectors=True)
    spans = list(zip(frame["start"], frame["end"], strict=True))
    expected = load_embedder(model, window="late").encode_late(text, spans).vectors
    np.testing.assert_allclose(np.stack(frame["vector"]), expected, atol=1e-5)
    assert [text[start:end] for start, end in spans] == list(frame["text"])


def test_an_edit_embeds_only_chunks_whose_macro_window_changed(make_late):
    docs = make_late()
    parts = paragraphs(60)
    total = docs.ingest([Document(text="\n\n".join(parts), source="keys.txt")]).chunks
    again = docs.ingest([Document(text="\n\n".join(parts), source="keys.txt")])
    assert again.embedded == 0
    parts[5] = "Master key five has been lost and was reported within one hour."
    edited = docs.ingest([Document(text="\n\n".join(parts), source="keys.txt")])
    assert 1 <= edited.embedded <= 12 < total
    assert edited.deleted >= 1
    fresh = make_late(name="fresh")
    fresh.ingest([Document(text="\n\n".join(parts), source="keys.txt")])
    one, other = (collection.to_pandas(vectors=True) for collection in (docs, fresh))
    np.testing.assert_allclose(np.stack(one["vector"]), np.stack(other["vector"]), atol=1e-5)


def test_documents_that_need_several_macro_windows_are_counted(make_late):
    docs = make_late()
    texts = ["\n\n".join(paragraphs(count)) for count in (1, 20, 30)]
    done = docs.ingest([Document(text=text, source=f"{number}.txt") for number, text in enumerate(texts)])
    assert done.windowed == 2 < done.late
    assert docs.ingest([Document(text=texts[1], source="1.txt")]).windowed == 0, "nothing was read again"


def test_chunks_read_late_in_a_extended_window_are_counted(make_collection, model):
    docs = make_collection(model=model, window="pi:256+late", chunk_tokens=24)
    texts = ["\n\n".join(paragraphs(count)) for count in (1, 6)]
    done = docs.ingest([Document(text=text, source=f"{number}.txt") for number, text in enumerate(texts)])
    (alone,) = docs.chunks("0.txt")
    assert alone.text == texts[0]
    assert (done.extended, done.windowed) == (done.late - 1, 0)


def test_the_same_chunk_in_other_company_has_another_vector(make_late):
    docs = make_late()
    shared = paragraphs(1)[0]
    for number, other in enumerate(("Crane four lifts at most twelve tons.", "Liman sabah altıda açılır.")):
        docs.ingest([Document(text=f"{shared}\n\n{other * 2}", source=f"{number}.txt")])
    vectors = [
        row
        for row, text in zip(*docs.to_pandas(vectors=True)[["vector", "text"]].T.values, strict=True)
        if text == shared
    ]
    assert len(vectors) == 2
    assert np.abs(np.subtract(*vectors)).max() > 1e-4


def test_late_chunks_are_by_default_a_quarter_of_the_macro_window(make_collection, model):
    docs = make_collection(model=model, window="late")
    docs.ingest([Document(text="\n\n".join(paragraphs(20)), source="keys.txt")])
    counts = docs.embedder.token_counter.count_batch(list(docs.to_pandas()["text"]))
    assert max(counts) <= 16


def test_whole_documents_can_be_read_late(make_collection, model):
    docs = make_collection(model=model, window="late", chunker="document")
    report_ = docs.ingest([Document(text="\n\n".join(paragraphs(30)), source="keys.txt")])
    assert (report_.chunks, report_.windowed, report_.late) == (1, 1, 1)
