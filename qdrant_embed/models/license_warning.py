"""Warn of what a preset says of a model's license, once, when the model is loaded."""

from __future__ import annotations

from functools import cache

from qdrant_embed.errors import warn_user
from qdrant_embed.models.presets import Preset


class LicenseWarning(UserWarning):
    """A model's license restricts its use, e.g. to research."""


def say_license(preset: Preset) -> None:
    """Warn of a preset's `license_note`, once in a process."""
    if preset.license_note:
        _warn(preset.name, preset.license, preset.license_note)


@cache
def _warn(name: str, license: str, note: str) -> None:
    warn_user(f"{name} ({license or 'license unknown'}): {note}", LicenseWarning)
