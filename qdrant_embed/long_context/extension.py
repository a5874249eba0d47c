"""Ways to make a model read more tokens than it was trained on, by name, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qdrant_embed.errors import ConfigurationError, UnknownNameError

METHODS: Mapping[str, tuple[str, ...]] = {
    "gp": (),
    "rp": (),
    "pi": (),
    "ntk": ("lambda",),
    "selfextend": ("g", "w"),
    "yarn": (),
    "dynamic": ("factor",),
}
"""Method → the settings it takes beside `scale` and `from`, which all take."""

SCALE = "scale"
"""Setting: 1 to sharpen attention over long inputs (LongEmbed, section 3.2), 0 to leave it as it is.

1 is what the methods of that paper do unless told otherwise; `yarn` and `dynamic`, which are not in it, do not.
"""
FROM = "from"
"""Setting: the window to stretch from, where that is to be less than the positions that were trained."""

_WHOLE = ("g", "w", FROM)
_SCALED = ("gp", "rp", "pi", "ntk", "selfextend")


@dataclass(frozen=True, slots=True)
class Extension:
    """A method with its target length, such as `pi:4096` or `selfextend:4096,g=9,w=64`; `str` gives the same text back.

    :param method: `gp` grouped, `rp` recurrent, `pi` interpolated positions; `ntk`, `selfextend`, `yarn`, `dynamic` for
        rotary positions (LongEmbed, Zhu et al. 2024, section 3; YaRN, Peng et al. 2023).
    :param tokens: The longest input of one pass, prompt and special tokens included.
    :param settings: Those that were given, by name.
    """

    method: str
    tokens: int
    settings: tuple[tuple[str, float], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Extension:
        """Read the text form.

        :raises UnknownNameError: There is no such method.
        :raises ConfigurationError: The target length or a setting makes no sense.
        """
        method, _, rest = text.partition(":")
        if method not in METHODS:
            raise UnknownNameError("extension method", method, METHODS)
        length, *given = rest.split(",")
        if not length.isdigit() or int(length) < 1:
            raise ConfigurationError(f"{text!r} needs the number of tokens to reach, e.g. {method}:4096.")
        return cls(method, int(length), tuple(_setting(text, method, item) for item in given))

    def setting(self, name: str, default: float) -> float:
        """Return a setting, or the default where it was not given."""
        return dict(self.settings).get(name, default)

    @property
    def scaled(self) -> bool:
        """Whether attention over long inputs is sharpened."""
        return bool(self.setting(SCALE, self.method in _SCALED))

    def __str__(self) -> str:
        return ",".join([f"{self.method}:{self.tokens}", *(f"{name}={value:.12g}" for name, value in self.settings)])


def _setting(text: str, method: str, item: str) -> tuple[str, float]:
    name, _, value = item.partition("=")
    known = (*METHODS[method], SCALE, FROM)
    if name not in known:
        raise ConfigurationError(f"{text!r}: {method} takes no setting {name!r}; it takes {', '.join(known)}.")
    try:
        number = float(value)
    except ValueError:
        raise ConfigurationError(f"{text!r}: {name}={value!r} is not a number; give e.g. {name}=4.") from None
    if name == SCALE and number not in (0, 1):
        raise ConfigurationError(f"{text!r}: scale={value} is neither 0 (off) nor 1 (on).")
    kind = "a whole number from 1 on" if name in _WHOLE else "1 or more"
    if name != SCALE and (not number >= 1 or number == float("inf") or (name in _WHOLE and number % 1)):
        raise ConfigurationError(f"{text!r}: {name}={value} has to be {kind}.")
    return name, number
