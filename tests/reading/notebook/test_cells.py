import json

import pytest

from qdrant_embed.errors import ReadError


def notebook(cells, **metadata):
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def shown(*outputs, **metadata):
    return notebook([{"cell_type": "code", "source": "show()", "outputs": list(outputs)}], **metadata)


def data(**forms):
    return {"output_type": "display_data", "data": {key.replace("_", "/"): value for key, value in forms.items()}}


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


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


def test_the_old_formats(read):
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Tides"]},
        {
            "cell_type": "code",
            "language": "julia",
            "input": ["1 + 1"],
            "outputs": [{"output_type": "pyout", "text": ["2"]}, {"output_type": "display_data", "html": "<p>two</p>"}],
        },
    ]
    old = {"worksheets": [{"cells": cells[:1]}, {"cells": cells[1:]}, None]}
    assert read("old.ipynb", json.dumps(old)).text == "## Tides\n\n```julia\n1 + 1\n```\n\n```text\n2\ntwo\n```"


PLACEHOLDER = "<IPython.core.display.HTML object>"


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ([data(text_plain=[PLACEHOLDER], text_html=["<p>412 ", "answers</p>"])], "412 answers"),
        ([data(text_html="<table><tr><th>a</th><th>b</th></tr></table>")], "| a | b |\n| --- | --- |"),
        ([data(text_plain="<IPython.core.display.Latex object>", text_latex=["$E$"])], "$E$"),
        ([data(text_plain="<IPython.core.display.JSON object>", application_json={"ship": "Aurora"})], "ship: Aurora"),
        ([data(text_plain=PLACEHOLDER, text_markdown="**bold**")], "**bold**"),
        ([data(text_plain="<Figure size 640x480 with 1 Axes>", image_png="aGk=")], None),
        ([data(text_plain="<Axes: title={'center': 'x'}>")], "<Axes: title={'center': 'x'}>"),
        ([data(text_html="<script>draw()</script>")], None),
        ([stream(["\r 0%|  |", "\r50%|# |"]), stream("\r100%|##|\nend\r\n")], "100%|##|\nend"),
        ([stream("a\r", "stdout"), stream("b", "stderr")], "a\nb"),
        ([{"output_type": "stream", "text": "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07"}], "red link"),
        ([{"output_type": "error", "ename": None, "evalue": None}], "Error: "),
        ([None, [], {"output_type": "stream", "text": None}, {"output_type": "display_data", "data": []}], None),
    ],
)  # fmt: skip
def test_outputs_are_what_a_reader_sees(read, outputs, text):
    expected = "```python\nshow()\n```" + (f"\n\n```text\n{text}\n```" if text else "")
    assert read("a.ipynb", shown(*outputs)).text == expected


def test_controls_give_their_texts(read):
    states = {
        "box": {"state": {"children": ["IPY_MODEL_bar", "IPY_MODEL_box", "IPY_MODEL_gone"]}},
        "bar": {"state": {"description": "Loading", "value": "<b>100%</b>"}},
    }
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": states}}
    forms = {"text/plain": "HBox()", "application/vnd.jupyter.widget-view+json": {"model_id": "box"}}
    output = {"output_type": "display_data", "data": forms}
    assert read("a.ipynb", shown(output, widgets=widgets)).text.endswith("```text\nLoading **100%**\n```")
    assert read("b.ipynb", shown(output)).text == "```python\nshow()\n```"


def test_what_was_typed_into_a_password_control_is_left_out(read):
    state = {"_model_name": "PasswordModel", "description": "Your PIN", "value": "4711"}
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {"pin": {"state": state}}}}
    data = {"text/plain": "Password()", "application/vnd.jupyter.widget-view+json": {"model_id": "pin"}}
    text = read("a.ipynb", shown({"output_type": "display_data", "data": data}, widgets=widgets)).text
    assert "Your PIN" in text
    assert "4711" not in text


CELL = {"cell_type": "markdown", "source": "Words."}


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": None},
        {"metadata": []},
        {"metadata": {"language_info": None, "kernelspec": None, "title": 3, "widgets": []}},
        {"metadata": {"language_info": [], "kernelspec": {"language": None}}},
        {"cells": [CELL, {"cell_type": "code", "source": {}, "outputs": None}]},
        {"cells": [CELL, {"cell_type": "code", "source": None, "outputs": {}, "metadata": None}]},
        {"cells": [CELL, {}, {"cell_type": None}]},
        {"cells": {"1": CELL}},
        {"cells": CELL},
        {"cells": [{"cell_type": "raw", "source": ["Words", None, "."]}]},
    ],
)
def test_null_and_other_things_in_place_of_what_is_expected(read_file, change):
    result = read_file("a.ipynb", json.dumps({"cells": [CELL], "metadata": {}} | change))
    assert (result.document.text, result.notes) == ("Words.", ())


def test_cells_that_are_none_are_told_of(read_file):
    result = read_file("a.ipynb", notebook([None, CELL, 3]))
    assert (result.document.text, result.notes) == ("Words.", ("2 of its 3 cells are no cells, and are left out",))


def test_images_in_the_text_leave_no_letters(read):
    source = "![gate](data:image/png;base64,AAAA/BBBB+) and ![x](attachment:a.png)"
    assert read("a.ipynb", notebook([CELL | {"source": source}])).text == "![gate]() and ![x](attachment:a.png)"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"cells": [{"source": ["a",]}]}', "broken JSON: line 1, column 28: "),
        ('{"cells": [\n{"source": "a"}', "broken JSON: line 2, column 16: "),
        ('<<<<<<< ours\n{"cells": []}', "broken JSON: line 1, column 1: "),
        ("not json", "broken JSON: line 1, column 1: "),
        ("[" * 100_000, "broken JSON: nested too deeply"),
        ("{}", "it is no notebook: there are no cells in it"),
        ('{"cells": null}', "it is no notebook: there are no cells in it"),
        ("[]", "it is no notebook: it holds a list"),
        ('"cells"', "it is no notebook: it holds a text"),
    ],
)
def test_what_is_no_notebook_says_why(read, content, reason):
    with pytest.raises(ReadError) as error:
        read("a.ipynb", content)
    assert error.value.reason.startswith(reason)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_notebooks_in_other_encodings(read, encoding):
    assert read("a.ipynb", notebook([CELL | {"source": "Æther \x01"}]).encode(encoding)).text == "Æther \x01"


def test_an_empty_notebook_is_no_broken_one(read_file):
    assert read_file("a.ipynb", "").document.text == ""


def test_what_is_shown_only_as_a_drawing_or_as_data(read):
    outputs = [
        {"output_type": "display_data", "data": {"image/svg+xml": ["<svg><text>High water</text></svg>"]}},
        {
            "output_type": "display_data",
            "data": {"text/plain": "<Map at 1>", "application/geo+json": {"pier": 4}},
        },
    ]
    assert read("a.ipynb", shown(*outputs)).text.endswith("```text\nHigh water\npier: 4\n```")
