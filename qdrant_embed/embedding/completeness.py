"""Weights that a checkpoint lacks: transformers fills them with random numbers and says so in its log only."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from qdrant_embed.errors import ModelError

_LOGGER = "transformers.modeling_utils"
_MISSING = re.compile(r"^\s*(\S.*?)\s*\|\s*(?:\x1b\[\d+m)?MISSING", re.MULTILINE)
_UNUSED = ("pooler",)
"""Parts that give none of the states that are pooled; many sentence models leave them out."""


class _Reports(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.missing: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        found = _MISSING.findall(record.getMessage())
        self.missing += [name for name in found if not any(part in name for part in _UNUSED)]


@contextmanager
def require_all_weights(place: object) -> Iterator[None]:
    """Refuse a model of which weights are missing, once it has been loaded within.

    :param place: Where it is, for the message.
    :raises ModelError: Some would be random numbers.
    """
    logger, reports = logging.getLogger(_LOGGER), _Reports()
    level = logger.level
    logger.addHandler(reports)
    logger.setLevel(min(level or logging.WARNING, logging.WARNING))
    try:
        yield
    finally:
        logger.removeHandler(reports)
        logger.setLevel(level)
    if reports.missing:
        named = ", ".join(reports.missing[:3]) + (", …" if len(reports.missing) > 3 else "")
        raise ModelError(
            f"the weights in {place} lack {len(reports.missing)} of the model's parts ({named}), which would be filled "
            "with random numbers. Is the download complete, and is config.json that of these weights?"
        )
