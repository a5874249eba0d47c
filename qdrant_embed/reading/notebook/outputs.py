"""Outputs of notebook cells as the text that a reader of the notebook sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from qdrant_embed.reading.html import fragment_to_markdown
from qdrant_embed.reading.records import record_text

TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
PLACEHOLDER = re.compile(r"\s*<[\w.]+(?:\s[^<>\n]*)?>\s*")
"""What an object is printed as that is shown otherwise, such as `<IPython.core.display.HTML object>`."""
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATES = "application/vnd.jupyter.widget-state+json"
WIDGET_TEXTS = ("description", "value", "options", "_options_labels")
OLD_KEYS = {"text": "text/plain", "html": "text/html", "latex": "text/latex", "json": "application/json"}
"""Names in the formats before 4, in which each stands in the output itself."""


def outputs_text(outputs: object, widgets: Mapping[str, Any]) -> str:
    """Return the outputs of a cell, one after another.

    :param widgets: `widgets` of the notebook's metadata, where the texts of controls stand.
    """
    found = [output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
    texts: list[str] = []
    for stream, group in groupby(found, key=_stream):
        if stream:
            texts.append(_last_states("".join(joined(output.get("text")) for output in group)))
        else:
            texts.extend(_shown(output, widgets) for output in group)
    return "\n".join(text.rstrip("\n") for text in texts if text.strip())


def _stream(output: Mapping[str, Any]) -> str:
    """Return which stream an output belongs to; what is printed to one comes in pieces."""
    return str(output.get("name") or output.get("stream") or "stdout") if output.get("output_type") == "stream" else ""


def _shown(output: Mapping[str, Any], widgets: Mapping[str, Any]) -> str:
    """Return what is shown of an output; of an error, its message and not the whole trace."""
    if output.get("output_type") in ("error", "pyerr"):
        return TERMINAL_CODES.sub("", f"{output.get('ename') or 'Error'}: {output.get('evalue') or ''}")
    forms = output.get("data")
    if not isinstance(forms, dict):
        forms = {OLD_KEYS[key]: value for key, value in output.items() if key in OLD_KEYS}
    if WIDGET in forms:
        return "\n".join(_widget(forms[WIDGET], widgets))
    plain = _last_states(joined(forms.get("text/plain")))
    if forms.get("text/markdown"):
        return joined(forms["text/markdown"])
    if plain.strip() and not PLACEHOLDER.fullmatch(plain):
        return plain
    return _other_form(forms)


def _other_form(forms: Mapping[str, Any]) -> str:
    """Return an output that has no plain text from the form that says most."""
    if markup := joined(forms.get("text/html")):
        return fragment_to_markdown(markup)
    if formula := joined(forms.get("text/latex")):
        return formula
    for kind in ("application/json", "application/geo+json"):
        if kind in forms:
            return record_text(forms[kind])
    if drawing := joined(forms.get("image/svg+xml")):
        return fragment_to_markdown(drawing)
    others = (key for key in forms if key.startswith("text/") and key not in ("text/plain", "text/javascript"))
    return next(filter(None, (joined(forms[key]) for key in others)), "")


def _widget(view: object, widgets: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of a control and of those within it."""
    saved = widgets.get(WIDGET_STATES)
    states = saved.get("state") if isinstance(saved, dict) else None
    todo = [view.get("model_id")] if isinstance(view, dict) else []
    seen: set[str] = set()
    while todo and isinstance(states, dict):
        model = todo.pop(0)
        state = states.get(model) if isinstance(model, str) and model not in seen else None
        state = state.get("state") if isinstance(state, dict) else None
        if not isinstance(model, str) or not isinstance(state, dict):
            continue
        seen.add(model)
        secret = ("value",) if state.get("_model_name") == "PasswordModel" else ()
        words = [joined(state.get(key)) for key in WIDGET_TEXTS if key not in secret]
        line = " ".join(word for word in words if word)
        yield fragment_to_markdown(line) if "<" in line else line
        children = state.get("children")
        todo += [str(child).removeprefix("IPY_MODEL_") for child in children] if isinstance(children, list) else []


def _last_states(text: str) -> str:
    """Return a text as a terminal ends up showing it: what comes after a carriage return is written over the line."""
    text = TERMINAL_CODES.sub("", text).replace("\r\n", "\n")
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def joined(value: object) -> str:
    """Return a text that a notebook has as one or as a list of lines; empty for anything else."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
