"""Learned tables: which rows tokens get, in every architecture that has one."""

import copy
import math

import numpy as np
import pytest

from qdrant_embed.long_context.positions import extended_table
from tests.support.late_import import Late

torch, tables = Late("torch"), Late("qdrant_embed.long_context.patches.absolute_positions")

KINDS = ("bert", "distilbert", "electra", "albert", "ernie", "roberta", "xlm-roberta", "camembert", "data2vec-text",
         "mpnet")  # fmt: skip
TRAINED = 16


def with_table(model, method, tokens):
    """Return the model with its table swapped for a longer one: what stretching has to equal."""
    table, parent = tables.position_table(model)
    first = tables.first_row(table)
    rows = extended_table(table.weight[first : first + TRAINED].detach().numpy(), method, tokens)
    longer = torch.nn.Embedding(first + tokens, rows.shape[1], padding_idx=table.padding_idx)
    longer.weight.data = torch.cat([table.weight.detach()[:first], torch.from_numpy(rows)])
    parent.position_embeddings = longer
    for name in ("position_ids", "token_type_ids"):
        if hasattr(parent, name):
            wide = torch.arange(first + tokens).expand(1, -1)
            setattr(parent, name, wide if name == "position_ids" else torch.zeros_like(wide))
    return model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["gp", "rp", "pi"])
def test_a_long_text_reads_the_rows_of_the_formulas(build, extended, read, kind, method):
    model = extended(kind, f"{method}:64,scale=0")
    for tokens in (17, 50, 64):
        wanted = read(with_table(build(kind), method, tokens), [tokens])
        torch.testing.assert_close(read(model, [tokens]), wanted, atol=3e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["gp", "rp", "pi"])
def test_texts_that_fit_are_read_bit_for_bit_as_before(build, extended, read, kind, method):
    base, model = build(kind), extended(kind, f"{method}:64")
    for lengths in ([16], [1], [16, 3, 9]):
        assert torch.equal(read(model, lengths), read(base, lengths))


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "mpnet", "distilbert"])
@pytest.mark.parametrize("method", ["gp", "rp", "pi"])
def test_no_text_depends_on_those_beside_it(extended, read, kind, method):
    model = extended(kind, f"{method}:64")
    together = read(model, [50, 10, 30])
    for row, length in enumerate([50, 10, 30]):
        states = read(model, [*[1] * row, length])[row, :length]
        torch.testing.assert_close(together[row, :length], states, atol=3e-5, rtol=1e-4)


def test_token_types_and_padding_change_nothing_beyond_the_old_window(extended, read):
    model = extended("bert", "gp:64")
    alone = read(model, [40])[0]
    padded = read(model, [40, 64])[0, :40]
    torch.testing.assert_close(padded, alone, atol=3e-5, rtol=1e-4)


def test_from_stretches_a_part_of_the_table(extended, read):
    half = extended("bert", "pi:64,from=8", trained=8)
    used = set()
    rows = half.embeddings.position_embeddings.rows
    rows.register_forward_hook(lambda _module, inputs, _output: used.update(inputs[0].flatten().tolist()))
    read(half, [64])
    assert used == set(range(8))


def test_a_model_whose_table_was_stretched_spreads_short_texts_by_their_own_length(build, read):
    model = build("bert")
    tables.read_tuned(model, 4, 0)
    table, _ = tables.position_table(model)
    seen = []
    table.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    read(model, [4, 9, 2])
    assert seen[0][0, :4].tolist() == [0, 4, 8, 12]
    assert seen[0][1].tolist() == list(range(9))
    assert seen[0][2, :2].tolist() == [0, 4]


def test_how_far_short_texts_are_spread_follows_from_the_table_and_not_from_the_length_that_is_allowed(build):
    from qdrant_embed.models.presets import make_preset, preset_defaults
    from qdrant_embed.runtimes.torch.architecture import shape

    model = build("bert")
    shape(model, make_preset("tuned", {**preset_defaults(), "short_factor": 4, "max_tokens": 8}))
    mask = torch.ones(1, 4, dtype=torch.long)
    assert model.extended_positions.read(mask)[1].tolist() == [[0, 4, 8, 12]]


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "mpnet"])
@pytest.mark.parametrize("factor", [4, 1])
def test_attention_over_long_texts_is_sharpened_where_the_table_was_trained(build, read, sharper, kind, factor):
    lengths = [16, 3, 10, 4]
    model, plain = build(kind), build(kind)
    tables.read_tuned(model, factor, 4)
    tables.read_tuned(plain, factor, 0)
    found, usual = read(model, lengths), read(plain, lengths)
    for row, length in enumerate(lengths):
        wanted = build(kind)
        tables.read_tuned(wanted, factor, 0)
        states = read(sharper(wanted, max(1, math.log(length) / math.log(4))), lengths)
        torch.testing.assert_close(found[row, :length], states[row, :length], atol=3e-5, rtol=1e-4)
    assert not torch.allclose(found[0], usual[0], atol=1e-2)


def test_two_models_of_one_kind_live_side_by_side_and_copies_work_alone(build, extended, read):
    base = build("bert")
    before = read(base, [12])
    grouped, recurrent = extended("bert", "gp:64"), extended("bert", "rp:64")
    first = read(grouped, [40]), read(recurrent, [40])
    assert not torch.allclose(*first)
    copied = copy.deepcopy(grouped)
    with torch.no_grad():
        next(iter(grouped.parameters())).zero_()
    torch.testing.assert_close(read(copied, [40]), first[0])
    torch.testing.assert_close(read(recurrent, [40]), first[1])
    assert torch.equal(read(base, [12]), before)
    assert type(build("bert")) is type(base)
    assert np.allclose(read(build("bert"), [12]), before)
