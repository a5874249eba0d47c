"""Every line of the table is something that can be read and scored."""

import numpy as np

from benchmarks.long_context.drawing import average
from benchmarks.long_context.reading import Documents
from benchmarks.long_context.strategies import STRATEGIES
from qdrant_embed.long_context import WindowStrategy
from tests.support.tiny_models import save_tiny_model


class Asked:
    """Documents that only write down what they are asked for."""

    def __init__(self):
        self.windows = []

    def bags(self, window, tokens=256):
        self.windows.append((window, tokens))
        return [np.eye(3, dtype=np.float32)]

    def shifted(self, size):
        return self.bags(f"windows:{size}")


def test_every_strategy_asks_for_window_strategies_of_the_library():
    asked = Asked()
    for strategy in STRATEGIES:
        scores = strategy.score(np.eye(3, dtype=np.float32)[:2], strategy.bags(asked))
        assert scores.shape == (2, 1), strategy.name
    assert len({strategy.name for strategy in STRATEGIES}) == len(STRATEGIES)
    for window, tokens in asked.windows:
        strategy = WindowStrategy.parse(window)
        assert strategy.tokens <= tokens
        assert tokens in (256, 512)


def test_shifted_windows_stand_between_the_others(tmp_path):
    model = str(save_tiny_model(tmp_path / "tiny"))
    long, short = "The gates of the harbour open at six. " * 40, "The gates open."
    documents = Documents([long, short], model)
    plain, shifted = documents.bags("windows:32"), documents.shifted(32)
    assert len(plain[0]) > 3
    assert len(shifted[0]) in (2 * len(plain[0]) - 1, 2 * len(plain[0]))
    assert len(shifted[1]) == len(plain[1]) == 1
    assert np.array_equal(shifted[0][: len(plain[0])], plain[0])
    assert np.linalg.norm(shifted[0], axis=1).round(4).tolist() == [1.0] * len(shifted[0])


def test_late_chunks_are_those_of_the_windows(tmp_path):
    model = str(save_tiny_model(tmp_path / "tiny"))
    documents = Documents(["The gates of the harbour open at six. " * 40, "The gates open."], model, size=32)
    assert [len(bag) for bag in documents.bags("late")] == [len(own) for own in documents.chunks()]
    assert "".join(documents.chunks()[1]) == "The gates open."


def test_the_average_needs_all_four_lengths():
    curve = {512: 1.0, 1024: 0.5, 2048: 0.5, 4096: 0.25, 8192: 0.75}
    assert average(curve) == 0.5
    assert average({1024: 0.5}) is None
