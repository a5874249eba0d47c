"""Questions drawn from texts: the same every time, each answered by what it was drawn from."""

import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.evaluation import StoredText, draw_questions
from qdrant_embed.words.splitter import terms_of


def chunk(number, text, **more):
    return StoredText(id=f"c{number:02}", text=text, source=more.pop("source", f"{number}.md"), **more)


def handbook():
    """Return ten documents of three chunks, the second and third under headings."""
    for n in range(10):
        of = {"source": f"guide/{n}.md", "title": f"Harbour page {n}"}
        opening = f"This page tells how pier {n} is run by its crew. More of it stands below."
        crane = f"Crane {n} lifts herring and cod at the pier from early morning on. Nothing is lifted on Sundays."
        keys = f"The key of shed {n} hangs at the gate, where the crew of the pier looks for it every morning."
        yield chunk(3 * n, opening, index=0, **of)
        yield chunk(3 * n + 1, crane, index=1, headings=(f"Harbour page {n}", f"Cranes of pier {n}"), **of)
        yield chunk(3 * n + 2, keys, index=2, headings=(f"Harbour page {n}", "Keys and locks"), **of)


def test_questions_are_drawn_the_same_way_every_time():
    texts = list(handbook())
    drawn = draw_questions(texts, 20)
    assert drawn == draw_questions(reversed(texts), 20)
    assert drawn != draw_questions(texts, 20, seed=1)
    counts = {kind: sum(one.kind == kind for one in drawn) for kind in ("heading", "opening", "sentence", "words")}
    assert counts == {"heading": 7, "opening": 7, "sentence": 3, "words": 3}


def test_each_kind_is_answered_by_what_it_was_drawn_from():
    texts = {text.id: text for text in handbook()}
    drawn = draw_questions(texts.values(), 1000)
    for question in drawn:
        (name,) = question.relevant
        if question.kind == "sentence":
            assert question.text in texts[name].text != question.text
        elif question.kind == "words":
            assert set(terms_of(question.text)) <= set(terms_of(texts[name].text))
            assert 3 <= len(question.text.split()) <= 8
        elif question.kind == "opening":
            assert (texts[question.left_out].source, texts[question.left_out].index) == (name, 0)
            assert question.text in texts[question.left_out].text
        else:
            assert name in {text.source for text in texts.values()} or question.text in texts[name].headings
    asked = {question.text for question in drawn}
    assert "Cranes of pier 4" in asked
    assert "Harbour page 4" in asked
    assert "Keys and locks" not in asked  # there are ten of them
    assert not asked & {text.text for text in texts.values()}
    assert sum(question.kind == "opening" for question in drawn) == 10


def test_words_that_only_their_chunk_has_are_left_out():
    texts = [chunk(n, f"The herring and the cod of pier nine are weighed by unique{n} every day.") for n in range(4)]
    drawn = [question for question in draw_questions(texts, 100) if question.kind == "words"]
    assert len(drawn) == 4
    assert not any("unique" in question.text for question in drawn)


def test_a_chunk_that_is_one_sentence_is_asked_for_by_some_of_its_words():
    texts = [chunk(n, f"Crane number {n} lifts many tons of herring at the northern pier.") for n in range(5)]
    assert {question.kind for question in draw_questions(texts, 100)} == {"words"}


def test_sentences_that_several_chunks_have_are_not_asked():
    both = "This is said on every page of the handbook."
    texts = [chunk(n, f"{both} Only the page with the number {n} says this.") for n in range(5)]
    assert both not in {question.text for question in draw_questions(texts, 100)}


@pytest.mark.parametrize("texts", [[], [chunk(1, "x")], [chunk(1, "Crane four lifts.")]])
def test_nothing_to_draw_from_is_said(texts):
    with pytest.raises(ConfigurationError, match="no chunk holds a sentence"):
        draw_questions(texts, 10)
