import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.evaluation import Question, read_questions


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


def test_a_folder_in_beirs_layout_gives_what_is_judged(tmp_path):
    (tmp_path / "qrels").mkdir()
    (tmp_path / "queries.jsonl").write_text('{"_id": 1, "text": "cod?"}\n{"_id": "2", "text": "eel?"}\n')
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1\tfish\t2\n1\tpier\t0\n")
    assert read_questions(tmp_path) == [Question("cod?", {"fish": 2.0, "pier": 0.0})]
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1 fish 2\n")
    with pytest.raises(ConfigurationError, match="parted by tabs"):
        read_questions(tmp_path)
    (tmp_path / "queries.jsonl").unlink()
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    with pytest.raises(ConfigurationError, match=r"queries.jsonl' cannot be read"):
        read_questions(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n", "holds no question"),
        ('{"query": "cod?"}', "not a JSON line with 'text'"),
        ('{"text": "cod?", "relevant": ["fish.md"]}', "grades by source"),
        ('{"text": "cod?", "relevant": {"fish.md": 1}}\neel?', "1 of 2 questions"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, said):
    with pytest.raises(ConfigurationError, match=said):
        read_questions(written(tmp_path, text))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_questions(tmp_path / "nothing")
