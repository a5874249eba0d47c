"""The exact text that reaches the tokenizer, for a question and for a passage, of every preset."""

import pytest

from qdrant_embed import load_embedder
from qdrant_embed.models.preset_files import read_presets
from qdrant_embed.runtimes.batching import BatchLimits

PRESETS = {name: entry.values for name, entry in read_presets().items()}
LOADABLE = sorted(
    name for name, values in PRESETS.items() if not values.get("unloadable") and values.get("kind", "dense") == "dense"
)
TORCH = [name for name in LOADABLE if PRESETS[name].get("runtime", "torch") == "torch"]
OTHERS = [name for name in LOADABLE if PRESETS[name].get("runtime") in ("api", "static")]

QUESTION, PASSAGE = "who inspects cranes?", "The gates open at six."
WEB = "Given a web search query, retrieve relevant passages that answer the query"
ANSWER = "Given a question, retrieve passages that answer the question."
BGE = "Represent this sentence for searching relevant passages: "

# Written out by hand, not read from the presets: a slip in one of the two shows.
EXPECTED = {
    ("e5-small-v2", "e5-base-v2", "e5-large-v2", "e5-base-4k", "multilingual-e5-small", "multilingual-e5-base",
     "multilingual-e5-large"): (f"query: {QUESTION}", f"passage: {PASSAGE}"),
    ("e5-mistral", "multilingual-e5-large-instruct", "nemotron-8b"): (
        f"Instruct: {WEB}\nQuery: {QUESTION}", PASSAGE,
    ),
    ("qwen3-0.6b", "qwen3-4b", "qwen3-8b", "qzhou"): (f"Instruct: {WEB}\nQuery:{QUESTION}", PASSAGE),
    ("kalm-v1.5", "kalm-v2", "kalm-v2.5"): (
        f"Instruct: Given a query, retrieve documents that answer the query \n Query: {QUESTION}", PASSAGE,
    ),
    ("e2rank-0.6b", "e2rank-4b", "e2rank-8b", "e2rank-0.6b-embedding", "e2rank-4b-embedding",
     "e2rank-8b-embedding"): (f"Instruct: {WEB}\nQuery:{QUESTION}<|endoftext|>", f"{PASSAGE}<|endoftext|>"),
    ("genc-mistral", "genc-llama", "genc-phi1.5"): (
        f"{ANSWER}\n{QUESTION}", f"{ANSWER}\nCandidate:\n{PASSAGE}",
    ),
    ("bge-small-en", "bge-base-en", "bge-large-en", "arctic-xs", "arctic-s", "arctic-m", "arctic-m-v1.5",
     "arctic-m-long", "arctic-l", "mxbai-large"): (f"{BGE}{QUESTION}", PASSAGE),
    ("bge-small-zh", "bge-base-zh", "bge-large-zh"): (f"为这个句子生成表示以用于检索相关文章：{QUESTION}", PASSAGE),
    ("jina-v3",): (
        f"Represent the query for retrieving evidence documents: {QUESTION}",
        f"Represent the document for retrieval: {PASSAGE}",
    ),
    ("arctic-m-v2", "arctic-l-v2"): (f"query: {QUESTION}", PASSAGE),
    ("nomic-v1", "nomic-v1.5", "modernbert-embed", "ollama-nomic"): (
        f"search_query: {QUESTION}", f"search_document: {PASSAGE}",
    ),
    ("embeddinggemma", "ollama-embeddinggemma"): (
        f"task: search result | query: {QUESTION}", f"title: none | text: {PASSAGE}",
    ),
}  # fmt: skip
PROMPTED = {name: texts for names, texts in EXPECTED.items() for name in names}


def texts_of(name):
    return PROMPTED.get(name, (QUESTION, PASSAGE))


@pytest.mark.parametrize("name", TORCH)
def test_what_the_tokenizer_is_given(name, tiny_folder, lay_over, monkeypatch):
    folder, _ = tiny_folder(name)
    embedder = load_embedder(name, presets=lay_over(name, folder))
    seen = []
    monkeypatch.setattr(type(embedder._running), "batch_limits", BatchLimits())  # to ask for them would load the model
    # In the class, since a model with an adapter for questions has two of them.
    monkeypatch.setattr(type(embedder._running), "run", lambda _, batch: seen.append(batch) or _nothing(batch))
    embedder.embed_queries([QUESTION])
    embedder.embed_documents([PASSAGE])
    tokenizer = _their_tokenizer(folder)
    for batch, text in zip(seen, texts_of(name), strict=True):
        read = [token for token, real in zip(batch.ids[0], batch.mask[0], strict=True) if real]
        assert read == tokenizer(text)["input_ids"], tokenizer.decode(read)


@pytest.mark.parametrize("name", OTHERS)
def test_what_a_server_or_a_table_is_given(name):
    from qdrant_embed.models.catalog import stated_prompts
    from qdrant_embed.models.prompts import rendered

    query, document = stated_prompts(PRESETS[name])
    assert (rendered(query, QUESTION), rendered(document, PASSAGE)) == texts_of(name)


def test_every_expected_text_belongs_to_a_preset():
    assert set(PROMPTED) <= set(PRESETS)


def test_a_task_changes_the_prompt(tiny_folder, lay_over):
    folder, _ = tiny_folder("qzhou")
    path = lay_over("qzhou", folder)
    asked = load_embedder("qzhou", presets=path, task="Find the crane.").preset.query_prompt
    assert asked == "Instruct: Find the crane.\nQuery:"


def _nothing(batch):
    import numpy as np

    return np.ones((len(batch.ids), 32), np.float32)


def _their_tokenizer(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)
