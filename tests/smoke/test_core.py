"""What works wherever the library is installed, without any extra."""

import json
import pkgutil
import zipfile
from importlib import import_module

import numpy as np
import openpyxl
import pptx
import pytest
from safetensors.numpy import save_file

import qdrant_embed
from qdrant_embed import CalibrateOptions, Collection, Document, Recipe, load_embedder, read_documents
from tests.support.api_server import ApiServer
from tests.support.ole_files import outlook_message
from tests.support.shallow_minilm import save_shallow_minilm
from tests.support.tiny_models import save_word_table

NEED_TORCH = ("qdrant_embed.long_context.patches", "qdrant_embed.training.position_table")
WORDS = ("harbour", "crane", "pier", "herring", "cod", "key", "gate", "watch", "ton", "cable", "master", "night")


def test_every_module_can_be_imported():
    """But those that torch is imported for; and `__main__`, which runs."""
    named = [found.name for found in pkgutil.walk_packages(qdrant_embed.__path__, "qdrant_embed.")]
    for name in named:
        if not name.startswith(NEED_TORCH) and not name.endswith("__main__"):
            import_module(name)
    assert len(named) > 400


def test_the_command_line(shell, pages):
    assert "ingest" in shell("--help")
    shell("ingest", pages, "--model", "hashing", "--at", "data")
    assert "ninety days" in shell("search", "rotated keys", "--at", "data")


def test_ingest_search_and_change(opened, pages, tmp_path):
    collection = opened(at=tmp_path / "data", given=pages)
    assert collection.search("rotated keys", k=1)[0].source.endswith("keys.md")
    assert collection.search("where is herring landed", k=1, mode="bm25")[0].source.endswith("fish.txt")
    assert collection.search("herring", k=1, mode="hybrid")[0].source.endswith("fish.txt")
    collection.recompress("float16")
    assert collection.search("twelve tons", k=1)[0].source.endswith("cranes.md")


def test_an_adapter_is_added_to_its_model(tmp_path):
    model, adapter = save_shallow_minilm(tmp_path / "model"), tmp_path / "adapter"
    adapter.mkdir()
    layer, random = "base_model.model.encoder.layer.0.attention.self.query", np.random.default_rng(0)
    halves = {f"{layer}.lora_A.weight": random.standard_normal((2, 384)).astype(np.float32) / 10}
    halves[f"{layer}.lora_B.weight"] = random.standard_normal((384, 2)).astype(np.float32) / 10
    stated = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "base_model_name_or_path": str(model)}
    save_file(halves, adapter / "adapter_model.safetensors")
    (adapter / "adapter_config.json").write_text(json.dumps(stated))
    plain, adapted = (
        load_embedder(str(place), runtime="openvino:float32").embed_documents(["rotated keys"])
        for place in (model, adapter)
    )
    assert 0.5 < (plain * adapted).sum() < 0.9999


def test_calibrate():
    texts = np.random.default_rng(3).choice(WORDS, (80, 8))
    with Collection.open("words", at=":memory:", recipe=Recipe(model="hashing")) as collection:
        collection.ingest([Document(text=" ".join(row), source=f"{place}.txt") for place, row in enumerate(texts)])
        found = collection.calibrate(options=CalibrateOptions(target_recall=0.9, settings=("float16",)))
    assert len(found.trials) == 1


def test_a_table_of_words(opened, tmp_path):
    assert opened(str(save_word_table(tmp_path / "table"))).search("the harbour", k=3)


def test_a_model_behind_an_api(opened, tmp_path, monkeypatch):
    with ApiServer(dim=16) as server:
        own = tmp_path / "own.toml"
        own.write_text(
            '[models.ours]\nruntime = "api"\napi = "openai"\napi_model = "ours"\ndim = 16\nmax_tokens = 512\n'
            f'key_variable = ""\nendpoint = "{server.endpoint}"\n'
        )
        monkeypatch.setenv("QDRANT_EMBED_PRESETS", str(own))
        assert len(opened("ours").search("crane", k=3)) == 3
    assert server.seen


def test_minilm_with_openvino(opened, minilm):
    assert minilm.is_dir()
    collection = opened("minilm")
    assert collection.search("when do I change the keys?", k=1)[0].source.endswith("keys.md")
    assert collection.search("what heavy things can be lifted?", k=1)[0].source.endswith("cranes.md")


def test_office_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "text.docx", "w") as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr("word/document.xml", DOCUMENT)
    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "Crane four"
    slides.save(tmp_path / "slides.pptx")
    book = openpyxl.Workbook()
    book.active.append(["pier", "fish"])
    book.active.append([7, "Cod"])
    book.save(tmp_path / "table.xlsx")
    (tmp_path / "letter.msg").write_bytes(outlook_message({"0037001F": "Gates", "1000001F": "They open at six."}))
    found = {document.source: document.text for document in read_documents(tmp_path)}
    assert "ninety days" in found["text.docx"]
    assert "Crane four" in found["slides.pptx"]
    assert "Cod" in found["table.xlsx"]
    assert "They open at six." in found["letter.msg"]


def test_a_cell_of_a_notebook_draws_hits(opened):
    hits = opened().search("rotated keys", k=1)
    assert "<table" in hits._repr_html_()
    assert json.loads(json.dumps(hits[0].as_dict()))["source"].endswith("keys.md")


def test_llama_index(opened):
    pytest.importorskip("llama_index.retrievers.qdrant_embed")
    assert "ninety days" in opened().as_retriever(k=1).retrieve("rotated keys")[0].text


KINDS = "http://schemas.openxmlformats.org"
CONTENT_TYPES = (
    f'<Types xmlns="{KINDS}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    f'<Relationships xmlns="{KINDS}/package/2006/relationships"><Relationship Id="a" '
    f'Type="{KINDS}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)
DOCUMENT = (
    f'<w:document xmlns:w="{KINDS}/wordprocessingml/2006/main"><w:body><w:p><w:r>'
    "<w:t>Keys are rotated every ninety days.</w:t></w:r></w:p></w:body></w:document>"
)
