"""E2Rank's listwise prompt, byte by byte, and the ranking that a plain reference makes with it."""

from dataclasses import replace

import numpy as np
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError, TextTooLongError
from qdrant_embed.reranking import ListwiseReranker
from qdrant_embed.testing import check_reranker
from tests.support.tiny_models import SENTENCES, save_tiny_model

QUESTION = "when do the gates open?"
TOKENS = 4096
BY_HAND = (
    "<|im_start|>user\n"
    "Given a web search query and some relevant documents, rerank the documents that answer the query:\n"
    "Documents:\n"
    "[1] first passage\n"
    "[2] second one\n"
    "Search Query: when do the gates open?<|im_end|>\n"
    "<|im_start|>assistant\n"
    "<think>\n\n</think>\n\n"
)
"""As the authors' evaluation writes it, in Qwen3's chat template with thinking off."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_model(
        tmp_path_factory.mktemp("e2rank"), "qwen3", pooling="", max_tokens=TOKENS, padding_side="left"
    )


@pytest.fixture(scope="module")
def presets(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("presets") / "tiny.toml"
    path.write_text(f'[models."e2rank-0.6b"]\nsource = "{folder}"\ndim = 32\nmax_tokens = {TOKENS}\n')
    return path


@pytest.fixture(scope="module")
def docs(presets, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QDRANT_EMBED_PRESETS", str(presets))
        at = tmp_path_factory.mktemp("lists")
        with Collection.open("lists", at=at, recipe=Recipe(model="e2rank-0.6b", chunker="document")) as made:
            words = " ".join(SENTENCES[:5]).replace("\n", " ").split()
            texts = [" ".join(words[start : start + 9]) for start in range(0, 30)]
            made.ingest([Document(text=text, source=f"{place}") for place, text in enumerate(texts)])
            yield made


def vectors_by_transformers(folder, texts, *, special=False):
    """Return the unit vectors of the last token of each text, one text after the other.

    :param special: Whether the tokenizer adds what it adds to texts; the tiny one does, unlike the authors'.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    rows = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=special, return_tensors="pt")
        with torch.inference_mode():
            rows.append(model(**ids).last_hidden_state[0, -1].numpy())
    return np.stack(rows) / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_prompt_is_the_authors_byte_by_byte(docs):
    made = ListwiseReranker(docs.parts.rerank_context)
    first, second = docs.search(QUESTION, k=2)
    hits = [replace(first, text="first passage", context=""), replace(second, text="second  one ", context="")]
    assert made.prompt(QUESTION, hits) == BY_HAND
    assert (made.documents, made.words) == (20, 1024)
    own = ListwiseReranker(docs.parts.rerank_context, template="{query}: {documents}")
    assert own.prompt("{documents}?", hits[:1]) == "{documents}?: [1] first passage"


def test_twenty_documents_of_so_many_words_are_shown(docs):
    made = ListwiseReranker(docs.parts.rerank_context)
    hits = [replace(hit, text="word " * 2000) for hit in docs.search(QUESTION, k=30)]
    shown = made.prompt(QUESTION, hits)
    assert "[20] word" in shown and "[21]" not in shown
    assert shown.count("word") == 20 * 1024


def test_the_ranking_is_that_of_a_plain_reference(docs, folder):
    hits = docs.search(QUESTION, k=30)
    ranked = docs.search(QUESTION, k=30, rerank="listwise")
    listed = "\n".join(f"[{place}] {hit.text}" for place, hit in enumerate(hits[:20], 1))
    prompt = BY_HAND.replace("[1] first passage\n[2] second one", listed)
    (asked,) = vectors_by_transformers(folder, [prompt])
    rows = vectors_by_transformers(folder, [f"{hit.text}<|endoftext|>" for hit in hits], special=True)
    expected = dict(zip([hit.id for hit in hits], (rows @ asked).tolist(), strict=True))
    assert {hit.id: hit.score for hit in ranked} == pytest.approx(expected, abs=2e-5)
    by_reference = [hits[place].id for place in np.argsort(-(rows @ asked), kind="stable")]
    assert [hit.id for hit in ranked[:5]] == by_reference[:5]


def test_the_suite_runs_over_it(docs):
    check_reranker(docs.parts.reranker("listwise"), QUESTION, docs.search(QUESTION, k=25))


def test_the_model_reads_one_prompt_for_each_question(docs, monkeypatch):
    read, embed = [], type(docs.embedder.tokens).embed_prompts
    monkeypatch.setattr(
        type(docs.embedder.tokens), "embed_prompts", lambda self, texts: read.append(len(texts)) or embed(self, texts)
    )
    docs.search([QUESTION, "keys", "cranes"], k=3, rerank="listwise")
    assert read == [3]


def test_passages_are_cut_until_the_prompt_fits_and_a_question_is_not(docs):
    made = ListwiseReranker(docs.parts.rerank_context)
    hits = [replace(hit, text="the harbour master rotates keys " * 300) for hit in docs.search(QUESTION, k=30)]
    assert len(made.rerank(QUESTION, hits)) == 30
    with pytest.raises(TextTooLongError, match=r"ask a shorter question"):
        made.rerank("w " * TOKENS, hits)
    with pytest.raises(TextTooLongError, match="a prompt has"):
        docs.embedder.tokens.embed_prompts(["w " * TOKENS])


def test_other_models_are_refused_with_those_that_do_it(make_collection):
    able = r"e2rank-0\.6b, e2rank-4b, e2rank-8b\. For any other model, type 'tokens'"
    with pytest.raises(ConfigurationError, match=rf"'hashing' has no rerank_template.*: {able}"):
        make_collection().search("cod", rerank="listwise")


def test_arguments_and_templates_without_a_place_are_refused(docs):
    with pytest.raises(ConfigurationError, match="it takes no argument; type 'listwise'"):
        docs.search(QUESTION, rerank="listwise:20")
    with pytest.raises(ConfigurationError, match="write where the passages and the question go"):
        ListwiseReranker(docs.parts.rerank_context, template="{documents}")
