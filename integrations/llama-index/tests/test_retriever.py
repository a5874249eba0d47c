"""The retriever: nodes that say exactly where they stand, and a loop that never waits."""

import asyncio
import copy
import pickle
import threading

import pytest
from llama_index.core.schema import MetadataMode, NodeRelationship, NodeWithScore, ObjectType, QueryBundle
from llama_index.retrievers.qdrant_embed import QdrantEmbedRetriever

from qdrant_embed import Document
from qdrant_embed.errors import ConfigurationError

QUESTION = "who rotates the master keys?"


def test_the_collection_makes_the_retriever_and_nodes_are_its_hits(harbour):
    retriever = harbour.as_retriever(k=3, mode="bm25")
    assert isinstance(retriever, QdrantEmbedRetriever)
    nodes = retriever.retrieve(QUESTION)
    hits = harbour.search(QUESTION, k=3, mode="bm25")
    assert hits
    assert all(isinstance(found, NodeWithScore) for found in nodes)
    assert [(found.node_id, found.score, found.text) for found in nodes] == [
        (hit.id, hit.score, hit.text) for hit in hits
    ]


def test_offsets_point_into_the_document(harbour, pages):
    nodes = harbour.as_retriever(k=100, mode="dense").retrieve(QUESTION)
    assert len(nodes) == harbour.count()
    for found in nodes:
        text = (pages / found.metadata["source"]).read_text()  # a document's lines end with \n, however its file's do
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.text


def test_relationships_walk_each_document_from_end_to_end(harbour):
    nodes = {found.node_id: found.node for found in harbour.as_retriever(k=100, mode="dense").retrieve(QUESTION)}
    for document in harbour.documents():
        chunks = harbour.chunks(document.source)
        assert len(chunks) > 1
        ids = [chunk.id for chunk in chunks]
        for before, own, after in zip([None, *ids], ids, [*ids[1:], None], strict=False):
            node = nodes[own]
            assert (node.prev_node and node.prev_node.node_id) == before
            assert (node.next_node and node.next_node.node_id) == after
            assert node.ref_doc_id == chunks[0].document_id
            assert node.relationships[NodeRelationship.SOURCE].node_type == ObjectType.DOCUMENT


def test_metadata_is_the_users_and_the_place(make_collection):
    collection = make_collection()
    paged = Document(
        text="# Tides\n\nHigh water is at noon.", source="tides.pdf", title="Tide tables", media_type="text/markdown",
        metadata={"team": "pilots", "year": 2026, "title": "mine"}, page_starts=(0, 9),
    )  # fmt: skip
    collection.ingest([paged])
    node = collection.as_retriever(k=1, mode="bm25").retrieve("high water noon")[0].node
    page = str(collection.get(node.node_id).page)
    assert node.metadata == {
        "team": "pilots", "year": 2026, "source": "tides.pdf", "file_name": "tides.pdf", "file_path": "tides.pdf",
        "file_type": "text/markdown", "title": "Tide tables", "page_label": page, "headings": "Tides",
    }  # fmt: skip
    assert node.mimetype == "text/markdown"


def test_an_llm_reads_the_place_and_a_reranker_reads_what_was_embedded(harbour):
    node = harbour.as_retriever(k=1, mode="bm25").retrieve(QUESTION)[0].node
    for_llm = node.get_content(MetadataMode.LLM)
    assert "source: guide/keys.md" in for_llm
    assert "file_name" not in for_llm
    assert for_llm.endswith(node.text)
    assert node.get_content(MetadataMode.EMBED) == f"headings: Keys › Rotation\n\n{node.text}"


def test_nodes_survive_json(harbour):
    node = harbour.as_retriever(k=1).retrieve(QUESTION)[0].node
    assert type(node).from_json(node.to_json()) == node


def test_filters_and_modes_reach_the_search(harbour):
    only_notes = harbour.as_retriever(k=10, filter={"source": "notes/*"}).retrieve(QUESTION)
    assert {found.metadata["source"] for found in only_notes} == {"notes/fish.txt"}
    dense = harbour.as_retriever(k=10, mode="dense").retrieve(QUESTION)
    assert [found.score for found in dense] == [hit.score for hit in harbour.search(QUESTION, k=10, mode="dense")]


def test_custom_strings_are_searched_for_and_the_best_score_counts(harbour):
    texts = ["herring pier two", "herring landed", "crane lifts tons"]
    bundle = QueryBundle("something else entirely", custom_embedding_strs=texts)
    nodes = harbour.as_retriever(k=3, mode="bm25").retrieve(bundle)
    best = {}
    for hits in harbour.search(texts, k=3, mode="bm25"):
        for hit in hits:
            best[hit.id] = max(best.get(hit.id, 0.0), hit.score)
    expected = sorted(best.items(), key=lambda item: -item[1])[:3]
    assert [(found.node_id, found.score) for found in nodes] == expected
    assert {"notes/fish.txt", "guide/cranes.md"} <= {found.metadata["source"] for found in nodes}


def test_an_embedding_of_unknown_origin_is_not_used(harbour):
    retriever = harbour.as_retriever(k=3, mode="dense")
    misleading = harbour.embedder.embed_queries(["herring pier two"])[0].tolist()
    with_vector = retriever.retrieve(QueryBundle(QUESTION, embedding=misleading))
    assert [found.node_id for found in with_vector] == [found.node_id for found in retriever.retrieve(QUESTION)]


def test_a_blank_question_is_refused(harbour):
    with pytest.raises(ConfigurationError, match="not blank"):
        harbour.as_retriever().retrieve(QueryBundle(""))


def test_async_gives_the_same_nodes(harbour):
    retriever = harbour.as_retriever(k=4)
    questions = [QUESTION, "where is cod landed?", "how much does crane four lift?", "when do the gates open?"] * 4

    async def ask_all():
        return await asyncio.gather(*map(retriever.aretrieve, questions))

    assert asyncio.run(ask_all()) == [retriever.retrieve(question) for question in questions]


def test_async_leaves_the_loop_free(harbour, monkeypatch):
    """The search waits for a beat of the loop: were it to run in the loop, the beat would never come."""
    beat = threading.Event()
    search = type(harbour).search

    def waiting_search(self, *arguments, **options):
        assert beat.wait(timeout=20), "the event loop stood still during the search"
        return search(self, *arguments, **options)

    monkeypatch.setattr(type(harbour), "search", waiting_search)

    async def heart():
        await asyncio.sleep(0)
        beat.set()

    async def both():
        nodes, _ = await asyncio.gather(harbour.as_retriever(k=1).aretrieve(QUESTION), heart())
        return nodes

    assert asyncio.run(both())[0].metadata["source"] == "guide/keys.md"


def test_a_node_of_a_long_document_is_the_window_that_was_nearest(make_collection):
    collection = make_collection(window="windows:24", chunker="document", chunk_tokens=None)
    text = "Nothing of note has happened there. " * 30 + "Crane four lifts twelve tons. " + "All is well. " * 30
    collection.ingest([Document(text=text, source="cranes.txt")])
    (found,) = collection.as_retriever(k=1, mode="dense").retrieve("crane four lifts twelve tons")
    start, end = found.node.start_char_idx, found.node.end_char_idx
    assert found.node.text == text[start:end]
    assert "Crane four" in found.node.text
    assert len(found.node.text) < 200


def test_the_users_own_file_names_and_confidence_stay(make_collection):
    names = {"file_name": "tides.pdf", "file_path": "/mnt/pilots/tides.pdf", "file_type": "application/pdf"}
    own = {**names, "confidence": "as measured"}
    collection = make_collection()
    collection.ingest([Document(text="High water is at noon.", source="pilots/7f3a", metadata=own)])
    node = collection.as_retriever(k=1).retrieve("high water")[0].node
    assert {key: node.metadata[key] for key in own} == own
    assert node.metadata["source"] == "pilots/7f3a"


def test_of_two_roots_a_node_names_its_own(make_collection, tmp_path):
    collection = make_collection()
    for root in ("alpha", "beta"):
        (tmp_path / root).mkdir()
        (tmp_path / root / "README.md").write_text(f"# {root}\n\nThe tide turns at noon in {root}.\n")
        collection.ingest(tmp_path / root)
    nodes = [found.node for found in collection.as_retriever(k=5).retrieve("when does the tide turn?")]
    assert sorted((node.metadata["root"], node.metadata["source"]) for node in nodes) == [
        ("alpha", "README.md"), ("beta", "README.md"),
    ]  # fmt: skip


def test_an_llm_reads_each_heading_once(make_collection):
    collection = make_collection()
    collection.ingest([Document(text="# Tides\n\nHigh water is at noon.", source="a.md", media_type="text/markdown",
                                title="Tides")])  # fmt: skip
    node = collection.as_retriever(k=1).retrieve("high water")[0].node
    assert node.get_content(MetadataMode.LLM).count("Tides") == 1
    assert node.metadata["title"] == node.metadata["headings"] == "Tides"


def test_a_retriever_is_not_pickled_and_says_what_to_do(harbour):
    retriever = harbour.as_retriever(k=4)
    with pytest.raises(pickle.PicklingError, match=r"Collection\.open\('harbour', at=…\)\.as_retriever\(k=4\)"):
        pickle.dumps(retriever)
    assert copy.copy(retriever).retrieve(QUESTION) == retriever.retrieve(QUESTION)


def test_an_unknown_keyword_is_refused(harbour):
    with pytest.raises(TypeError, match="top_k"):
        harbour.as_retriever(top_k=4)


def test_llama_index_calls_the_number_of_passages_similarity_top_k(harbour):
    retriever = QdrantEmbedRetriever(harbour, similarity_top_k=2, mode="bm25")
    assert len(retriever.retrieve(QUESTION)) == 2
    retriever.similarity_top_k = 3
    wanted = [hit.id for hit in harbour.search(QUESTION, 3, mode="bm25")]
    assert [node.node_id for node in retriever.retrieve(QUESTION)] == wanted
    with pytest.raises(ConfigurationError, match=r"k=1 and similarity_top_k=2"):
        QdrantEmbedRetriever(harbour, k=1, similarity_top_k=2)


def test_one_node_of_each_document_and_longer_ones(harbour):
    nodes = harbour.as_retriever(k=3, group_by="document", expand=1).retrieve(QUESTION)
    hits = harbour.search(QUESTION, 3, group_by="document", expand=1)
    assert [(node.node_id, node.text) for node in nodes] == [(hit.id, hit.text) for hit in hits]
    assert len({node.node.ref_doc_id for node in nodes}) == len(nodes)
