"""What several parts of SelfExtend are compared with."""

import pytest


@pytest.fixture(scope="session")
def self_extend_grid():
    """Return a function: tokens, g, w → the distance of each pair (key's place - query's) that SelfExtend attends by.

    (LongEmbed, section 3.3; the whole grid at once, which nothing but a test could afford.)
    """
    import numpy as np

    def grid(tokens, group, window):
        places = np.arange(tokens)
        true = places[None, :] - places[:, None]
        far = places[None, :] // group - places[:, None] // group
        moved = np.sign(true) * (window - window // group)
        return np.where(np.abs(true) < window, true, far + moved)

    return grid
