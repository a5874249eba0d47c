"""Texts in another language than the collection's are told."""

import pytest

from qdrant_embed import Document
from qdrant_embed.words.languages import LanguageCount, other_language

TEXTS = {
    "english": "The harbour office opens at eight. Boats that arrive later have to wait until the morning, since the "
    "pier is closed at night and there is no one to take the ropes.",
    "german": "Das Hafenbüro öffnet um acht. Boote, die später ankommen, müssen bis zum Morgen warten, da der Steg in "
    "der Nacht geschlossen ist und niemand da ist, der die Leinen nimmt.",
    "french": "Le bureau du port ouvre à huit heures. Les bateaux qui arrivent plus tard doivent attendre jusqu'au "
    "matin, car le quai est fermé la nuit et il n'y a personne pour prendre les amarres.",
    "spanish": "La oficina del puerto abre a las ocho. Los barcos que llegan más tarde tienen que esperar hasta la "
    "mañana, ya que el muelle está cerrado por la noche y no hay nadie que tome las cuerdas.",
    "dutch": "Het havenkantoor gaat om acht uur open. Boten die later aankomen moeten wachten tot de ochtend, want de "
    "steiger is 's nachts gesloten en er is niemand om de touwen aan te nemen.",
    "russian": "Контора порта открывается в восемь. Лодки, которые приходят позже, должны ждать до утра, так как пирс "
    "ночью закрыт и нет никого, кто мог бы принять концы.",
    "japanese": "東京の天気は今日晴れです。",
    "chinese": "北京今天的天气很好，明天会下雨。",
    "korean": "서울의 날씨는 오늘 맑습니다.",
    "thai": "วันนี้อากาศที่กรุงเทพดีมาก",
    "greek": "Το γραφείο του λιμανιού ανοίγει στις οκτώ.",
    "hebrew": "משרד הנמל נפתח בשמונה",
}


@pytest.mark.parametrize("expected", ["english", "german", "russian", "japanese"])
def test_another_language_is_told_by_its_name(expected):
    told = {written: other_language(text, expected) for written, text in TEXTS.items()}
    assert told == {written: None if written == expected else written for written in TEXTS}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Контора порту відкривається о восьмій. Човни, які приходять пізніше, мають чекати.", "Cyrillic script"),
        ("カメラとレンズのテスト", "japanese"),
        ("दिल्ली में आज मौसम अच्छा है", "Devanagari script"),
        ("Łodzie, które przypływają później, muszą czekać do rana, ponieważ pomost jest w nocy zamknięty i nie ma "
         "nikogo, kto by wziął liny. Prosimy dzwonić wcześniej.", "another language"),
    ],
)  # fmt: skip
def test_what_has_no_list_of_stop_words_is_told_by_its_letters(text, said):
    assert other_language(text, "english") == said


@pytest.mark.parametrize(
    "text",
    [
        "", "42; 3.14; 15", "name,age\nAnn Smith,3\nBo Miller,4\n" * 30,
        "def total(items):\n    return sum(item.price for item in items if item.price is not None)\n" * 5,
        "Crane four. Pier two.",
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_not_told(text):
    assert other_language(text, "english") is None


def test_multilingual_expects_all():
    assert {other_language(text, "multilingual") for text in TEXTS.values()} == {None}


def test_the_report_counts_documents_in_another_language(make_collection):
    texts = [(name, TEXTS[name]) for name in ("english", "german", "japanese")] + [("more german", TEXTS["german"])]
    report = make_collection().ingest([Document(text=text, source=name) for name, text in texts])
    (warning,) = report.warnings
    for part in ("3 of 4 documents", "english", "2 german ('german')", "1 japanese ('japanese')", "multilingual"):
        assert part in warning
    assert (
        make_collection(at=":memory:", language="multilingual")
        .ingest([Document(text=text, source=name) for name, text in texts])
        .warnings
        == ()
    )


def test_one_document_is_no_plural():
    count = LanguageCount("english")
    count.add("a", TEXTS["german"])
    assert count.warning.startswith("1 of 1 document not in english")
