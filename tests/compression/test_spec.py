import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.compression import Compression
from qdrant_embed.compression.spec import CODES, DATATYPES, ROTATIONS
from qdrant_embed.errors import ConfigurationError


@pytest.mark.parametrize(
    "text",
    [
        "float32", "float16", "256d", "100d!", "256d+float16", "100d!+float16", "256d+float16+binary+rescore4", "uint8",
        "turbo8", "turbo16", "float32+turbo8", "turbo8+binary", "float16+turbo8+rescore2", "bits", "bits+itq+median",
        "bits+learned64", "128d!+full+rescore4", "128d!+full+bits+itq+rescore20", "full+bits+learned64+rescore20",
        "full+float16+bits+learned28+rescore20+rounds",
        "full+float16+bits+rescore4",
        "center+itq+binary+query8+rescore1.5", "opq+pq16+rescore", "rotate+binary1.5", "int8", "turbo1.5+rescore3",
    ],
)  # fmt: skip
def test_a_compression_prints_as_it_is_written(text):
    assert str(Compression.parse(text)) == text


@st.composite
def compressions(draw):
    fields = {
        "dim": draw(st.none() | st.integers(1, 4096)),
        "full": draw(st.booleans()),
        "datatype": draw(st.sampled_from(DATATYPES)),
        "kept": draw(st.sampled_from(("float32", "float16"))),
        "center": draw(st.booleans()),
        "rotation": draw(st.sampled_from(("", *ROTATIONS))),
        "median": draw(st.booleans()),
        "learned": draw(st.none() | st.integers(1, 512)),
        "code": draw(st.sampled_from(("", *CODES))),
        "query_bits": draw(st.sampled_from((None, 1, 4, 8))),
        "rescore": draw(st.none() | st.floats(1, 1000)),
    }
    fields["forced"] = fields["dim"] is not None and draw(st.booleans())
    try:
        return Compression(**fields)
    except ConfigurationError:
        return None


@given(value=compressions(), order=st.randoms())
def test_what_is_printed_is_read_back_in_any_order(value, order):
    if value is None:
        return
    parts = str(value).split("+")
    order.shuffle(parts)
    assert Compression.parse(" + ".join(parts)) == value
    assert str(Compression.parse(str(value))) == str(value)


def test_order_and_blanks_do_not_matter():
    assert Compression.parse("float16 + 64d") == Compression.parse("64d+float16")


@pytest.mark.parametrize(
    "text",
    ["", "float64", "256d+128d", "float16+float16", "0d", "d", "256d+binary3", "256d+", "rescorex", "binary+int8"],
)
def test_unknown_or_repeated_parts_list_the_legal_ones(text):
    with pytest.raises(ConfigurationError, match=r"known parts.*Nd .*float32, float16"):
        Compression.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bits+binary", "searched as they are"),
        ("rescore4", "nothing to rescore with"),
        ("bits+rescore4", "nothing to rescore with"),
        ("full+rescore2", "fewer dimensions or 'bits'"),
        ("128d!+full", "write it as in"),
        ("float16+median", "store 'bits'"),
        ("bits+learned64+itq", "its own rotation"),
        ("full+bits+itq+rescore8+rounds", "'full.bits.learned64.rescore20.rounds'"),
        ("bits+learned64+rounds", "'rounds' correct what learned codes shortlist"),
        ("int8+query8", "name one of binary"),
        ("uint8+binary", "needs the signs"),
        ("turbo8+float16+binary", "one stored format or code too many"),
        ("binary+rescore0.5", "a factor of 1 to 1000"),
        ("turbo8+turbo8", "not understood"),
        ("float32+bits", "'bits' keep no numbers"),
        ("float16+bits", "'bits' keep no numbers"),
        ("full+uint8+bits+rescore4", "as float32 or float16"),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_to_write(text, said):
    with pytest.raises(ConfigurationError, match=said):
        Compression.parse(text)


def test_the_vectors_that_rescore_bits_have_a_format_of_their_own():
    found = Compression.parse("bits+full+float16+rescore4")
    assert (found.datatype, found.kept, found.whole) == ("bits", "float16", "float16")
    assert Compression.parse("full+float32+bits+rescore4") == Compression.parse("full+bits+rescore4")
    with pytest.raises(ConfigurationError, match=r"write 'full\+float16\+bits'"):
        Compression(kept="float16")


def test_codes_and_rescoring_do_not_change_the_points():
    points = {Compression.parse(text).points for text in ("float16", "float16+binary+rescore4", "float16+int8")}
    assert points == {Compression.parse("float16")}
    assert Compression.parse("float16+itq").points != Compression.parse("float16").points


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


def test_both_spellings_are_read_and_one_is_written():
    assert str(Compression.parse("centre+rotate+binary")) == "center+rotate+binary"
