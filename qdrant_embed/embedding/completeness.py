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
    def __init__(self, shown: int) -> None:
        super().__init__(logging.WARNING)
        self.missing: list[str] = []
        self._shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        found = _MISSING.findall(record.getMessage())
        self.missing += [name for name in found if not any(part in name for part in _UNUSED)]
        if record.levelno >= self._shown:
            logging.getLogger(_LOGGER.rpartition(".")[0]).handle(record)


@contextmanager
def require_all_weights(place: object) -> Iterator[None]:
    """Refuse a model of which weights are missing, once it has been loaded within.

    :param place: Where it is, for the message.
    :raises ModelError: Some would be random numbers.
    """
    logger = logging.getLogger(_LOGGER)
    level, propagate, reports = logger.level, logger.propagate, _Reports(logger.getEffectiveLevel())
    logger.addHandler(reports)
    if logger.getEffectiveLevel() > logging.WARNING:
        # Whoever turned warnings off still sees none; they are only read here. From WARNING on as the logger's own
        # level, transformers says more than it does otherwise.
        logger.setLevel(logging.WARNING - 1)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(reports)
        logger.setLevel(level)
        logger.propagate = propagate
    if reports.missing:
        named = ", ".join(reports.missing[:3]) + (", …" if len(reports.missing) > 3 else "")
        raise ModelError(
            f"the weights in {place} lack {len(reports.missing)} of the model's parts ({named}), which would be filled "
            "with random numbers. Is the download complete, and is config.json that of these weights?"
        )
