"""A question answered over real pages, through LlamaIndex's own query engine."""

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.chat_engine import CondenseQuestionChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.llms import CustomLLM, MockLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import RetrieverQueryEngine, TransformQueryEngine
from llama_index.vector_stores.qdrant_embed import QdrantEmbedCollectionStore

from qdrant_embed import ReadOptions
from tests.support.forks import Fork

USER_GUIDE = Path(__file__).parents[3] / "docs"


class QuotingLLM(CustomLLM):
    """Answers with the line of the context that shares the most words with the question, and its source."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=100_000, num_output=256, model_name="quoting")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        if "Standalone question" in prompt:
            return CompletionResponse(text=condensed(prompt))
        context = prompt.partition("---------------------\n")[2].rpartition("---------------------\n")[0]
        question = words(re.findall(r"Query: (.*)", prompt)[-1])
        source, answer, most = "", "nothing", 0
        for line in context.splitlines():
            if line.startswith("source: "):
                source = line.removeprefix("source: ")
            elif len(words(line) & question) > most:
                answer, most = f"{line} [{source}]", len(words(line) & question)
        return CompletionResponse(text=answer)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        yield self.complete(prompt, formatted)


def condensed(prompt: str) -> str:
    """Return the last message with the first name of the history, as a model would put it for "it"."""
    (message,) = re.findall(r"Follow Up Message>\s*(.*)", prompt)
    (name,) = re.findall(r"\b(crane|cod|keys)\b", prompt)[:1]
    return message.replace("it", f"the {name}")


def words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", text.lower()))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How often are master keys rotated?",
         "Master keys are rotated every ninety days by the harbour master. [guide/keys.md]"),
        ("At which pier is cod landed?", "Cod is landed at pier seven, and weighed there. [notes/fish.txt]"),
        ("When are the cables of the crane inspected?",
         "The cables are inspected every Tuesday before the first shift. [guide/cranes.md]"),
    ],
)  # fmt: skip
def test_a_question_is_answered_from_the_pages(harbour, question, answer):
    engine = RetrieverQueryEngine.from_args(harbour.as_retriever(k=3), llm=QuotingLLM())
    response = engine.query(question)
    assert str(response) == answer
    assert answer.rpartition("[")[2].rstrip("]") in {found.metadata["source"] for found in response.source_nodes}
    assert str(asyncio.run(engine.aquery(question))) == answer


def test_the_prompt_holds_every_passage_with_its_source(harbour):
    engine = RetrieverQueryEngine.from_args(harbour.as_retriever(k=2), llm=MockLLM())
    response = engine.query("How often are master keys rotated?")
    assert len(response.source_nodes) == 2
    for found in response.source_nodes:
        assert found.text in str(response)
        assert f"source: {found.metadata['source']}" in str(response)


def test_hyde_searches_for_the_imagined_answer(harbour):
    imagined = HyDEQueryTransform(llm=MockLLM(), include_original=False)
    engine = RetrieverQueryEngine.from_args(harbour.as_retriever(k=2), llm=QuotingLLM())
    response = TransformQueryEngine(engine, imagined).query("At which pier is cod landed?")
    assert "notes/fish.txt" in {found.metadata["source"] for found in response.source_nodes}


INGEST = """
import sys
from qdrant_embed import Collection, Document, Recipe

def documents():
    for number in range(200):
        yield Document(text=f"Lobster pot {number} is marked with {number} rings.", source=f"pots/{number}.md")
        if number == 150:  # more than are looked up at once, so that some are stored by now
            print("under way", flush=True)
            sys.stdin.readline()

with Collection.open("harbour", at=sys.argv[1]) as docs:
    docs.ingest(documents())
print("done", flush=True)
"""


@pytest.mark.parametrize("way", ["retriever", "index"])
def test_engines_answer_while_another_process_ingests(make_collection, pages, tmp_path, way):
    harbour = make_collection()
    harbour.ingest(pages)
    llm = QuotingLLM()
    index = VectorStoreIndex.from_vector_store(QdrantEmbedCollectionStore(harbour), embed_model=MockEmbedding(8))
    hybrid = index.as_retriever(similarity_top_k=3, vector_store_query_mode="hybrid")
    engine = RetrieverQueryEngine.from_args(harbour.as_retriever(k=3) if way == "retriever" else hybrid, llm=llm)
    chat = CondenseQuestionChatEngine.from_defaults(
        query_engine=engine, llm=llm, memory=ChatMemoryBuffer.from_defaults(llm=llm)
    )
    at = tmp_path / "qdrant_data"
    with Fork("-c", INGEST, at, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == "under way\n"
        answer = engine.query("How often are master keys rotated?")
        assert str(answer) == "Master keys are rotated every ninety days by the harbour master. [guide/keys.md]"
        assert str(chat.chat("What does crane four lift?")).startswith("Crane four lifts at most twelve tons.")
        inspected = asyncio.run(chat.achat("When are the cables of it inspected?"))
        assert str(inspected).startswith("The cables are inspected every Tuesday")
        other.stdin.write("go on\n")
        other.stdin.flush()
        assert other.stdout.readline() == "done\n"
        assert other.wait() == 0
    assert "pots/199.md" in str(engine.query("How is lobster pot 199 marked?"))


@pytest.mark.model
def test_the_user_guide_answers_a_question_about_itself(make_collection):
    guide = make_collection(model="minilm", chunk_tokens=None)
    some = ("index.md", "guide/first-steps.md", "guide/locations.md", "reference/payload.md")
    report = guide.ingest(USER_GUIDE, reading=ReadOptions(include=some))
    assert report.documents == len(some)
    assert not report.failed
    retriever = guide.as_retriever(k=5)
    response = RetrieverQueryEngine.from_args(retriever, llm=QuotingLLM()).query(
        "Which environment variable holds the API key of my Qdrant server?"
    )
    assert "QDRANT_API_KEY" in str(response)
    for found in response.source_nodes:
        text = (USER_GUIDE / found.metadata["source"]).read_text()
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.text
