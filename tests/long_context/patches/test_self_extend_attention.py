"""SelfExtend's attention: equal to plain attention over the whole grid of distances, in little memory."""

import numpy as np
import pytest

from tests.support.late_import import Late

torch = Late("torch")
self_extend_attention = Late("qdrant_embed.long_context.patches.self_extend_attention")
Reading = Late("qdrant_embed.long_context.patches.forward_context", "Reading")

HEADS, WIDTH, GROUP, WINDOW = 4, 8, 3, 5
FREQUENCIES = 10.0 ** -np.arange(WIDTH // 2)


def rotation(_states, places):
    angles = places[..., None].double() * torch.from_numpy(FREQUENCIES)
    both = torch.cat((angles, angles), dim=-1)
    return both.cos(), both.sin()


def attention(*, causal):
    module = torch.nn.Module()
    module.is_causal = causal
    return module


def plain(grid, query, key, value, *, causal, mask=None):
    """Attention pair by pair: each key is rotated by its distance to the query, as SelfExtend sees it."""
    tokens = query.shape[1]
    seen = torch.zeros_like(query)
    for head in range(HEADS):
        shared = head // (HEADS // len(key))
        for place in range(tokens):
            scores = torch.full((tokens,), float("-inf"), dtype=torch.double)
            for other in range(tokens):
                hidden = (causal and other > place) or (mask is not None and not mask[place, other])
                if not hidden:
                    scores[other] = query[head, place] @ turned(key[shared, other], grid[place, other]) / WIDTH**0.5
            seen[head, place] = torch.softmax(scores, 0) @ value[shared]
    return seen


def turned(vector, distance):
    cosines, sines = np.cos(distance * FREQUENCIES), np.sin(distance * FREQUENCIES)
    first, second = vector[: WIDTH // 2].numpy(), vector[WIDTH // 2 :].numpy()
    return torch.from_numpy(np.concatenate([first * cosines - second * sines, second * cosines + first * sines]))


def drawn(tokens, groups, rows=1):
    torch.manual_seed(2)
    shapes = (HEADS, groups, groups)
    return [torch.randn(rows, heads, tokens, WIDTH, dtype=torch.double) for heads in shapes]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("groups", [4, 2, 1])
@pytest.mark.parametrize("scores_at_once", [2**24, 200])
def test_blocks_equal_attention_over_the_whole_grid(monkeypatch, self_extend_grid, causal, groups, scores_at_once):
    monkeypatch.setattr("qdrant_embed.long_context.patches.self_extend_attention._SCORES", scores_at_once)
    query, key, value = drawn(23, groups)
    ones = torch.ones(1, 23, dtype=torch.long)
    reading = Reading(ones, ones.sum(1), torch.tensor([True]))
    found = self_extend_attention.Bands(rotation, GROUP, WINDOW).attend(
        attention(causal=causal), (query, key, value), {}, reading
    )
    wanted = plain(self_extend_grid(23, GROUP, WINDOW), query[0], key[0], value[0], causal=causal)
    torch.testing.assert_close(found[0].transpose(0, 1), wanted)


@pytest.mark.parametrize("left", [False, True])
def test_padding_is_left_out_on_either_side_and_short_texts_are_not_touched(self_extend_grid, left):
    query, key, value = drawn(23, 2, rows=3)
    mask = torch.ones(3, 23, dtype=torch.long)
    place = slice(4, 23) if left else slice(0, 19)
    mask[1] = 0
    mask[1, place] = 1
    reading = Reading(mask, mask.sum(1), torch.tensor([True, True, False]))
    pairs = mask.bool()[:, None, None, :].expand(3, 1, 23, 23)
    attend = self_extend_attention.Bands(rotation, GROUP, WINDOW).attend
    found = attend(attention(causal=False), (query, key, value, pairs), {}, reading)
    grid = self_extend_grid(19, GROUP, WINDOW)
    wanted = plain(grid, query[1, :, place], key[1, :, place], value[1, :, place], causal=False)
    torch.testing.assert_close(found[1, place].transpose(0, 1), wanted)
    assert (found[2] == 0).all()


def test_a_mask_of_pairs_is_kept(self_extend_grid):
    """As models with a sliding window make them."""
    query, key, value = drawn(20, 2)
    ones = torch.ones(1, 20, dtype=torch.long)
    places = torch.arange(20)
    near = (places[None, :] - places[:, None]).abs() < 9
    grid = self_extend_grid(20, GROUP, WINDOW)
    for mask in (near, torch.where(near, 0.0, -1e30).double()):
        found = self_extend_attention.Bands(rotation, GROUP, WINDOW).attend(
            attention(causal=False),
            (query, key, value, mask[None, None]),
            {},
            Reading(ones, ones.sum(1), ones[:, 0] > 0),
        )
        wanted = plain(grid, query[0], key[0], value[0], causal=False, mask=near)
        torch.testing.assert_close(found[0].transpose(0, 1), wanted)


def test_scores_of_all_pairs_are_never_held(monkeypatch):
    from qdrant_embed.long_context.patches.self_extend_attention import _scores as counted

    held = []

    def watched(*given):
        scores = counted(*given)
        held.append(scores.numel())
        return scores

    monkeypatch.setattr("qdrant_embed.long_context.patches.self_extend_attention._SCORES", 2**14)
    monkeypatch.setattr("qdrant_embed.long_context.patches.self_extend_attention._scores", watched)
    query, key, value = drawn(600, 2)
    ones = torch.ones(1, 600, dtype=torch.long)
    reading = Reading(ones, ones.sum(1), torch.tensor([True]))
    self_extend_attention.Bands(rotation, 9, 64).attend(attention(causal=True), (query, key, value), {}, reading)
    assert max(held) <= 2**14
    assert sum(held) >= 2 * HEADS * 600 * 600, "all of them came by"


def test_values_that_heads_share_are_not_copied_for_each_head(monkeypatch):
    """With 32 heads at 32768 tokens the copies of each block would hold 256 MiB, some 2000 times."""
    monkeypatch.setattr(torch.Tensor, "repeat_interleave", lambda *_: pytest.fail("values were copied"))
    query, key, value = drawn(40, 1)
    ones = torch.ones(1, 40, dtype=torch.long)
    reading = Reading(ones, ones.sum(1), torch.tensor([True]))
    self_extend_attention.Bands(rotation, GROUP, WINDOW).attend(
        attention(causal=False), (query, key, value), {}, reading
    )
