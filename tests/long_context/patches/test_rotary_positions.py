"""Rotary positions: every method in every architecture, against transformers itself where it knows the method."""

import pytest

from tests.support.late_import import Late

torch = Late("torch")

KINDS = ("llama", "qwen2", "qwen3", "gemma", "nomic_bert", "gte", "eurobert", "mistral", "phi", "phi3", "gemma2",
         "gemma3_text", "modernbert")  # fmt: skip
METHODS = ("gp", "pi", "ntk", "yarn", "dynamic", "selfextend")
LAYERED = ("gemma3_text", "modernbert")
TRAINED, TARGET = 16, 64


def close(found, wanted):
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_texts_that_fit_are_untouched_and_no_text_depends_on_those_beside_it(build, extended, read, kind, method):
    base, model = build(kind), extended(kind, f"{method}:64")
    assert torch.equal(read(model, [16, 5]), read(base, [16, 5])), "bit for bit"
    together = read(model, [50, 10, 30])
    close(together[1, :10], read(base, [50, 10, 30])[1, :10])
    close(together[2, :30], read(model, [1, 1, 30])[2, :30])
    assert not torch.allclose(together[0], read(base, [50])[0], atol=1e-2), "a long text is read in another way"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["qwen3", "nomic_bert", "gemma2"])
def test_padding_on_the_left_changes_nothing(extended, read, kind, method):
    model = extended(kind, f"{method}:64")
    padded = read(model, [50, 10, 30], side="left")
    right = read(model, [50, 10, 30])
    for row, length in enumerate([50, 10, 30]):
        close(padded[row, -length:], right[row, :length])


def rescaled(build, kind, rope_type, **settings):
    """Return the model that transformers builds with its own scaling."""
    base = build(kind).config
    changed = {"rope_type": rope_type, "factor": TARGET / TRAINED, **settings}
    rope = base.rope_parameters
    rope = {**rope, "full_attention": {**rope["full_attention"], **changed}} if kind in LAYERED else {**rope, **changed}
    return build(kind, rope_parameters=rope)


# transformers lets Phi-3 have no scaling but its own.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("gemma2", "phi3")])
@pytest.mark.parametrize(
    ("method", "rope_type", "settings"),
    [
        ("pi:64,scale=0", "linear", {}),
        ("yarn:64", "yarn", {"original_max_position_embeddings": TRAINED}),
        ("dynamic:64", "dynamic", {}),
    ],
)
def test_linear_yarn_and_dynamic_are_those_of_transformers(build, extended, read, kind, method, rope_type, settings):
    if rope_type == "dynamic" and kind in LAYERED:
        pytest.skip("transformers' own dynamic scaling forgets the factor of cosines where layers differ")
    lengths = [60]
    close(read(extended(kind, method), lengths), read(rescaled(build, kind, rope_type, **settings), lengths))


@pytest.mark.parametrize("kind", ["llama", "gte", "modernbert"])
@pytest.mark.parametrize(("given", "multiple"), [("", 5), (",lambda=7", 7)])
def test_ntk_is_a_larger_base(build, extended, read, kind, given, multiple):
    rope = build(kind).config.rope_parameters
    if kind in LAYERED:
        full = rope["full_attention"]
        rope = {**rope, "full_attention": {**full, "rope_theta": full["rope_theta"] * multiple}}
    else:
        rope = {**rope, "rope_theta": rope["rope_theta"] * multiple}
    wanted = build(kind, rope_parameters=rope)
    close(read(extended(kind, f"ntk:64{given},scale=0"), [64]), read(wanted, [64]))


def test_grouped_positions_are_those_divided_by_the_factor_of_each_text(extended):
    model = extended("llama", "gp:64")
    seen = []
    model.rotary_emb.rotation.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[1]))
    ids, mask = torch.randint(5, 40, (3, 40)), torch.ones(3, 40, dtype=torch.long)
    mask[1, 10:] = 0
    mask[2, 20:] = 0
    with torch.inference_mode():
        model(input_ids=ids, attention_mask=mask)
    assert seen[0][0].tolist() == [place // 3 for place in range(40)]
    assert seen[0][1, :10].tolist() == list(range(10))
    assert seen[0][2, :20].tolist() == [place // 2 for place in range(20)]


@pytest.mark.parametrize("kind", LAYERED)
def test_blocks_with_a_sliding_window_keep_their_own_rotation(extended, build, kind):
    types = ["sliding_attention", "sliding_attention"]
    ids, mask = torch.randint(5, 40, (1, 50)), torch.ones(1, 50, dtype=torch.long)
    for method in ("pi", "selfextend"):
        model = extended(kind, f"{method}:64,scale=0", layer_types=types)
        with torch.inference_mode():
            found = model(input_ids=ids, attention_mask=mask).last_hidden_state
            wanted = build(kind, layer_types=types)(input_ids=ids, attention_mask=mask).last_hidden_state
        close(found, wanted)
