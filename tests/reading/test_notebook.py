import json

import pytest

from qdrant_embed.errors import ReadError


def notebook(cells, **metadata):
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def test_a_notebook_becomes_markdown(read):
    cells = [
        {"cell_type": "markdown", "source": ["# Tides\n", "\n", "High water at noon."]},
        {
            "cell_type": "code",
            "source": "level()",
            "outputs": [
                {"output_type": "stream", "text": ["3.2\n"]},
                {"output_type": "execute_result", "data": {"text/html": "<b>x</b>", "text/plain": "'metres'"}},
                {"output_type": "display_data", "data": {"image/png": "aGk="}},
                {"output_type": "error", "ename": "KeyError", "evalue": "'pier'", "traceback": ["\x1b[31mlong\x1b[0m"]},
            ],
        },
        {"cell_type": "code", "source": "text = '''\n```\n'''", "outputs": []},
    ]
    document = read("tides.ipynb", notebook(cells, language_info={"name": "python"}))
    assert document.text == (
        "# Tides\n\nHigh water at noon.\n\n```python\nlevel()\n```\n\n```text\n3.2\n'metres'\nKeyError: 'pier'\n```\n\n"
        "````python\ntext = '''\n```\n'''\n````"
    )
    assert (document.title, document.text_type) == ("Tides", "text/markdown")


def test_the_old_format(read):
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["1 + 1"], "outputs": [{"text": ["2"]}]}]}]}
    assert read("old.ipynb", json.dumps(old)).text == "```python\n1 + 1\n```\n\n```text\n2\n```"


@pytest.mark.parametrize("content", ["{}", "[]", "not json", '{"cells": [3]}', '{"cells": null}', '"cells"'])
def test_what_is_no_notebook(read, content):
    with pytest.raises(ReadError, match=r"it is no notebook|broken file"):
        read("a.ipynb", content)
