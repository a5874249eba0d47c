from pathlib import Path

import pytest

from qdrant_embed.reading.charset.codepages import CODE_PAGES, codec_of
from qdrant_embed.reading.text_encoding import decode

SENTENCES = Path(__file__).with_name("sentences.tsv").read_text(encoding="utf-8").splitlines()
CASES = [
    (language, encoding, text.replace("|", "\n"))
    for language, encodings, text in (line.split("\t") for line in SENTENCES)
    for encoding in encodings.split()
]


def test_one_sentence_is_enough():
    for language, encoding, text in CASES:
        data = text.encode(encoding)
        decoded = decode(data)
        assert decoded.text == text, (language, encoding)
        assert decoded.guessed_encoding or data.isascii(), (language, encoding)
        assert decoded.notes == (), (language, encoding)


def test_vietnamese_with_its_marks_apart():
    text = "Xin mang theo tâ\u0301t ca\u0309 ta\u0300i liê\u0323u câ\u0300n thiê\u0301t trong cuô\u0323c ho\u0323p"
    assert decode(text.encode("cp1258")).text == text


@pytest.mark.parametrize(
    ("encoding", "end"),
    [("cp1252", "café crème – 10 €\n"), ("cp932", "会議は午前\n"), ("gb18030", "会议上午九点\n")],
)
def test_letters_far_down_in_a_long_file(encoding, end):
    start = "plain words only here\n" * 14_000
    assert decode((start + end).encode(encoding)).text == start + end


def test_a_long_text_and_a_single_line_of_it():
    text = "Le comité se réunit à neuf heures; l'élève arrivera après la fête. " * 20_000
    assert decode(text.encode("cp1252")).text == text
    chinese = "会议上午九点开始请带上所有文件" * 50_000
    assert decode(chinese.encode("gb18030")).text == chinese


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("iso-8859-1", "cp1252"), ("US-ASCII", "cp1252"), ("gb2312", "gb18030"), (" 'Shift_JIS' ", "cp932"),
        ("ks_c_5601-1987", "cp949"), ("utf8", "utf-8"), ("KOI8-R", "koi8-r"), ("rot13", ""), ("hex", ""),
        ("unknown-8bit", ""), ("", ""), ("x\0y", ""), ("unicode_escape", ""),
    ],
)  # fmt: skip
def test_what_labels_mean(label, codec):
    assert codec_of(label) == codec


def test_every_code_page_is_one_that_python_has():
    assert all(codec_of(page.name) == page.codec for page in CODE_PAGES)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("letters = 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ'\n", "cp1252"),
        ("À Á Â Ã Ä Å Æ Ç È É Ê Ë", "cp1252"),
        ("vowels = 'àâäçéèêëîïôùûüÿ'\n", "cp1252"),
        ("¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿", "cp1252"),
        ("ĂÂÎȘȚ ăâîșț", "iso8859-16"),
        ("ě š č ř ž ý á í é ú ů ť ď ň ó", "cp1250"),
    ],
)
def test_a_list_of_letters_does_not_overrule_what_is_declared(text, encoding):
    assert decode(text.encode(encoding), encoding).text == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Паром уходит в восемь часов утра", "cp1251"),
        ("会议上午九点开始。请带上所有文件。", "gb18030"),
        ("名前,住所\n佐藤太郎,東京\n三木英子,大阪\n", "cp932"),
    ],
)
def test_words_overrule_a_wrong_declaration(text, encoding):
    assert decode(text.encode(encoding), "iso-8859-1").text == text
    page = "<table><tr><td>{}</td></tr></table>".format("</td><td>".join(text.split()))
    assert decode(page.encode(encoding), "iso-8859-1").text == page
