"""How each preset's states become a vector, written out by hand: what the other tests read from the presets is right.

A slip in a preset would otherwise be repeated by whatever is made from it: tiny models, references, pages.
"""

import pytest

from qdrant_embed.models.preset_files import our_presets

PRESETS = {name: entry.values for name, entry in our_presets().items()}
COLUMNS = ("pooling", "attention", "padding", "normalize", "states", "short_factor", "max_tokens")
UNSTATED = None
"""Where the model's own files decide."""
BOTH, LEFT = "bidirectional", "left"

# pooling, attention, padding, normalize, states, short_factor, max_tokens → presets
TABLE = {
    ("mean", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 256): "minilm",
    ("mean", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 512): """
        e5-small-v2 e5-base-v2 e5-large-v2 multilingual-e5-small multilingual-e5-base multilingual-e5-large
        multilingual-e5-large-instruct gte-small gte-base gte-large kalm-v2 kalm-v2.5
        genc-mistral genc-llama genc-phi1.5
        defsent-bert-base-mean defsent-bert-large-mean defsent-roberta-base-mean defsent-roberta-large-mean""",
    ("mean", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 2048): "nomic-v1 nomic-v1.5",
    ("mean", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 8192): "modernbert-embed jina-v3",
    ("mean", BOTH, UNSTATED, True, UNSTATED, 8, 4096): "e5-base-4k",
    ("mean", BOTH, LEFT, True, UNSTATED, UNSTATED, 8192): "qzhou",
    ("mean", BOTH, LEFT, True, UNSTATED, UNSTATED, 32_768): "nemotron-8b",
    ("mean", UNSTATED, UNSTATED, True, "first", UNSTATED, 512): "muril-words marathi-words",
    ("cls", BOTH, UNSTATED, UNSTATED, UNSTATED, UNSTATED, 512): "mxbai-large mxbai-2d-large",
    ("cls", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 512): """
        bge-small-en bge-base-en bge-large-en bge-small-zh bge-base-zh bge-large-zh
        arctic-xs arctic-s arctic-m arctic-m-v1.5 arctic-l
        defsent-bert-base-cls defsent-bert-large-cls defsent-roberta-base-cls defsent-roberta-large-cls""",
    ("cls", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 2048): "arctic-m-long",
    ("cls", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 8192): "bge-m3 arctic-m-v2 arctic-l-v2",
    ("max", BOTH, UNSTATED, True, UNSTATED, UNSTATED, 512): """
        defsent-bert-base-max defsent-bert-large-max defsent-roberta-base-max defsent-roberta-large-max""",
    ("lasttoken", "causal", UNSTATED, True, UNSTATED, UNSTATED, 4096): "e5-mistral",
    ("lasttoken", "causal", UNSTATED, True, UNSTATED, UNSTATED, 32_768): "vlm2vec-v2",
    ("lasttoken", "causal", LEFT, True, UNSTATED, UNSTATED, 32_768): """
        qwen3-0.6b qwen3-4b qwen3-8b e2rank-0.6b e2rank-4b e2rank-8b
        e2rank-0.6b-embedding e2rank-4b-embedding e2rank-8b-embedding""",
    (UNSTATED, BOTH, UNSTATED, UNSTATED, UNSTATED, UNSTATED, UNSTATED): """
        minilm-l12 multilingual-minilm multilingual-mpnet labse marathi-sbert marathi-sbert-sts hindi-sbert
        hindi-sbert-sts indic-sbert indic-sbert-sts""",
    (UNSTATED, BOTH, UNSTATED, UNSTATED, UNSTATED, UNSTATED, 384): "mpnet",
    (UNSTATED, BOTH, UNSTATED, UNSTATED, UNSTATED, UNSTATED, 512): "multi-qa-minilm",
    (UNSTATED, BOTH, UNSTATED, UNSTATED, UNSTATED, UNSTATED, 4096): "mxbai-xsmall",
    (UNSTATED, BOTH, UNSTATED, False, UNSTATED, UNSTATED, 512): "multi-qa-mpnet",
    (UNSTATED, BOTH, UNSTATED, True, UNSTATED, UNSTATED, 512): "gte-small-zh gte-base-zh gte-large-zh",
    (UNSTATED, BOTH, UNSTATED, True, UNSTATED, UNSTATED, 8192): "gte-modernbert gte-multilingual",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 512): "kalm-v1.5",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 2048): "embeddinggemma",
    (UNSTATED,) * 7: "peg",
}
COMPANIONS = {
    ("none", BOTH, UNSTATED, False, UNSTATED, UNSTATED, UNSTATED): "opensearch-doc-v2 opensearch-doc-v3",
    ("none", BOTH, UNSTATED, False, UNSTATED, UNSTATED, 512): "splade-v3 splade-ensembledistil",
    (UNSTATED, BOTH, UNSTATED, True, UNSTATED, UNSTATED, UNSTATED): "colbert-v2",
    (UNSTATED, BOTH, UNSTATED, True, UNSTATED, UNSTATED, 300): "answerai-colbert-small gte-modern-colbert",
}
WITHOUT_TRANSFORMER = {
    ("none", UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 256): "hashing",
    ("mean", UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, UNSTATED): "turkish-x2static",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, UNSTATED): """
        potion-2m potion-4m potion-8m potion-32m potion-code potion-multilingual potion-retrieval
        static-multilingual static-retrieval tei infinity vllm ollama""",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 512): """
        cohere-en-v3 cohere-en-light-v3 cohere-multilingual-v3 cohere-multilingual-light-v3""",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 2048): "ollama-nomic ollama-embeddinggemma",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 8191): "openai-small openai-large openai-ada",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 8192): "jina-v2-base-en-api jina-v3-api",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 16_000): "voyage-law-2",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 32_000): """
        voyage-3-large voyage-3.5 voyage-3.5-lite voyage-4 voyage-4-large voyage-4-lite voyage-code-3
        voyage-finance-2""",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 32_768): "jina-v4-api",
    (UNSTATED, UNSTATED, UNSTATED, True, UNSTATED, UNSTATED, 128_000): "cohere-v4",
}
EXPECTED = {
    name: row for table in (TABLE, COMPANIONS, WITHOUT_TRANSFORMER) for row, names in table.items()
    for name in names.split()
}  # fmt: skip


def test_every_preset_that_loads_has_a_row():
    assert sorted(EXPECTED) == sorted(name for name, values in PRESETS.items() if not values.get("unloadable"))


def test_a_preset_says_what_its_row_says():
    said = {name: tuple(PRESETS[name].get(column) for column in COLUMNS) for name in EXPECTED}
    assert {name: row for name, row in said.items() if row != EXPECTED[name]} == {}


def test_one_model_has_a_layer_norm_before_its_dimensions_are_cut():
    assert [name for name, values in PRESETS.items() if "layer_norm" in values] == ["nomic-v1.5"]
    assert PRESETS["nomic-v1.5"]["layer_norm"] is True
    assert PRESETS["nomic-v1.5"]["dims"] == [64, 128, 256, 512]


def test_one_model_has_adapters():
    assert [name for name, values in PRESETS.items() if "adapter" in values] == ["jina-v3"]
    sides = PRESETS["jina-v3"]["query_adapter"], PRESETS["jina-v3"]["adapter"]
    assert sides == ("retrieval_query", "retrieval_passage")


@pytest.mark.parametrize("key", ["pooled", "layers", "smoothing", "components"])
def test_what_no_model_of_ours_needs_is_stated_by_none(key):
    assert not [name for name, values in PRESETS.items() if key in values]
