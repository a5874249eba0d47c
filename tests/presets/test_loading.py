"""Each preset's way from files to vectors, against transformers and sentence-transformers used as authors mean it."""

import numpy as np
import pytest

from qdrant_embed import load_embedder
from qdrant_embed.models.license_warning import LicenseWarning, _warn
from qdrant_embed.models.preset_files import read_presets
from tests.support.tiny_adapters import hook_adapter

pytestmark = pytest.mark.filterwarnings("ignore::qdrant_embed.models.license_warning.LicenseWarning")

PRESETS = {name: entry.values for name, entry in read_presets().items()}
LOADABLE = sorted(
    name for name, values in PRESETS.items() if not values.get("unloadable") and values.get("kind", "dense") == "dense"
)
TORCH = [name for name in LOADABLE if PRESETS[name].get("runtime", "torch") == "torch"]
STATIC = [name for name in LOADABLE if PRESETS[name].get("runtime") == "static"]
TEXTS = ["Crane four lifts twelve tons.", "Key", "The gates open at six in the morning and close at ten at night."]
DECIDING = ("attention", "padding", "states", "pooling", "short_factor", "normalize", "layer_norm")
ALONE = ("nomic", "arctic", "kalm", "nemotron", "qzhou", "multilingual", "labse")
"""Families that are tried beside others of the same kind: own code, other files."""


def way(name):
    """Return what decides how a preset is loaded and pooled; presets that share it need to be tried once."""
    values = PRESETS[name]
    kept = tuple(values.get(key) for key in ("architecture", *DECIDING))
    return (
        *kept,
        name.startswith(("nomic", "arctic", "kalm", "nemotron", "qzhou", "multilingual", "labse")),
        "e2rank" in name,
    )


WAYS = list({way(name): name for name in reversed(TORCH)}.values())


@pytest.mark.parametrize("name", sorted(WAYS))
def test_vectors_are_those_of_the_reference(name, tiny_folder, lay_over):
    folder, plain = tiny_folder(name)
    embedder = load_embedder(name, presets=lay_over(name, folder))
    ours = embedder.embed_documents(TEXTS)
    texts = [_prompted(embedder.preset.document_prompt, text) for text in TEXTS]
    theirs = reference(plain, PRESETS[name], texts)
    assert ours.shape == (3, 32)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
    np.testing.assert_allclose(embedder.embed_documents(TEXTS[:1])[0], ours[0], atol=2e-5)


@pytest.mark.parametrize("name", STATIC)
def test_tables_are_averaged(name, static_folder, lay_over):
    folder = static_folder(name)
    embedder = load_embedder(name, presets=lay_over(name, folder))
    if (folder / "modules.json").exists():
        from sentence_transformers import SentenceTransformer

        theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    else:
        rows = [line.split(" ") for line in (folder / "vectors.txt").read_text().splitlines()[1:]]
        table = {row[0]: np.array(row[1:], float) for row in rows}
        theirs = np.array([np.mean([table[word] for word in words], axis=0) for words in _words(table)])
    theirs = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    texts = TEXTS if (folder / "modules.json").exists() else [" ".join(words) for words in _words(table)]
    np.testing.assert_allclose(embedder.embed_documents(texts), theirs, atol=2e-5)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("e5-mistral", {"attention": "bidirectional"}),
        ("genc-llama", {"attention": "causal"}),
        ("e2rank-0.6b", {"pooling": "mean"}),
        ("genc-phi1.5", {"pooling": "lasttoken"}),
        ("e2rank-0.6b", {"document_template": "{text}"}),
        ("muril-words", {"states": "last"}),
        ("defsent-roberta-base-cls", {"pooling": "max"}),
    ],
)
def test_a_wrong_preset_does_not_pass(name, wrong, tiny_folder, lay_over):
    folder, plain = tiny_folder(name)
    right = load_embedder(name, presets=lay_over(name, folder))
    texts = [_prompted(right.preset.document_prompt, text) for text in TEXTS]
    altered = load_embedder(name, presets=lay_over(name, folder, **wrong)).embed_documents(TEXTS)
    assert np.abs(altered - reference(plain, PRESETS[name], texts)).max() > 1e-2


def test_a_pooling_that_contradicts_the_files_is_refused(tiny_folder, lay_over):
    from qdrant_embed.errors import ConfigurationError

    folder, _ = tiny_folder("embeddinggemma")
    with pytest.raises(ConfigurationError, match="Remove pooling"):
        load_embedder("embeddinggemma", presets=lay_over("embeddinggemma", folder, pooling="cls"))


def test_another_architecture_is_refused(tiny_folder, lay_over):
    from qdrant_embed.errors import ConfigurationError

    folder, _ = tiny_folder("qwen3-0.6b")
    with pytest.raises(ConfigurationError, match="architecture"):
        load_embedder("bge-small-en", presets=lay_over("bge-small-en", folder))


@pytest.mark.filterwarnings("default")
def test_a_research_license_is_said_when_the_model_is_loaded(tiny_folder, lay_over):

    _warn.cache_clear()
    folder, _ = tiny_folder("nemotron-8b")
    embedder = load_embedder("nemotron-8b", presets=lay_over("nemotron-8b", folder))
    with pytest.warns(LicenseWarning, match="non-commercial"):
        embedder.embed_queries(["a"])


@pytest.mark.parametrize("name", ["mxbai-2d-large"])
def test_blocks_and_dimensions_can_be_left_off(name, tiny_folder, lay_over):
    folder, plain = tiny_folder(name)
    path = lay_over(name, folder)
    cut = load_embedder(name, presets=path, layers=1, compression="16d").embed_documents(TEXTS)
    states = _states(plain, {"attention": ""}, TEXTS, layer=1)
    theirs = np.array([state[0][:16] for state in states])
    np.testing.assert_allclose(cut, theirs / np.linalg.norm(theirs, axis=1, keepdims=True), atol=2e-5)


def test_nomic_is_cut_as_its_authors_cut_it(tiny_folder, lay_over):
    name = "nomic-v1.5"
    folder, plain = tiny_folder(name)
    embedder = load_embedder(name, presets=lay_over(name, folder), compression="16d")
    texts = [_prompted(embedder.preset.document_prompt, text) for text in TEXTS]
    pooled = np.array([states.mean(0) for states in _states(plain, PRESETS[name], texts)])
    cut = _layer_norm(pooled)[:, :16]
    np.testing.assert_allclose(
        embedder.embed_documents(TEXTS), cut / np.linalg.norm(cut, axis=1, keepdims=True), atol=2e-5
    )


def _layer_norm(vectors):
    import torch

    return torch.nn.functional.layer_norm(torch.tensor(vectors), (vectors.shape[1],)).numpy()


def reference(folder, values, texts):
    """Return vectors the long way: one text at a time, nothing padded, pooled by hand."""
    if (folder / "2_Dense").exists():
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True)
    pooling = values.get("pooling", "mean")
    pools = {
        "mean": lambda s: s.mean(0),
        "cls": lambda s: s[0],
        "max": lambda s: s.max(0),
        "lasttoken": lambda s: s[-1],
    }
    vectors = np.array([pools[pooling](states) for states in _states(folder, values, texts)])
    if values.get("layer_norm"):
        vectors = _layer_norm(vectors)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if values.get("normalize", True) else vectors


def _states(folder, values, texts, layer=-1):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    if values.get("adapter"):
        hook_adapter(model, folder / values["adapter"])
    decoder = hasattr(model, "layers") and values.get("attention") == "bidirectional"
    found = []
    for text in texts:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        more = {}
        if decoder and model.config.model_type in ("llama", "mistral", "qwen2", "phi"):
            # A mask of four axes is taken as it is: nothing is hidden from anything.
            more["attention_mask"] = torch.zeros(1, 1, ids.shape[1], ids.shape[1])
        factor = values.get("short_factor", 1)
        if factor > 1 and ids.shape[1] <= model.config.max_position_embeddings // factor:
            more["position_ids"] = torch.arange(ids.shape[1])[None] * factor
        with torch.inference_mode():
            if values.get("states") == "first":
                found.append(model.get_input_embeddings()(ids)[0].numpy())
            else:
                output = model(input_ids=ids, output_hidden_states=True, **more)
                last = output.last_hidden_state if layer == -1 else output.hidden_states[layer]
                found.append(last[0].numpy())
    return found


def _prompted(prompt, text):
    return prompt.replace("{text}", text) if "{text}" in prompt else prompt + text


def _words(table):
    known = sorted(word for word in table if word.isascii() and word.isalpha())
    return [known[:4], known[4:5], known[5:12]]
