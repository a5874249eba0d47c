"""SelfExtend's grid, capacity and usual settings against the papers."""

import numpy as np
import pytest

from qdrant_embed.long_context.positions import capacity, group_and_window, shift

PUBLISHED = [
    (512, 1024, 3, 256), (512, 2048, 5, 128), (512, 4096, 9, 64),
    (4096, 8192, 3, 2048), (4096, 16384, 5, 1024), (4096, 32768, 9, 512),
]  # fmt: skip
"""Trained window, target, g and w of LongEmbed's table 6."""


def test_the_grid_of_ten_tokens_in_the_paper(self_extend_grid):
    grid = self_extend_grid(10, 2, 4)
    assert grid[0].tolist() == [0, 1, 2, 3, 4, 4, 5, 5, 6, 6]
    assert grid[4].tolist() == [-4, -3, -2, -1, 0, 1, 2, 3, 4, 4]
    np.testing.assert_array_equal(grid, -grid.T, "the same distance from either side")


def test_every_pair_by_the_definition(self_extend_grid):
    group, window = 3, 5
    grid = self_extend_grid(20, group, window)
    for query in range(20):
        for key in range(20):
            if abs(key - query) < window:
                wanted = key - query
            elif key < query:
                wanted = key // group - (query // group + shift(group, window))
            else:
                wanted = key // group + shift(group, window) - query // group
            assert grid[query, key] == wanted


@pytest.mark.parametrize(("trained", "target", "group", "window"), PUBLISHED)
def test_the_papers_settings_reach_their_target_and_are_ours(trained, target, group, window):
    assert capacity(trained, group, window) == target
    assert group_and_window(trained, target) == (group, window)


@pytest.mark.parametrize(("trained", "target"), [(512, 600), (512, 3000), (500, 7777), (64, 65), (512, 512)])
def test_usual_settings_reach_any_target_within_the_trained_distances(self_extend_grid, trained, target):
    group, window = group_and_window(trained, target)
    assert capacity(trained, group, window) >= target
    assert np.abs(self_extend_grid(min(target, 1200), group, window)).max() <= trained
    last = (target - 1) // group + shift(group, window)
    assert last <= trained, "the farthest distance is one that was trained"
