import re
import sys
import types

import pytest

from qdrant_embed.errors import MissingExtraError
from qdrant_embed.explore.notebook_widget import explorer_widget, joined_modules
from qdrant_embed.explore.web_app import static_files

anywidget = pytest.importorskip("anywidget")


def test_all_modules_are_one_with_no_name_twice():
    joined = joined_modules()
    assert not re.search(r"^import ", joined, re.MULTILINE)
    assert re.findall(r"^export .*", joined, re.MULTILINE) == ["export default {"]
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", joined, re.MULTILINE)
    assert len(names) == len(set(names))
    assert "main.js" in static_files()
    assert "fetch(" not in joined


def test_styles_stay_within_the_widget():
    for name in ("base.css", "views.css"):
        rules = re.findall(r"^\s*([^@{}/\n][^{}\n]*)\{", static_files()[name], re.MULTILINE)
        assert all(".qe" in selector for rule in rules for selector in re.split(r",(?![^()]*\))", rule)), rules


def test_it_answers_messages_and_leaves_nothing_behind(session, monkeypatch):
    pytest.importorskip("pandas")
    widget = explorer_widget(session)
    sent = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: sent.append(content))
    widget._handle_custom_msg({"number": 7, "name": "search", "given": {"query": "keys"}}, [])
    assert sent[0]["number"] == 7
    assert sent[0]["found"]["hits"]
    session._map.wait(60)
    session.ask("select", {"points": [0, 1]})
    assert len(widget.selection) == 2
    widget.close()


def test_in_a_kernel_it_is_a_widget_and_without_anywidget_an_error_says_what_to_type(harbour, monkeypatch):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'qdrant-embed\[widget\]'"):
        harbour.explore()
