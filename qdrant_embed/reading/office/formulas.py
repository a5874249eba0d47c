"""Formulas of Office files (OMML, ECMA-376 part 1, section 22.1) as LaTeX; letters and symbols stay what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.package import attribute

OPERATORS = {
    "∑": r"\sum", "∏": r"\prod", "∐": r"\coprod", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint", "∮": r"\oint",
    "⋃": r"\bigcup", "⋂": r"\bigcap", "⋁": r"\bigvee", "⋀": r"\bigwedge", "⨁": r"\bigoplus", "⨂": r"\bigotimes",
}  # fmt: skip
ACCENTS = {
    "\u0300": r"\grave", "\u0301": r"\acute", "\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar",
    "\u0305": r"\overline", "\u0306": r"\breve", "\u0307": r"\dot", "\u0308": r"\ddot", "\u030a": r"\mathring",
    "\u030c": r"\check", "\u20d7": r"\vec", "\u20db": r"\dddot",
}  # fmt: skip
GROUPS = {"⏞": r"\overbrace", "⏟": r"\underbrace"}
DELIMITERS = {"{": r"\{", "}": r"\}", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|", "": "."}
PLAIN = ("()", "[]", "||")
"""Delimiters that say as much without their commands."""
FUNCTIONS = frozenset([
    "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd",
    "hom", "inf", "ker", "lg", "lim", "liminf", "limsup", "ln", "log", "max", "min", "Pr", "sec", "sin", "sinh",
    "sup", "tan", "tanh",
])  # fmt: skip
DEFAULT_OPERATOR, DEFAULT_ACCENT = "∫", "\u0302"
DEEPEST = 60
"""Parts within parts; what is deeper is given as its plain text."""
SPECIAL = re.compile(r"[%&#${}\\]")
INVISIBLE = re.compile("[\u2061-\u2064]+")
"""Operators that Office sets between a function and what it is applied to, or between factors."""
SIMPLE = re.compile(r"[\w.,]*|\([^()]*\)|\\[a-zA-Z]+")
"""What a script can follow without braces."""
COMMAND_AT_END = re.compile(r"\\[a-zA-Z]+$")
PROPERTIES = re.compile(r"\w*Pr")


def latex_of(formula: Any) -> str:
    """Return a formula (`oMath`) as LaTeX without dollar signs.

    What is missing is left out, and elements that are not known stand for what they hold, so that no text is lost.
    """
    return _sequence(formula, 0)


def _sequence(element: Any, depth: int) -> str:
    """Return what an element holds, one part after the other; a command and the letter after it stay apart."""
    parts: list[str] = []
    for child in element:
        part = _latex(child, depth)
        if parts and part[:1].isalnum() and COMMAND_AT_END.search(parts[-1]):
            parts.append(" ")
        parts += [part] if part else []
    return "".join(parts)


def _latex(element: Any, depth: int) -> str:
    name = local_name(element)
    if depth >= DEEPEST:
        return _escaped("".join(element.itertext()))
    if PROPERTIES.fullmatch(name):
        return ""
    if name == "t":
        return _escaped(element.text or "")
    return FORMS.get(name, _sequence)(element, depth + 1)


def _escaped(text: str) -> str:
    text = SPECIAL.sub(lambda found: r"\backslash " if found[0] == "\\" else f"\\{found[0]}", text)
    return INVISIBLE.sub(" ", text)


def _part(element: Any, name: str, depth: int) -> str:
    found = next((child for child in element if local_name(child) == name), None)
    return "" if found is None else _sequence(found, depth)


def _parts(element: Any, name: str, depth: int) -> Iterator[str]:
    return (_sequence(child, depth) for child in element if local_name(child) == name)


def _setting(element: Any, name: str, default: str) -> str:
    """Return a value of an element's properties; one that is written without a value is empty."""
    for properties in element:
        if PROPERTIES.fullmatch(local_name(properties)):
            for one in properties:
                if local_name(one) == name:
                    return attribute(one, "val")
    return default


def _run(element: Any, depth: int) -> str:
    text = _sequence(element, depth)
    plain = any(local_name(one) == "nor" for child in element for one in child)
    return rf"\text{{{text}}}" if plain and text.strip() else text


def _fraction(element: Any, depth: int) -> str:
    above, below = _part(element, "num", depth), _part(element, "den", depth)
    kind = _setting(element, "type", "bar")
    if kind == "lin":
        return f"{above}/{below}"
    return rf"\binom{{{above}}}{{{below}}}" if kind == "noBar" else rf"\frac{{{above}}}{{{below}}}"


def _root(element: Any, depth: int) -> str:
    degree = _part(element, "deg", depth)
    return rf"\sqrt{f'[{degree}]' if degree else ''}{{{_part(element, 'e', depth)}}}"


def _scripts(element: Any, depth: int) -> str:
    base = _part(element, "e", depth)
    scripts = _script("_", _part(element, "sub", depth)) + _script("^", _part(element, "sup", depth))
    if local_name(element) == "sPre":
        return f"{{}}{scripts}{base}"
    return f"{base if SIMPLE.fullmatch(base) else f'{{{base}}}'}{scripts}"


def _script(sign: str, text: str) -> str:
    return f"{sign}{{{text}}}" if text else ""


def _operator(element: Any, depth: int) -> str:
    sign = _setting(element, "chr", DEFAULT_OPERATOR)
    limits = _script("_", _part(element, "sub", depth)) + _script("^", _part(element, "sup", depth))
    return f"{OPERATORS.get(sign, sign)}{limits} {_part(element, 'e', depth)}"


def _delimited(element: Any, depth: int) -> str:
    left, right = _setting(element, "begChr", "("), _setting(element, "endChr", ")")
    between = f" {_setting(element, 'sepChr', '|')} ".join(_parts(element, "e", depth))
    if left and right and left + right in PLAIN:
        return f"{left}{between}{right}"
    return rf"\left{DELIMITERS.get(left, left)} {between} \right{DELIMITERS.get(right, right)}"


def _matrix(element: Any, depth: int) -> str:
    rows = [" & ".join(_parts(row, "e", depth)) for row in element if local_name(row) == "mr"]
    return _array("matrix", "", rows)


def _array(kind: str, columns: str, rows: Iterable[str]) -> str:
    lines = r" \\ ".join(rows)
    return rf"\begin{{{kind}}}{columns} {lines} \end{{{kind}}}"


def _named(function: str) -> str:
    name = re.match(r"[A-Za-z]+", function)
    return f"\\{function}" if name and name[0] in FUNCTIONS else function


def _limit(element: Any, depth: int) -> str:
    sign = "_" if local_name(element) == "limLow" else "^"
    return _named(_part(element, "e", depth)) + _script(sign, _part(element, "lim", depth))


def _accent(element: Any, depth: int) -> str:
    sign = _setting(element, "chr", DEFAULT_ACCENT)
    return rf"{ACCENTS.get(sign, ACCENTS[DEFAULT_ACCENT])}{{{_part(element, 'e', depth)}}}"


def _bar(element: Any, depth: int) -> str:
    command = r"\overline" if _setting(element, "pos", "bot") == "top" else r"\underline"
    return f"{command}{{{_part(element, 'e', depth)}}}"


def _group(element: Any, depth: int) -> str:
    command = GROUPS.get(_setting(element, "chr", "⏟"), r"\underbrace")
    return f"{command}{{{_part(element, 'e', depth)}}}"


FORMS: dict[str, Callable[[Any, int], str]] = {
    "r": _run,
    "f": _fraction,
    "rad": _root,
    "sSub": _scripts,
    "sSup": _scripts,
    "sSubSup": _scripts,
    "sPre": _scripts,
    "nary": _operator,
    "d": _delimited,
    "m": _matrix,
    "eqArr": lambda element, depth: _array("array", "{l}", _parts(element, "e", depth)),
    "func": lambda element, depth: f"{_named(_part(element, 'fName', depth))} {_part(element, 'e', depth)}",
    "limLow": _limit,
    "limUpp": _limit,
    "acc": _accent,
    "bar": _bar,
    "groupChr": _group,
}
