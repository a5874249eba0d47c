from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed import Recipe
from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.long_context import WindowStrategy


@pytest.mark.parametrize(
    "text",
    [
        "error",
        "truncate",
        "pcw",
        "pcw:length-weighted",
        "pi:4096",
        "gp:1024+truncate",
        "ntk:4096,lambda=10",
        "selfextend:4096,g=9,w=64+pcw:length-weighted",
        "rp:2048,scale=0",
    ],
)
def test_a_strategy_prints_as_it_is_written(text):
    assert str(WindowStrategy.parse(text)) == text


def test_unknown_strategies_list_near_ones():
    with pytest.raises(UnknownNameError, match=r"unknown window strategy 'pwc'\. Did you mean 'pcw'\?"):
        WindowStrategy.parse("pwc")


@pytest.mark.parametrize("text", ["pcw:heavy", "truncate:7", "error:now"])
def test_unknown_arguments_are_refused(text):
    with pytest.raises(ConfigurationError, match="unknown window strategy"):
        WindowStrategy.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pi", "needs the number of tokens to reach, e.g. pi:4096"),
        ("pi:much", "needs the number of tokens to reach"),
        ("pi:4096,g=2", "pi takes no setting 'g'; it takes scale, from"),
        ("ntk:4096,lambda=big", "is not a number"),
        ("ntk:4096,lambda=0.5", "lambda=0.5 has to be 1 or more"),
        ("selfextend:4096,g=2.5", "g=2.5 has to be a whole number from 1 on"),
        ("pi:4096,from=0", "from=0 has to be a whole number from 1 on"),
        ("pi:4096,scale=2", "scale=2 is neither 0"),
        ("pi:4096+gp:4096", "give one extension, before all else"),
        ("pcw+pi:4096", "give one extension, before all else"),
        ("pcw+truncate", "says twice"),
    ],
)
def test_what_makes_no_sense_together_is_refused(text, message):
    with pytest.raises(ConfigurationError, match=message):
        WindowStrategy.parse(text)


def test_pcw_stands_behind_an_extension_that_says_nothing_else():
    assert WindowStrategy.parse("pi:4096+pcw") == WindowStrategy.parse("pi:4096")


@given(tokens=st.integers(0, 500), room=st.integers(1, 60))
def test_parallel_windows_cover_everything_and_are_full(tokens, room):
    windows = WindowStrategy.parse("pcw").windows(tokens, room)
    assert len(windows) == max(1, -(-tokens // room)), "no more windows than needed"
    assert (windows[0][0], windows[-1][1]) == (0, tokens)
    for (_, end), (start, _) in pairwise(windows):
        assert start <= end, "a gap"
    assert all(end == start for (_, end), (start, _) in pairwise(windows[:-1])), "an overlap"
    if tokens > room:
        assert {end - start for start, end in windows} == {room}, "the last one is shifted left until it is full"


def test_truncation_keeps_the_beginning():
    assert WindowStrategy.parse("truncate").windows(100, 30) == [(0, 30)]
    assert WindowStrategy.parse("truncate").windows(7, 30) == [(0, 7)]


def test_windows_are_averaged_before_they_are_normalized():
    vectors = np.array([[3, 0], [0, 1]], np.float32)
    np.testing.assert_allclose(WindowStrategy.parse("pcw").combine(vectors, [(0, 4), (2, 6)]), [1.5, 0.5])


def test_length_weights_count_only_what_no_window_before_has():
    vectors = np.array([[3, 0], [0, 3]], np.float32)
    combined = WindowStrategy.parse("pcw:length-weighted").combine(vectors, [(0, 4), (2, 6)])
    np.testing.assert_allclose(combined, [2, 1])


@pytest.mark.parametrize("text", ["pcw", "pcw:length-weighted", "truncate"])
def test_a_single_window_is_left_as_it_is(text):
    vector = np.array([[0.1, 0.7]], np.float32)
    assert (WindowStrategy.parse(text).combine(vector, [(0, 4)]) == vector[0]).all()


def test_average_is_read_as_the_word_that_is_kept():
    assert WindowStrategy.parse("average") == WindowStrategy.parse("pcw")
    assert str(WindowStrategy.parse("pi:4096+average:length-weighted")) == "pi:4096+pcw:length-weighted"
    assert Recipe(window="average") == Recipe(window="pcw")
