"""Files that are damaged in ways that nobody thought of: each is read, or told of, and none is silently empty."""

import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pptx
import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.formats import parse
from qdrant_embed.reading.signature import true_extension

ROUNDS = 12
OPAQUE = ("object has no attribute", "NoneType", "unexpected keyword", "maximum recursion", "not subscriptable")
"""Words of errors that nobody can act on."""


def workbook():
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in (("Name", "City"), ("Ann", "Oslo")):
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def presentation():
    show, buffer = pptx.Presentation(), io.BytesIO()
    for words in ("Cranes", "Keys"):
        show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = words
    show.save(buffer)
    return buffer.getvalue()


NOTEBOOK = b'{"cells": [{"cell_type": "code", "source": ["a\\n"], "outputs": [{"text": "b"}]}]}'
PAGE = b"<html><head><title>T</title></head><body><main><form><p>Words</p></form></main><table><tr><td>x</table></body>"
MAKERS = {".xlsx": workbook, ".pptx": presentation, ".ipynb": lambda: NOTEBOOK, ".html": lambda: PAGE}
MAKERS[".xls"] = (Path(__file__).parent / "data" / "berths.xls").read_bytes


def damaged(data, chance):
    """Cut bytes off or out, change some, or do so within one part of an archive."""
    if data.startswith(b"PK") and chance.random() < 0.6:
        return damaged_part(data, chance)
    place, changed = chance.randrange(len(data)), bytearray(data)
    kind = chance.randrange(3)
    if kind == 0:
        return data[:place]
    if kind == 1:
        del changed[place : place + chance.randrange(1, 300)]
    else:
        for _ in range(8):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def damaged_part(data, chance):
    source, buffer = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    names = source.namelist()
    victim = chance.choice([name for name in names if name.endswith((".xml", ".rels"))])
    with zipfile.ZipFile(buffer, "w") as target:
        for name in names:
            content = source.read(name)
            if name != victim:
                target.writestr(name, content)
            elif chance.random() < 0.7:
                target.writestr(name, damaged(content.replace(b"PK", b"pk"), chance))
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("extension", MAKERS)
def test_damaged_files_are_read_or_told_of(extension):
    whole, chance = MAKERS[extension](), random.Random(extension)
    assert parse(extension, whole, "a").text
    for _ in range(ROUNDS):
        content = damaged(whole, chance)
        assert true_extension(extension, content)
        try:
            parsed = parse(extension, content, "a")
        except ReadError as error:
            assert error.reason
            assert not any(words in error.reason for words in OPAQUE), error.reason
        else:
            assert isinstance(parsed.text, str)
            assert all(parsed.notes)
