"""Licences that restrict what a model may be used for are said when it is loaded, once."""

from __future__ import annotations

import warnings
from functools import cache

from qdrant_embed.embedding.preset import Preset


class LicenceWarning(UserWarning):
    """A model's licence restricts its use, e.g. to research."""


def say_licence(preset: Preset) -> None:
    """Warn of a preset's `licence_note`, once in a process."""
    if preset.licence_note:
        _warn(preset.name, preset.licence, preset.licence_note)


@cache
def _warn(name: str, licence: str, note: str) -> None:
    warnings.warn(f"{name} ({licence or 'licence unknown'}): {note}", LicenceWarning, stacklevel=4)
