"""Generated LIMIT sets: what the paper says of them, read back from the texts alone."""

import json
from collections import Counter
from math import comb

import pytest

from benchmarks.limit.generate import PATTERNS, LimitSet, check, generate, likes, read
from benchmarks.limit.run import recalls
from benchmarks.limit.words import FIRST_NAMES, SURNAMES, THINGS


@pytest.fixture(scope="module", params=PATTERNS)
def made(request):
    return request.param, generate(300, 120, request.param)


def holders(made):
    found = {}
    for name, text in made.documents.items():
        for thing in likes(name, text):
            found.setdefault(thing, set()).add(name)
    return found


def test_each_question_is_answered_by_its_two_documents_alone(made):
    _, made = made
    liked_by = holders(made)
    assert len(made.questions) == len(set(made.relevant)) == 120
    for question, pair in zip(made.questions, made.relevant, strict=True):
        thing = question.removeprefix("Who likes ").removesuffix("?")
        assert liked_by[thing] == pair
        assert len(pair) == 2


def test_everybody_likes_as_many_things_each_once(made):
    _, made = made
    assert len(made.documents) == 300
    for name, text in made.documents.items():
        assert text.startswith(f"{name} likes ")
        assert text.count(", ") == 43
        assert len(set(likes(name, text))) == 45


def test_a_pattern_pairs_up_documents_as_it_is_named(made):
    pattern, made = made
    degrees = Counter(name for pair in made.relevant for name in pair)
    if pattern == "dense":
        assert len(degrees) == 16  # 16 documents have 120 pairs
        assert set(degrees.values()) == {15}
    elif pattern == "cycle":
        assert len(degrees) == 120
        assert set(degrees.values()) == {2}
        assert all(left & right for left, right in zip(made.relevant, made.relevant[1:], strict=False))
        assert made.relevant[0] & made.relevant[-1]
    elif pattern == "disjoint":
        assert len(degrees) == 240
    else:
        assert len(degrees) > 120
        assert len(set(degrees.values())) > 1


def test_the_papers_size_has_46_documents_that_answer():
    made = generate(60, 1000)
    assert len(frozenset().union(*made.relevant)) == 46
    assert comb(45, 2) < 1000 <= comb(46, 2)


def test_those_that_answer_stand_among_the_others():
    made = generate(300, 120)
    answering = frozenset().union(*made.relevant)
    places = [place for place, name in enumerate(made.documents) if name in answering]
    assert places[0] < 100
    assert places[-1] > 200


def test_a_seed_gives_the_same_set_and_another_seed_another():
    assert generate(80, 100, "random", seed=7) == generate(80, 100, "random", seed=7)
    assert generate(80, 100, "random", seed=7) != generate(80, 100, "random", seed=8)


def test_no_word_names_two_things_or_people():
    words = [word.lower() for word in (*FIRST_NAMES, *SURNAMES, *THINGS)]
    assert len(set(words)) == len(words)
    assert all(word.isalpha() for word in words)
    assert len(FIRST_NAMES) * len(SURNAMES) >= 50_000
    assert len(THINGS) >= 1_000 + 45


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"documents": 239, "questions": 120, "pattern": "disjoint"}, "239 documents are too few for 120 questions"),
        ({"documents": 5, "questions": 11, "pattern": "random"}, "5 documents are too few for 11 questions"),
        ({"documents": 60, "questions": 1000, "attributes": 40}, "answers 45 questions and has only 40 attributes"),
        ({"documents": 60, "questions": 2000}, "2000 questions and 45 attributes"),
        ({"documents": 10**6}, "1000000 documents"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(chosen, said):
    with pytest.raises(ValueError, match=said):
        generate(**chosen)


GOOD = {"A": "A likes Tea and Rice.", "B": "B likes Tea and Jam.", "C": "C likes Jam and Rice."}


@pytest.mark.parametrize(
    ("documents", "pairs", "said"),
    [
        (GOOD, ["AB", "AB"], "not pairs that differ"),
        (GOOD, ["AB", "A"], "not pairs that differ"),
        (GOOD, ["AC", "AB"], "Tea should be liked by"),
        (GOOD | {"B": "B likes Jam, Tea and Rice."}, ["AB", "BC"], "unequally many"),
        (GOOD | {"B": "B likes Tea and Tea."}, ["AB", "BC"], "B likes something twice"),
        (GOOD | {"D": "D likes Tea and Ink."}, ["AB", "BC"], "Tea should be liked by"),
    ],
)
def test_the_check_finds_what_is_wrong(documents, pairs, said):
    questions = ["Who likes Tea?", "Who likes Jam?"]
    check(LimitSet(GOOD, questions, [frozenset("AB"), frozenset("BC")]))
    with pytest.raises(ValueError, match=said):
        check(LimitSet(documents, questions, [frozenset(pair) for pair in pairs]))


def test_a_set_in_files_is_read(tmp_path):
    (tmp_path / "corpus.jsonl").write_text(
        "\n".join(json.dumps({"_id": name, "title": "", "text": text}) for name, text in GOOD.items())
    )
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "Who likes Tea?"}))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tA\t1\nq\tB\t1\n")
    assert read(tmp_path) == LimitSet(GOOD, ["Who likes Tea?"], [frozenset("AB")])


def test_recall_is_the_share_of_both_documents():
    found = [["A", "C", *"defghijk", "B"], ["B", "A"]]
    both = frozenset("AB")
    assert recalls(found, [both, both], 12) == {"R@2": 0.75, "R@10": 0.75}
    assert recalls(found, [both, both], 30) == {"R@2": 0.75, "R@10": 0.75, "R@20": 1.0}
