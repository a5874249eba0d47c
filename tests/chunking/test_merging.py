import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdrant_embed.chunking import CHUNKERS, ChunkLimit, make_chunker
from qdrant_embed.chunking.boundaries import line_levels
from qdrant_embed.chunking.markdown_outline import read_outline
from qdrant_embed.chunking.merging import SECTION, cut, run_cuts
from qdrant_embed.chunking.token_ruler import Ruler
from qdrant_embed.tokens import WordTokens
from qdrant_embed.types import join_context

HARBOUR = (
    "gate key crane tide pier rope lamp watch storm cargo ledger whistle the a of under before every early late opens "
    "closes lifts carries is was and or with without harbour master night morning inspected rotated landed weighed"
)
WORDS = HARBOUR.split()
ROOM = 60


def sentence(rnd):
    return " ".join(rnd.choices(WORDS, k=rnd.randint(4, 18))).capitalize() + rnd.choice(["."] * 5 + ["!", "?"])


def paragraph(rnd):
    return " ".join(sentence(rnd) for _ in range(rnd.randint(1, 6)))


def plain(rnd, paragraphs=60):
    return [paragraph(rnd) for _ in range(paragraphs)]


def markdown(rnd, paragraphs=60):
    parts = ["# " + sentence(rnd)[:-1]]
    for _ in range(paragraphs):
        kind = rnd.random()
        if kind < 0.2:
            parts.append("#" * rnd.randint(2, 4) + " " + sentence(rnd)[:-1])
        elif kind < 0.3:
            parts.append("\n".join(f"- {sentence(rnd)}" for _ in range(rnd.randint(2, 6))))
        elif kind < 0.4:
            parts.append("```python\n" + "\n".join(f"{rnd.choice(WORDS)} = {n}" for n in range(8)) + "\n```")
        else:
            parts.append(paragraph(rnd))
    return parts


def code(rnd, paragraphs=40):
    return [
        f"def {rnd.choice(WORDS)}_{n}(x):\n"
        + "".join(f"    {rnd.choice(WORDS)} = x + {rnd.randint(0, 99)}\n" for _ in range(rnd.randint(2, 9)))
        + "    return x\n"
        for n in range(paragraphs)
    ]


KINDS = {"recursive": plain, "markdown": markdown, "code": code}


def edited(rnd, part):
    """Return a part with a word more, one less, a sentence more, or wholly new."""
    words = part.split(" ")
    place = rnd.randrange(len(words))
    return rnd.choice(
        [
            " ".join([*words[:place], "unheard-of", *words[place:]]),
            " ".join(words[:place] + words[place + 1 :]) or "nothing",
            part + " " + sentence(rnd),
            paragraph(rnd),
        ]
    )


def changed_beyond(name, parts, place, new):
    """Return how many chunks away from the edit are not among those of the text before it, and how many there are."""
    chunker = make_chunker(name, WordTokens(), ChunkLimit(tokens=ROOM))
    old, text = "\n\n".join(parts), "\n\n".join([*parts[:place], new, *parts[place + 1 :]])
    start = len("\n\n".join(parts[:place]))
    end = start + len(new) + 4
    known = {(span.context, old[span.start : span.end]) for span in chunker.spans(old)}
    spans = list(chunker.spans(text))
    away = [span for span in spans if span.end <= start or span.start >= end]
    return sum((span.context, text[span.start : span.end]) not in known for span in away), len(spans)


@pytest.mark.parametrize("name", KINDS)
def test_an_edit_changes_the_chunks_that_hold_it_and_hardly_another(name):
    rnd = random.Random(3)
    changes, most = [], 0
    for _ in range(60):
        parts = KINDS[name](rnd)
        place = rnd.choice([n for n, part in enumerate(parts) if n and not part.startswith("#")])
        changed, chunks = changed_beyond(name, parts, place, edited(rnd, parts[place]))
        changes.append(changed)
        most = max(most, changed)
        assert chunks > 20
    assert sum(changes) / len(changes) < 1.0, f"{changes} chunks beside the edited ones changed"
    assert most <= 6, f"an edit travelled over {most} chunks"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(KINDS)))
def test_an_edit_never_reaches_far(seed, name):
    rnd = random.Random(seed)
    parts = KINDS[name](rnd)
    # A fence whose first or last line is edited no longer opens or closes: rightly, all that follows is another text.
    place = rnd.choice([n for n, part in enumerate(parts) if n and not part.startswith(("#", "```"))])
    changed, chunks = changed_beyond(name, parts, place, edited(rnd, parts[place]))
    assert changed <= chunks // 3


def test_what_stands_before_the_text_changes_nothing_far_behind():
    parts = plain(random.Random(5), 100)
    chunker = make_chunker("recursive", WordTokens(), ChunkLimit(tokens=ROOM))

    def chunks(text):
        return [text[span.start : span.end] for span in chunker.spans(text)]

    before, after = chunks("\n\n".join(parts)), chunks("A preface nobody asked for.\n\n" + "\n\n".join(parts))
    assert before[-len(before) // 2 :] == after[-len(before) // 2 :]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), room=st.sampled_from([20, 60, 200]))
def test_no_two_neighbors_of_a_section_would_fit_together(seed, room):
    rnd = random.Random(seed)
    text = "\n\n".join(markdown(rnd))
    ruler, levels = Ruler(text, WordTokens()), read_outline(text).levels
    parts = cut(ruler, levels, room, lambda starts: [0] * len(starts))
    sections = [place for place, level in levels.items() if level <= SECTION]
    for (start, first_end), (second, end) in pairwise(parts):
        if not any(first_end < place <= second for place in sections):
            assert ruler.tokens(start, end) > room, f"{text[start:end]!r} would fit"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_chunks_are_more_than_half_full_on_average(seed):
    text = "\n\n".join(plain(random.Random(seed)))
    ruler = Ruler(text, WordTokens())
    sizes = [ruler.tokens(*part) for part in cut(ruler, line_levels(text), ROOM, lambda starts: [0] * len(starts))]
    assert sum(sizes) / len(sizes) > ROOM / 2


def test_sections_are_kept_apart_unless_one_is_tiny():
    long = " ".join(WORDS)
    text = f"## A\n\n{long}\n\n## B\n\n{long}\n\n## C\n\ntiny\n"
    chunker = make_chunker("markdown", WordTokens(), ChunkLimit(tokens=120))
    chunks = [text[span.start : span.end] for span in chunker.spans(text)]
    assert [chunk.count("## ") for chunk in chunks] == [1, 2]
    assert chunks[1].endswith("tiny")


def test_the_weakest_boundary_goes_first():
    text = "one two three four five\nsix seven eight\n\nnine ten eleven twelve"
    parts = cut(Ruler(text, WordTokens()), line_levels(text), 8, lambda starts: [0] * len(starts))
    assert [text[a:b] for a, b in parts] == [text.partition("\n\n")[0], text.partition("\n\n")[2]]


def test_runs_are_cut_between_half_full_and_full():
    text = "word " * 1000
    ruler = Ruler(text, WordTokens())
    edges = [0, *run_cuts(ruler, 0, len(text), 40), len(text)]
    sizes = [ruler.tokens(a, b) for a, b in pairwise(edges)]
    assert sum(sizes) == 1000
    assert all(20 <= size <= 40 for size in sizes[:-1])
    assert sizes[-1] >= 10


@pytest.mark.parametrize("name", ["recursive", "markdown", "auto", "code"])
def test_sentences_are_not_cut_where_whole_ones_fit(name):
    text = " ".join(sentence(random.Random(n)) for n in range(80))
    chunker = CHUNKERS.get(name)(WordTokens(), ChunkLimit(tokens=ROOM))
    assert all(text[span.end - 1] in ".!?" for span in chunker.spans(text))


def test_a_context_counts_as_part_of_the_chunk():
    title = " ".join(WORDS[:15])
    text = f"# {title}\n\n" + "\n\n".join(plain(random.Random(2), 20))
    counter, limit = WordTokens(), ChunkLimit(tokens=ROOM)
    for span in make_chunker("markdown", counter, limit).spans(text):
        assert counter.count(join_context(span.context, text[span.start : span.end])) <= ROOM
        assert span.headings == (title,)
