from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.long_context import plan_macro_windows
from qdrant_embed.long_context.macro_windows import MARGIN


@st.composite
def documents(draw):
    """Draw the tokens of a document and chunks that cover it, each reaching back into those before it or not."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=40))
    ids = draw(st.lists(st.integers(0, 50), min_size=sum(sizes), max_size=sum(sizes)))
    ends = [sum(sizes[:place]) for place in range(len(sizes) + 1)]
    overlap = draw(st.integers(0, 60))
    return ids, [(max(0, start - overlap), end) for start, end in pairwise(ends)]


@given(document=documents(), room=st.integers(8, 64))
def test_parts_cover_each_chunk_once_and_stand_inside_windows_that_fit(document, room):
    ids, chunks = document
    parts = plan_macro_windows(ids, chunks, room)
    for number, (start, end) in enumerate(chunks):
        own = sorted((part.start, part.end) for part in parts if part.chunk == number)
        assert [token for first, last in own for token in range(first, last)] == list(range(start, end))
    for part in parts:
        first, last = part.window
        assert first <= part.start < part.end <= last and last - first <= room


@given(document=documents(), room=st.integers(16, 64))
def test_every_token_has_the_margin_of_context_on_both_sides_where_the_document_has_it(document, room):
    ids, chunks = document
    for part in plan_macro_windows(ids, chunks, room):
        first, last = part.window
        assert part.start - first >= min(part.start, room // MARGIN)
        assert last - part.end >= min(len(ids) - part.end, room // MARGIN)


def test_a_document_that_fits_is_read_whole():
    parts = plan_macro_windows(range(20), [(0, 12), (12, 20)], 20)
    assert [(part.chunk, part.start, part.end, part.window) for part in parts] == [
        (0, 0, 12, (0, 20)),
        (1, 12, 20, (0, 20)),
    ]


def test_a_chunk_longer_than_a_window_is_read_in_parts_of_equal_length():
    parts = plan_macro_windows(range(100), [(0, 100)], 32)
    assert [part.end - part.start for part in parts] == [20] * 5
    assert parts[2].window == (36, 64), "its own tokens and a margin on each side"


def test_windows_are_more_than_half_full_of_cores():
    chunks = list(pairwise(range(0, 10_001, 10)))
    ids = [(place * 7919) % 1009 for place in range(10_000)]
    parts = plan_macro_windows(ids, chunks, 128)
    windows = {part.window for part in parts}
    read = sum(last - first for first, last in windows)
    assert read < 2 * len(ids), "less than twice the document goes through the model"


def test_an_insertion_near_the_top_leaves_windows_further_down_as_they_were():
    ids = [(place * place * 7919) % 1009 for place in range(4000)]
    chunks = list(pairwise(range(0, 4001, 20)))
    before = plan_macro_windows(ids, chunks, 128)
    longer = [7] * 20 + ids
    after = plan_macro_windows(longer, [(0, 20), *[(start + 20, end + 20) for start, end in chunks]], 128)
    kept = {tuple(ids[slice(*part.window)]) for part in before}
    changed = [part.window for part in after if tuple(longer[slice(*part.window)]) not in kept]
    assert changed and max(last for _, last in changed) < 600


def test_chunks_that_overlap_share_a_window_and_keep_all_their_tokens():
    parts = plan_macro_windows(range(200), [(start, start + 30) for start in range(0, 171, 10)], 64)
    assert [(part.start, part.end) for part in parts] == [(start, start + 30) for start in range(0, 171, 10)]
    assert all(part.window[1] - part.window[0] <= 64 for part in parts)


def test_parts_of_a_long_chunk_stand_inside_their_windows_where_the_next_chunk_overlaps_them():
    parts = plan_macro_windows(range(240), [(0, 80), (60, 198), (118, 157), (150, 240)], 64)
    assert all(part.window[0] <= part.start < part.end <= part.window[1] for part in parts)
    inside = sorted((part.start, part.end) for part in parts if part.chunk == 1)
    assert (inside[0][0], inside[-1][1]) == (60, 198)


def test_a_document_without_tokens_has_its_chunk_all_the_same():
    (part,) = plan_macro_windows([], [(0, 0)], 32)
    assert part.window == (0, 0)
