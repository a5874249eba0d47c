"""A question answered over real pages, through LlamaIndex's own query engine."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.llms import CustomLLM, MockLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.query_engine import RetrieverQueryEngine, TransformQueryEngine

from qdrant_embed import ReadOptions

USER_GUIDE = Path(__file__).parents[3] / "docs"


class QuotingLLM(CustomLLM):
    """Answers with the line of the context that shares the most words with the question, and its source."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=100_000, num_output=256, model_name="quoting")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
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


@pytest.mark.model
def test_the_user_guide_answers_a_question_about_itself(make_collection):
    guide = make_collection(model="minilm", chunk_tokens=None)
    short = ("index.md", "guide/first-steps.md", "guide/llama-index.md", "guide/locations.md", "guide/searching.md")
    report = guide.ingest(USER_GUIDE, reading=ReadOptions(include=(*short, "reference/payload.md")))
    assert report.documents > 5
    assert not report.failed
    retriever = guide.as_retriever(k=5)
    response = RetrieverQueryEngine.from_args(retriever, llm=QuotingLLM()).query(
        "Which environment variable holds the API key of my Qdrant server?"
    )
    assert "QDRANT_API_KEY" in str(response)
    for found in response.source_nodes:
        text = (USER_GUIDE / found.metadata["source"]).read_text()
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.text
