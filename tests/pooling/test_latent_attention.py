"""Trained pooling by cross attention, beside a twin in torch that is written layer by layer."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.pooling.latent_attention import LatentPooling

WIDTH, LATENTS, HEADS, INNER, HIDDEN = 32, 5, 2, 16, 24


def make_weights(layers=0):
    random = np.random.default_rng(8)
    shapes = {
        "latents": (LATENTS, WIDTH),
        "to_q.weight": (INNER, WIDTH),
        "to_k.weight": (INNER, WIDTH),
        "to_v.weight": (INNER, WIDTH),
        "to_out.weight": (WIDTH, INNER),
        "forward_in.weight": (2 * HIDDEN, WIDTH),
        "forward_in.bias": (2 * HIDDEN,),
        "forward_out.weight": (WIDTH, HIDDEN),
        "forward_out.bias": (WIDTH,),
        **{f"{name}_norm.{part}": (WIDTH,) for name in ("latents", "states", "forward") for part in ("weight", "bias")},
        **({"layer_embedding": (layers, WIDTH)} if layers else {}),
    }
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def save(weights, folder, heads=HEADS, tokens="all"):
    path = folder / "latent_pooling.safetensors"
    about = {"heads": str(heads) if heads else "", "tokens": tokens}
    save_file(weights, str(path), {key: value for key, value in about.items() if value} or None)
    return path


def twin(weights, items):
    """Pool one text's (items, width) by torch's own attention and normalization."""
    import torch
    from torch.nn import functional

    w = {name: torch.from_numpy(value).double() for name, value in weights.items()}
    norm = lambda name, x: functional.layer_norm(x, (WIDTH,), w[f"{name}_norm.weight"], w[f"{name}_norm.bias"])  # noqa: E731
    items, latents = torch.from_numpy(np.array(items)).double(), w["latents"]
    heads = lambda x: x.reshape(len(x), HEADS, -1).transpose(0, 1)  # noqa: E731
    read = functional.scaled_dot_product_attention(
        heads(norm("latents", latents) @ w["to_q.weight"].T),
        heads(norm("states", items) @ w["to_k.weight"].T),
        heads(norm("states", items) @ w["to_v.weight"].T),
    )
    latents = latents + read.transpose(0, 1).reshape(LATENTS, INNER) @ w["to_out.weight"].T
    kept, gate = (norm("forward", latents) @ w["forward_in.weight"].T + w["forward_in.bias"]).chunk(2, dim=-1)
    latents = latents + (kept * functional.gelu(gate)) @ w["forward_out.weight"].T + w["forward_out.bias"]
    return latents.mean(0).numpy()


@pytest.mark.parametrize("left", [False, True])
def test_latents_read_the_tokens_and_no_padding(tmp_path, left):
    weights = make_weights()
    pooling = LatentPooling.from_file(save(weights, tmp_path))
    states = np.random.default_rng(1).normal(size=(3, 6, WIDTH)).astype(np.float32)
    mask = np.array([[0] * (6 - n) + [1] * n if left else [1] * n + [0] * (6 - n) for n in (6, 3, 1)], np.int64)
    expected = [twin(weights, row[real == 1]) for row, real in zip(states, mask, strict=True)]
    np.testing.assert_allclose(pooling(states, mask), expected, rtol=5e-5, atol=1e-4)


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("layers", [0, 3])
def test_latents_of_causal_models_read_the_last_token_alone(tmp_path, left, layers):
    weights = make_weights(layers)
    pooling = LatentPooling.from_file(save(weights, tmp_path, tokens="last"))
    states = np.random.default_rng(1).normal(size=(3, 6, max(1, layers) * WIDTH)).astype(np.float32)
    mask = np.array([[0] * (6 - n) + [1] * n if left else [1] * n + [0] * (6 - n) for n in (6, 3, 1)], np.int64)
    ends = [row[real == 1][-1].reshape(-1, WIDTH) for row, real in zip(states, mask, strict=True)]
    expected = [twin(weights, end + weights["layer_embedding"] if layers else end) for end in ends]
    np.testing.assert_allclose(pooling(states, mask), expected, rtol=5e-5, atol=1e-4)


def test_latents_that_do_not_say_which_tokens_they_read_are_refused(tmp_path):
    for tokens in ("", "first"):
        with pytest.raises(ModelError, match=r"which tokens it was trained on .*write 'last' for a model with causal"):
            LatentPooling.from_file(save(make_weights(), tmp_path, tokens=tokens))


def test_latents_read_one_vector_per_layer_of_a_model(tmp_path, plain_folder):
    import torch
    from transformers import AutoModel, AutoTokenizer

    weights = make_weights(layers=4)
    folder = tmp_path / "model"
    folder.mkdir()
    for path in plain_folder.iterdir():
        (folder / path.name).symlink_to(path)
    save(weights, folder)
    presets = tmp_path / "mine.toml"
    presets.write_text(f'[models.mine]\nsource = "{folder}"\npooling = "latents"\nstates = "layers"\n')
    texts = ["w1 w2 w3", "w4", "w5 w6 w7 w8"]
    model, tokenizer = AutoModel.from_pretrained(plain_folder).eval(), AutoTokenizer.from_pretrained(plain_folder)
    expected = []
    for text in texts:
        with torch.inference_mode():
            layers = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states[1:]
        means = np.array([layer[0].numpy().mean(0) for layer in layers])
        vector = twin(weights, means + weights["layer_embedding"][: len(means)])
        expected.append(vector / np.linalg.norm(vector))
    embedder = load_embedder("mine", presets=presets)
    np.testing.assert_allclose(embedder.embed_documents(texts), expected, atol=1e-4)
    before = embedder.fingerprint
    save({**weights, "latents": weights["latents"] + 1}, folder)
    assert load_embedder("mine", presets=presets).fingerprint != before


def test_weights_that_do_not_fit_are_named(tmp_path):
    weights = make_weights()
    for changed, heads, message in (
        ({name: value for name, value in weights.items() if name != "to_q.weight"}, HEADS, "lacks to_q.weight"),
        (weights | {"to_out.weight": np.zeros((WIDTH, 3), np.float32)}, HEADS, "to_out.weight has the shape"),
        (weights, 0, "does not say its number of heads"),
        (weights, 3, "3 heads"),
    ):
        with pytest.raises(ModelError, match=message):
            LatentPooling.from_file(save(changed, tmp_path, heads))
    with pytest.raises(ModelError, match="cannot be read"):
        LatentPooling.from_file(tmp_path / "nothing.safetensors")


def test_layers_as_states_are_for_latents_only(tmp_path, plain_folder):
    presets = tmp_path / "mine.toml"
    presets.write_text(f'[models.mine]\nsource = "{plain_folder}"\npooling = "mean"\nstates = "layers"\n')
    with pytest.raises(ConfigurationError, match="read by the pooling 'latents' only"):
        load_embedder("mine", presets=presets)
