"""Attention of stretched models: sharper over long texts, over SelfExtend's grid, and never over all pairs at once."""

import math

import pytest

from tests.support.late_import import Late

torch, read_tuned = Late("torch"), Late("qdrant_embed.long_context.patches.absolute_positions", "read_tuned")
AttentionInterface = Late("transformers", "AttentionInterface")
AttentionMaskInterface = Late("transformers.masking_utils", "AttentionMaskInterface")

TRAINED = 16
GRID = "self_extend_grid"
"""The name under which transformers knows the attention of these tests."""


def close(found, wanted):
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", ["bert", "mpnet", "distilbert", "llama", "modernbert", "gemma2"])
@pytest.mark.parametrize("method", ["gp", "pi"])
def test_queries_of_a_text_are_multiplied_by_ln_n_over_ln_of_the_window(extended, read, sharper, kind, method):
    """LongEmbed, section 3.2. By the length of each text, whatever stands beside it."""
    lengths = [50, 10, 64, 16]
    found, usual = (
        read(extended(kind, f"{method}:64"), lengths),
        read(extended(kind, f"{method}:64,scale=0"), lengths),
    )
    for row, length in enumerate(lengths):
        factor = max(1, math.log(length) / math.log(TRAINED))
        wanted = read(sharper(extended(kind, f"{method}:64,scale=0"), factor), lengths)
        close(found[row, :length], wanted[row, :length])
        assert torch.allclose(found[row, :length], usual[row, :length], atol=2e-4) == (length <= TRAINED)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "phi"])
@pytest.mark.parametrize("method", ["ntk", "selfextend", "yarn"])
def test_other_rotary_methods_are_sharpened_where_that_is_asked_for(extended, read, sharper, kind, method):
    found = read(extended(kind, f"{method}:64,scale=1"), [40])
    close(found, read(sharper(extended(kind, f"{method}:64,scale=0"), math.log(40) / math.log(TRAINED)), [40]))


def over_the_grid(model, grid, group, window, factor):
    """Let a rotary model attend pair by pair: each key is turned by the distance that SelfExtend gives the pair."""
    parent = next(module for module in model.modules() if hasattr(module, "rotary_emb"))
    rotation = parent.rotary_emb
    frequencies = getattr(rotation, "inv_freq", None)
    frequencies = rotation.full_attention_inv_freq if frequencies is None else frequencies

    class Unturned(torch.nn.Module):
        def forward(self, *args, **kwargs):
            cosines, sines = rotation(*args, **kwargs)
            return torch.ones_like(cosines), torch.zeros_like(sines)

    def attend(module, query, key, value, attention_mask, scaling=None, softcap=None, **_):
        tokens, repeats = query.shape[2], query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
        angles = torch.from_numpy(grid(tokens, group, window))[..., None] * frequencies
        half = len(frequencies)
        first, second, rest = key[:, :, None].split([half, half, key.shape[-1] - 2 * half], dim=-1)
        turned = (first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin())
        keys = torch.cat([*turned, rest.expand(-1, -1, tokens, -1, -1)], dim=-1)
        scores = (query[:, :, :, None] * factor * keys).sum(-1) * (scaling or query.shape[-1] ** -0.5)
        scores = torch.tanh(scores / softcap) * softcap if softcap else scores
        scores = scores if attention_mask is None else scores + attention_mask
        return (torch.softmax(scores, -1) @ value).transpose(1, 2), None

    parent.rotary_emb = Unturned()
    AttentionInterface.register(GRID, attend)
    AttentionMaskInterface.register(GRID, AttentionMaskInterface()["eager"])
    model.config._attn_implementation = GRID
    return model


# Gemma 2 caps its scores, has a scaling of its own and slides in every other block,
# Phi turns half of a head, Qwen 3 normalizes queries.
@pytest.mark.parametrize("kind", ["llama", "qwen3", "phi", "gemma", "gemma2", "nomic_bert", "gte", "modernbert"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_selfextend_is_attention_over_its_grid_in_every_architecture(
    build, extended, read, self_extend_grid, kind, side
):
    changes = {"modernbert": {"layer_types": ["full_attention"] * 2}, "gemma2": {"query_pre_attn_scalar": 3}}
    changes = changes.get(kind, {})
    together = read(extended(kind, "selfextend:64,g=5,w=4", **changes), [50, 30], side)
    for row, length in enumerate((50, 30)):
        factor = math.log(length) / math.log(TRAINED)
        wanted = over_the_grid(build(kind, **changes), self_extend_grid, 5, 4, factor)
        states = read(wanted, [1] * row + [length])[row]
        close(together[row, -length:] if side == "left" else together[row, :length], states)


@pytest.fixture
def masks(monkeypatch):
    """Return the masks that reach the fused kernel."""
    seen, kernel = [], torch.nn.functional.scaled_dot_product_attention

    def watched(*args, attn_mask=None, **kwargs):
        seen.append(attn_mask)
        return kernel(*args, attn_mask=attn_mask, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    return seen


@pytest.mark.parametrize("kind", ["bert", "distilbert", "xlm-roberta", "electra"])
@pytest.mark.parametrize("method", ["gp:64", "pi:64,scale=0"])
def test_one_mask_of_keys_is_enough_for_a_text_however_long(extended, read, masks, kind, method):
    """A mask of all pairs would hold more than the scores themselves at 4096 tokens, which no kernel ever holds."""
    model = extended(kind, method)
    read(model, [64, 40])
    assert [tuple(mask.shape) for mask in masks] == [(2, 1, 1, 64)] * 2


def test_nor_is_there_one_of_all_pairs_where_the_table_was_trained(build, read, masks):
    model = build("bert", max_position_embeddings=64)
    read_tuned(model, 4, 16)
    read(model, [64, 40])
    assert [tuple(mask.shape) for mask in masks] == [(2, 1, 1, 64)] * 2


@pytest.mark.parametrize("kind", ["llama", "qwen3", "nomic_bert", "gte", "modernbert", "gemma3_text"])
@pytest.mark.parametrize("method", ["ntk:64", "pi:64"])
def test_rotary_models_hold_one_bit_mask_for_all_heads(extended, read, masks, kind, method):
    read(extended(kind, method), [64, 40])
    assert len(masks) == 2
    for mask in masks:
        assert mask.dtype == torch.bool
        assert mask.shape[1] == 1
