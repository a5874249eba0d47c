"""What another program writes into a collection is left out of all that is read and removed, counted, and kept."""

import uuid
import warnings

import pytest
from qdrant_client import models

from qdrant_embed import Document
from qdrant_embed.calibration.calibration_run import CalibrateOptions
from qdrant_embed.errors import ConfigurationError, ForeignPointsWarning, UnknownNameError
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.points import is_chunk
from qdrant_embed.store.scroll import pages
from tests.calibration.footprints import count_in_a_fork

pytestmark = pytest.mark.anywhere

TEXTS = [f"Crane {n} lifts {n * 7} tons at pier {n % 9}." for n in range(60)]
COUNT = len(TEXTS)
QUESTION = "crane lifts tons at pier"
LLAMA_INDEX = {"_node_content": "{}", "_node_type": "TextNode", "document_id": "None", "doc_id": "None", "source": "x"}
LACKING = {
    "nothing": None,
    "llama-index": LLAMA_INDEX,
    "langchain": {"page_content": "crane", "metadata": {"source": "0.txt"}},
    "document of ours": {"text": "crane", "source": "0.txt", "chunk_index": 0, "root": ""},
}


def malformed(payload):
    """Return what an engine takes for a chunk's payload."""
    return {**payload, "text": None, "start": "first"}


@pytest.fixture
def filled(collection):
    collection.ingest([Document(text=text, source=f"{n}.txt", metadata={"n": n}) for n, text in enumerate(TEXTS)])
    return collection


def write_foreign(docs, payloads, *, vectors=True):
    """Write points as near to the question as can be; return their ids."""
    engine = docs.engine
    near = docs.embedder.embed_queries([QUESTION])[0].tolist()
    given, _ = engine.scroll(docs.name, limit=1, with_vectors=True)
    names = given[0].vector if vectors else {}
    found = {name: near if name == "dense" else value for name, value in names.items()}
    terms, weights = docs.parts.bm25.encode_query(QUESTION)
    if "bm25" in found:
        found["bm25"] = models.SparseVector(indices=terms, values=[99.0 for _ in weights])
    points = [models.PointStruct(id=str(uuid.uuid4()), vector=found, payload=payload) for payload in payloads]
    engine.upsert(docs.name, points)
    return {point.id for point in points}


def ids(hits):
    return [hit.id for hit in hits]


def every_answer(docs):
    """Return all that is read of a collection, as it must be whatever else stands in it.

    But for the weights of words: engines count in how many points, whosesoever, a word occurs.
    """
    hit = docs.chunks("5.txt")[0]
    filters = {"above": {"n": {"gte": 3}}, "not": {"source": {"not": "3.txt"}}, "pattern": {"source": "1*.txt"}}
    return {
        **{mode: sorted(ids(docs.search(QUESTION, k=COUNT, mode=mode))) for mode in ("hybrid", "bm25")},
        **{name: len(docs.search(QUESTION, k=7, filter=given)) for name, given in filters.items()},
        **{f"{name}, dense": ids(docs.search(QUESTION, mode="dense", filter=given)) for name, given in filters.items()},
        "dense": ids(docs.search(QUESTION, k=7, mode="dense")),
        "many": ids(docs.search(QUESTION, k=100, mode="dense")),
        "similar": ids(docs.similar(hit, k=7)),
        "neighbors": docs.neighbors(hit),
        "chunks": docs.chunks("0.txt"),
        "documents": docs.documents(),
        "those of a filter": docs.documents(filter={"n": {"lt": 5}}),
        "frame": docs.to_pandas(vectors=True).to_dict(orient="list").keys(),
        "rows": docs.to_pandas()["id"].tolist(),
        "count": (docs.count(), docs.count(filter={"source": {"not": "3.txt"}}), docs.count(filter={"n": {"lt": 5}})),
        "info": {key: value for key, value in docs.info().items() if key not in ("foreign_points", "disk_bytes")},
    }


@pytest.mark.parametrize("kind", LACKING)
def test_foreign_points_are_read_by_nobody(filled, kind):
    before = every_answer(filled)
    write_foreign(filled, [LACKING[kind]] * 9)
    with pytest.warns(ForeignPointsWarning, match="holds 9 points that were written by another program"):
        assert every_answer(filled) == before
    assert filled.info()["foreign_points"] == 9


def test_they_are_warned_of_once(filled):
    write_foreign(filled, [LLAMA_INDEX])
    with pytest.warns(ForeignPointsWarning, match="holds 1 point that was written") as told:
        filled.search(QUESTION)
        filled.count()
        filled.documents()
    assert len(told) == 1


def test_fields_in_a_wrong_form_are_found_out(filled):
    before = every_answer(filled)
    payload = filled.engine.scroll(filled.name, limit=1)[0][0].payload
    write_foreign(filled, [malformed(payload)] * 9)
    with pytest.warns(ForeignPointsWarning):
        assert len(filled.search(QUESTION, k=7, mode="dense")) == 7
    assert every_answer(filled) == before
    assert filled.info()["foreign_points"] == 9


def test_a_chunk_that_another_program_wrote_over_is_no_hit(filled):
    best = filled.search(QUESTION, k=8, mode="dense")
    near = filled.embedder.embed_queries([QUESTION])[0].tolist()
    filled.engine.upsert(filled.name, [models.PointStruct(id=best[0].id, vector={"dense": near}, payload={})])
    with pytest.warns(ForeignPointsWarning):
        found = filled.search(QUESTION, k=7, mode="dense")
    assert [hit.id for hit in found] == [hit.id for hit in best[1:]]
    with pytest.raises(ConfigurationError, match="has no point"):
        filled.get(best[0].id)


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.ForeignPointsWarning")
@pytest.mark.parametrize("compression", ["float16", "128d!", "full+bits+rotate+rescore4"])
@pytest.mark.parametrize("vectors", [True, False], ids=["with vectors", "without"])
def test_a_copy_takes_them_along(filled, compression, vectors):
    foreign = write_foreign(filled, [*LACKING.values()], vectors=vectors)
    filled.recompress(compression)
    assert (filled.count(), filled.info()["foreign_points"]) == (COUNT, len(LACKING))
    stored = {record.id: record for record in filled.engine.scroll(filled.name, limit=100, with_vectors=True)[0]}
    assert foreign <= set(stored)
    assert all(("dense" in (stored[point].vector or {})) == vectors for point in foreign)
    assert len(filled.search(QUESTION, k=COUNT, mode="dense")) == COUNT
    assert not foreign & {hit.id for hit in filled.search(QUESTION, k=COUNT)}


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.ForeignPointsWarning")
def test_codes_in_memory_do_not_hold_them(make_collection):
    for at in (":memory:", None):
        docs = make_collection(at=at, compression="bits")
        docs.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)])
        best = [hit.id for hit in docs.search(QUESTION, k=7, mode="dense")]
        bits = docs.engine.scroll(docs.name, limit=1, with_vectors=True)[0][0].vector
        points = [models.PointStruct(id=n, vector=bits, payload={"n": n}) for n in range(20)]
        docs.engine.upsert(docs.name, points)
        docs.parts.searcher.lists.hamming.forget()
        assert [hit.id for hit in docs.search(QUESTION, k=7, mode="dense")] == best


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.ForeignPointsWarning")
def test_ingest_and_delete_leave_them(collection):
    filled, documents = collection, [Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)]
    filled.ingest(documents, root="cranes", sync=True)
    payload = filled.engine.scroll(filled.name, limit=1)[0][0].payload
    same_document = {key: payload[key] for key in ("document_id", "root", "source", "chunk_index")}
    foreign = write_foreign(filled, [LLAMA_INDEX, {"page_content": "x"}, same_document])
    documents = [Document(text="Cranes are gone.", source=f"{n}.txt") for n in range(3)]
    filled.ingest(documents, root="cranes", sync=True, allow_delete=True)
    assert filled.count() == 3
    assert filled.delete(filter={"source": {"not": "nothing"}}) == 3
    left = {record.id for record in filled.engine.scroll(filled.name, limit=100)[0]}
    assert left == foreign
    with pytest.raises(UnknownNameError):
        filled.chunks("x")


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.ForeignPointsWarning")
def test_calibration_and_export_pass_over_them(filled, tmp_path, monkeypatch):
    count_in_a_fork(monkeypatch)
    write_foreign(filled, [LLAMA_INDEX] * 3, vectors=False)
    found = filled.calibrate(["crane"] * 3, options=CalibrateOptions(settings=("float32", "float16")))
    assert found.trials
    np = pytest.importorskip("numpy")
    assert len(np.load(filled.vectors.export_codes(tmp_path / "codes.npy"))) == COUNT


def test_nothing_is_said_where_there_are_none(filled):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        every_answer(filled)
    assert filled.info()["foreign_points"] == 0


def test_what_is_a_chunk(filled):
    payload = filled.engine.scroll(filled.name, limit=1)[0][0].payload
    assert is_chunk(payload)
    assert not is_chunk(malformed(payload))
    assert not any(is_chunk(foreign or {}) for foreign in LACKING.values())


@pytest.fixture
def counted(filled, monkeypatch):
    """Return what has been counted so far, once the parts of the collection have been made."""
    filled.search(QUESTION)
    asked = []

    def watch(method):
        return lambda *given, **named: asked.append(given) or method(*given, **named)

    # A folder counts by itself what other engines are asked for as a client is.
    by_itself = type(filled.engine).count_lacking is not Engine.count_lacking
    for name in ("count", "count_lacking") if by_itself else ("count",):
        monkeypatch.setattr(filled.engine, name, watch(getattr(filled.engine, name)))
    return asked


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.ForeignPointsWarning")
@pytest.mark.parametrize("foreign", [0, 9])
def test_what_to_leave_out_is_decided_once_a_scroll(filled, counted, foreign):
    write_foreign(filled, [LLAMA_INDEX] * foreign)
    sizes, per_scroll = (5, 60), []
    for size in sizes:
        counted.clear()
        found = [record.id for records in pages(filled.parts.searcher.engine, filled.name, size) for record in records]
        assert len(found) == len(set(found)) == COUNT
        per_scroll.append(len(counted))
    assert per_scroll[0] in (1, 2)
    assert per_scroll[1] <= per_scroll[0]


def test_a_filter_is_completed_without_counting(filled, counted):
    best = filled.search(QUESTION, k=5, filter={"n": {"gte": 3}})
    assert len(counted) == bool(filled.engine.lacks("indexes")), "which looks at every condition for every point"
    filled.info()  # counts them
    write_foreign(filled, [{**LLAMA_INDEX, "metadata": {"n": 4}}] * 9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ForeignPointsWarning)
        found = filled.search(QUESTION, k=5, filter={"n": {"gte": 3}})
    # Where words are counted among all points, whosesoever, their weights are others now.
    assert [hit.id for hit in found] == [hit.id for hit in best]
    if filled.engine.lacks("indexes") or filled.engine.shared:  # which was told by that search
        return
    counted.clear()
    with pytest.warns(ForeignPointsWarning):
        filled.search(QUESTION, k=5, mode="dense")
    assert counted
