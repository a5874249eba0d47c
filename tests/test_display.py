"""What is shown acts on nothing: controls, directions of writing, markup, HTML."""

import errno
import json
import unicodedata

import pytest

from qdrant_embed.display import Facts, as_html, counted, html_table, json_text, one_line, printable, reason
from qdrant_embed.errors import ConfigurationError, MissingExtraError
from qdrant_embed.ingest.monitoring.report import Failure, IngestReport

EVIL = "a\x1b[31mb\x9bc\u202ed\u2066e\rf\x08g\x07h\x00i\u2028j\ud800k\U000e0041l\x7f"


def acts(text):
    """Return the characters of a text that a terminal acts on."""
    return [
        letter
        for letter in text
        if (unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") and letter not in "\n\t")
        or "\u202a" <= letter <= "\u202e"
        or "\u2066" <= letter <= "\u2069"
        or letter >= "\U000e0000"
    ]


def test_nothing_that_acts_is_left():
    assert acts(EVIL)
    assert acts(printable(EVIL)) == acts(one_line(EVIL)) == acts(as_html(EVIL)) == []
    assert printable(EVIL).startswith("a␛[31mb�c�d�e␍f␈g␇h␀i")
    assert len(printable(EVIL)) == len(EVIL)


def test_ordinary_texts_of_all_scripts_stay():
    for text in ("é 😀 👨\u200d👩\u200d👧 e\u0301", "שָׁלוֹם", "می\u200cخواهم", "हिन्दी", "a\u200fb", "tab\there\nnext"):
        assert printable(text) == text


def test_names_are_one_line():
    assert one_line("two\nlines\tand\r\nmore") == "two␊lines␉and␍␊more"


def test_html_shows_and_does_nothing_else():
    assert as_html("<b>&'\"\x1b") == "&lt;b&gt;&amp;&#x27;&quot;␛"
    table = html_table(("<i>",), [("<script>",)])
    assert "<script>" not in table
    assert "<i>" not in table
    assert "nothing here" in html_table(("a", "b"), [], nothing="nothing here")


def test_json_means_the_same_and_does_not_act():
    values = {"text": EVIL.replace("\ud800", ""), "tag": "\U000e0041"}
    written = json_text(json.dumps(values, ensure_ascii=False))
    assert json.loads(written) == values
    assert acts(written) == []


def test_errors_say_names_without_acting():
    assert str(ConfigurationError("no file called \x1b[2J\u202e")) == "no file called ␛[2J�"
    assert "\x1b" not in str(MissingExtraError("\x1b", "a", "b"))


def test_a_report_prints_names_and_reasons_without_acting():
    report = IngestReport(failed=(Failure(f"x{EVIL}", f"y{EVIL}\nfailed: z"),), warnings=(f"of {EVIL}",))
    assert acts(str(report)) == []
    assert len(str(report).splitlines()) == 3
    assert acts(report._repr_html_()) == []


@pytest.mark.parametrize(("number", "said"), [(0, "0 chunks"), (1, "1 chunk"), (2000, "2,000 chunks")])
def test_one_is_no_plural(number, said):
    assert counted(number, "chunk") == said


def test_facts_are_a_dict_that_prints_and_draws():
    facts = Facts(name="<b>", recipe={"model": "hashing", "task": ""}, roots=["a", "b"])
    assert json.loads(json.dumps(facts)) == dict(facts)
    assert str(facts).splitlines() == [
        "name          <b>",
        "recipe.model  hashing",
        "recipe.task   –",
        "roots         a, b",
    ]
    assert "<td>&lt;b&gt;</td>" in facts._repr_html_()


def test_a_report_of_one_document_is_no_plural():
    assert str(IngestReport(documents=1, chunks=1, embedded=1)).startswith("1 document, 1 chunk, 1 embedded, 0 reused")
    assert str(IngestReport(documents=2)).startswith("2 documents, 0 chunks")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/home/ann/secret"), "No such file or directory"),
        (OSError("disk full"), "disk full"),
        (PermissionError(), "PermissionError"),
    ],
)
def test_the_reason_of_a_system_error_is_never_empty(error, said):
    assert reason(error) == said
