import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.evaluation.questions import Question, draw_questions, read_questions


def written(tmp_path, text):
    path = tmp_path / "questions"
    path.write_text(text)
    return path


def test_questions_are_lines_or_json_with_what_is_relevant(tmp_path):
    assert read_questions(written(tmp_path, "where is cod?\n\n  and eel? \n")) == [
        Question("where is cod?"),
        Question("and eel?"),
    ]
    lines = '{"text": "cod?", "relevant": {"fish.md": 2}}\n{"text": "eel?", "relevant": {}}\n'
    assert read_questions(written(tmp_path, lines)) == [Question("cod?", {"fish.md": 2.0}), Question("eel?", {})]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n", "holds no question"),
        ('{"query": "cod?"}', "not a JSON line with a 'text'"),
        ('{"text": "cod?", "relevant": ["fish.md"]}', "grades by source"),
        ('{"text": "cod?", "relevant": {"fish.md": 1}}\neel?', "1 of 2 questions"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, said):
    with pytest.raises(ConfigurationError, match=said):
        read_questions(written(tmp_path, text))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_questions(tmp_path / "nothing")


def test_questions_are_drawn_the_same_way_every_time():
    texts = [(f"Title number {n} of the harbour", f"Crane {n} lifts {n} tons of herring. Short.") for n in range(30)]
    drawn = draw_questions(texts, 10)
    assert drawn == draw_questions(reversed(texts), 10)
    assert len(set(drawn)) == 10
    with pytest.raises(ConfigurationError, match="no chunk holds a sentence"):
        draw_questions([("", "x")], 10)


def test_no_question_is_a_chunk_by_itself():
    texts = [("", f"Crane number {n} lifts at most {n} tons of herring at the northern pier {n}.") for n in range(30)]
    texts += [("", f"{texts[n][1]} Nothing else is lifted by crane {n} on Sundays.") for n in range(10)]
    stored = {text for _, text in texts}
    drawn = draw_questions(texts, 100)
    assert len(drawn) == 40
    assert not stored & set(drawn)
    assert all(any(question in text for text in stored) for question in drawn)
    assert any(question.startswith("Crane number") for question in drawn)
    assert any("northern pier" in question for question in drawn)


def test_what_is_too_short_to_be_halved_is_left_out():
    with pytest.raises(ConfigurationError, match="no chunk holds a sentence"):
        draw_questions([("", "Crane four lifts twelve tons.")], 10)
