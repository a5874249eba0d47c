import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.compression import Compression
from qdrant_embed.errors import ConfigurationError


@pytest.mark.parametrize("text", ["float32", "float16", "256d", "100d!", "256d+float16", "100d!+float16"])
def test_a_compression_prints_as_it_is_written(text):
    assert str(Compression.parse(text)) == text


@given(dim=st.none() | st.integers(1, 4096), forced=st.booleans(), datatype=st.sampled_from(["float32", "float16"]))
def test_what_is_printed_is_read_back(dim, forced, datatype):
    value = Compression(dim=dim, forced=forced and dim is not None, datatype=datatype)
    assert Compression.parse(str(value)) == value


def test_order_and_blanks_do_not_matter():
    assert Compression.parse("float16 + 64d") == Compression.parse("64d+float16")


@pytest.mark.parametrize("text", ["", "float64", "256d+128d", "float16+float16", "0d", "d", "256d+binary", "256d+"])
def test_unknown_or_repeated_parts_list_the_legal_ones(text):
    with pytest.raises(ConfigurationError, match=r"known parts.*Nd .*float32, float16"):
        Compression.parse(text)


def test_only_dimensions_that_the_model_was_trained_for_are_kept():
    keep = Compression.parse("64d").dim_of
    assert keep("tiny", 256, [64, 128]) == 64
    assert Compression.parse("float16").dim_of("tiny", 256, []) == 256
    assert Compression.parse("256d").dim_of("tiny", 256, []) == 256
    with pytest.raises(ConfigurationError, match=r"trained for: 128d\).*write '64d!'"):
        keep("tiny", 256, [128])


def test_any_cut_is_made_when_insisted_on_but_never_more_than_there_is():
    assert Compression.parse("100d!").dim_of("tiny", 256, []) == 100
    with pytest.raises(ConfigurationError, match="'tiny' has 256 dimensions; 300 cannot be kept"):
        Compression.parse("300d!").dim_of("tiny", 256, [])
