"""Words in every script, as BM25 counts them."""

import re
from pathlib import Path

import pytest

from qdrant_embed import Document
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.retrieval.render import marked_spans
from qdrant_embed.words.splitter import normalized, split, terms_of

FOUND = [
    ("東京の天気は今日晴れです。", ["天気", "東京", "晴れ", "今日"]),
    ("新しいスマートフォンを買いました", ["スマートフォン", "フォン", "買い"]),
    ("ﾃﾚﾋﾞを見る", ["テレビ"]),
    ("北京今天的天气很好，明天会下雨。", ["天气", "北京", "下雨", "雨"]),
    ("𠮷野家の牛丼", ["𠮷野家", "牛丼"]),
    ("서울의 날씨는 오늘 맑습니다.", ["날씨", "서울", "오늘"]),
    ("วันนี้อากาศที่กรุงเทพดีมาก", ["อากาศ", "กรุงเทพ"]),
    ("ມື້ນີ້ອາກາດດີ", ["ອາກາດ"]),
    ("ថ្ងៃនេះអាកាសធាតុល្អ", ["អាកាសធាតុ"]),
    ("ဒီနေ့ရာသီဥတုကောင်းတယ်", ["ရာသီဥတု"]),
    ("བོད་སྐད་ཡིག", ["སྐད"]),
    ("दिल्ली में आज मौसम अच्छा है", ["मौसम", "दिल्ली"]),
    ("ঢাকার আবহাওয়া", ["আবহাওয়া"]),
    ("சென்னை வானிலை", ["சென்னை"]),
    ("הַפְּגִישָׁה מַתְחִילָה", ["הַפְּגִישָׁה", "הפגישה"]),
    ("السَّلَامُ عَلَيْكُمْ", ["السلام", "السَّلَامُ"]),
    ("می\u200cخواهم", ["می\u200cخواهم"]),
    ("cafe\u0301 creme", ["café", "CAFÉ"]),
    ("Die Straße", ["STRASSE", "straße"]),
    ("İstanbul'da", ["istanbul"]),
    ("Donau\u00addampf", ["Donaudampf"]),
    ("version 3.14 of 2024年第３章", ["2024", "14", "3", "第3章"]),
    ("سنة ٢٠٢٤", ["2024", "٢٠٢٤"]),
    ("iPhone用ケースB2B", ["iphone", "ケース", "B2B"]),
]


@pytest.mark.parametrize("language", ["english", "multilingual", "german", "chinese"])
def test_words_are_found_in_every_script(language):
    encoder = Bm25Encoder(language)
    for text, words in FOUND:
        held = set(encoder.encode_document(text)[0])
        for word in words:
            asked = set(encoder.encode_query(word)[0])
            assert asked, word
            assert asked <= held, word


@pytest.mark.parametrize(
    ("text", "word"), [("KIRMIZI IŞIK", "kırmızı ışık"), ("kırmızı ışık", "IŞIK"), ("ilk İLKBAHAR", "İlk ilkbahar")]
)
@pytest.mark.parametrize("language", ["turkish", "tr"])
def test_turkish_has_two_letters_i(text, word, language):
    encoder = Bm25Encoder(language)
    held, asked = (set(found) for found in (encoder.encode_document(text)[0], encoder.encode_query(word)[0]))
    assert asked <= held
    spans = marked_spans(text, word, language)
    assert [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("text", "word"), [("東京の天気", "北京"), ("東京の天気", "京"), ("아름다운 서울", "부산"), ("monsoon", "soon")]
)
def test_other_words_are_not_found_whole(text, word):
    encoder = Bm25Encoder("multilingual")
    held, asked = (set(found) for found in (encoder.encode_document(text)[0], encoder.encode_query(word)[0]))
    assert (asked <= held) is (word == "京")  # a question of one character finds it in a word


def test_latin_words_are_those_of_the_engine_that_earlier_collections_hold():
    import qdrant_edge

    engine = qdrant_edge.Bm25(qdrant_edge.Bm25Config(language="english"))
    for path in sorted((Path(__file__).parents[3] / "docs/guide").glob("*.md")):
        text = re.sub(r"[^\x00-\x7f]", " ", path.read_text())
        sparse = engine.embed_document(text)
        ours = Bm25Encoder("english").encode_document(text)
        assert dict(zip(*ours, strict=True)) == dict(zip(sparse.indices, sparse.values, strict=True))


def test_terms_know_where_they_stand():
    for text, _ in FOUND:
        for term in split(text, singles=True):
            assert "".join(map(normalized, re.findall(r".", text[term.start : term.end], re.DOTALL))) or term.text
            assert 0 <= term.start < term.end <= len(text)
        assert [term.text for term in split(text)] == terms_of(text)


@pytest.mark.parametrize("text", ["", " \n", "…!?", "\ud800", "\u0301", "\u200d\u00ad"])
def test_what_has_no_words_has_no_terms(text):
    assert terms_of(text) == []


def test_compatibility_forms_stay_one_word():
    assert terms_of("½ m² Ａｂｃ ① ㎏ x") == ["½", "m2", "abc", "1", "x"]


def test_a_collection_finds_and_marks_words_of_all_scripts(collection):
    collection.ingest([Document(text=text, source=str(place)) for place, (text, _) in enumerate(FOUND)])
    for place, (_, words) in enumerate(FOUND):
        for word in words:
            hits = collection.search(word, mode="bm25", filter={"source": str(place)})
            assert [hit.source for hit in hits] == [str(place)], word
            assert "<mark>" in hits._repr_html_(), word
