"""The benchmark's own data: as the paper describes it, and the same every time."""

import re

import pytest

from benchmarks.long_context.facts import KINDS
from benchmarks.long_context.official import as_task
from benchmarks.long_context.tasks import FILLER, LENGTHS, needle, passkey

HAYSTACK = [f"The {number}th barge carried salt past the mill." for number in range(500)]


def make(name, length, **chosen):
    return passkey(length, **chosen) if name == "passkey" else needle(length, HAYSTACK, **chosen)


@pytest.mark.parametrize("name", ["passkey", "needle"])
@pytest.mark.parametrize("length", [LENGTHS[0], LENGTHS[3], LENGTHS[-1]])
def test_a_task_has_the_papers_shape(name, length):
    task = make(name, length)
    assert (len(task.queries), len(task.documents), len(task.relevant)) == (50, 100, 50)
    assert len(set(task.documents.values())) == 100
    assert len(set(task.queries.values())) == 50
    longest = max(len(text.split()) for text in task.documents.values())
    assert 0.95 * 0.7 * length < longest <= 0.7 * length


def test_the_paper_goes_from_256_to_32768_tokens():
    assert LENGTHS == (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)


@pytest.mark.parametrize("name", ["passkey", "needle"])
def test_a_seed_decides_everything(name):
    assert make(name, 512, seed=3) == make(name, 512, seed=3)
    assert make(name, 512, seed=3) != make(name, 512, seed=4)


def test_a_pass_key_is_told_by_one_document_only():
    task = passkey(512)
    for key, question in task.queries.items():
        person = re.fullmatch(r"What is the pass key for (.+)\?", question)[1]
        tell = [document for document, text in task.documents.items() if f"{person}'s pass key is " in text]
        assert tell == list(task.relevant[key])


def test_what_is_hidden_stands_anywhere_in_the_document():
    task = passkey(4096)
    places = [text.index("'s pass key is ") / len(text) for text in task.documents.values()]
    assert min(places) < 0.1
    assert max(places) > 0.9
    assert all(sentence in text for text in task.documents.values() for sentence in FILLER)


def test_a_question_shares_its_subject_with_one_fact_only():
    task = needle(1024, HAYSTACK)
    told = {document: " ".join(s for s in re.split(r"(?<=\.) ", text) if s not in HAYSTACK)
            for document, text in task.documents.items()}  # fmt: skip
    for key, question in task.queries.items():
        [subject] = [f"{kind} in " for kind in KINDS if f"the {kind} in " in question]
        [document] = task.relevant[key]
        assert subject in told[document]
    assert len(set(told.values())) == 100


def test_rows_of_mteb_become_a_task():
    part = {
        "corpus": [{"id": "a", "title": "", "text": "one"}, {"id": "b", "title": "B", "text": "two"}],
        "queries": [{"id": "q", "text": "which?"}, {"id": "unjudged", "text": "what?"}],
        "relevant_docs": {"q": {"b": 1}},
    }
    task = as_task("needle", "test_2048", part)
    assert (task.name, task.length) == ("official-needle", 2048)
    assert task.documents == {"a": "one", "b": "B two"}
    assert task.queries == {"q": "which?"}
    assert as_task("qmsum", "test", part).length == 0
