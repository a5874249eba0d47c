"""Weights that a checkpoint lacks: transformers fills them with random numbers, and goes on.

What is missing is learned from the names of tensors, as transformers itself compares them (`output_loading_info`) after
old names were made new ones and weights were tied. Its log says the same, but a program may turn any log off.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qdrant_embed.errors import ModelError
from qdrant_embed.native import make_lock

_LOADING = make_lock()
"""Held while models report what they lack: one after the other."""
_POOLER = re.compile(r"(?:^|\.)pooler\.")
"""Gives none of the states that are pooled; many sentence models leave it out."""


@contextmanager
def require_all_weights(place: object, *, pooler: bool = False) -> Iterator[None]:
    """Refuse a model of which weights are missing, once it has been loaded within, by this thread.

    :param place: Where it is, for the message.
    :param pooler: Whether the vectors are made by the transformer's own pooler, which is not needed otherwise.
    :raises ModelError: Some weights would be random numbers, or it was not told whether any are.
    """
    with _LOADING, _reporting() as reports:
        yield
    if not reports:
        raise ModelError(
            f"whether the weights in {place} are complete could not be found out, since transformers did not load "
            "them by from_pretrained. Please report this, with the version of transformers."
        )
    missing = sorted(
        {name for report in reports for name in report["missing_keys"] if pooler or not _POOLER.search(name)}
    )
    if missing:
        named = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise ModelError(
            f"the weights in {place} lack {len(missing)} of the model's tensors ({named}), which would be filled with "
            "random numbers. Is the download complete, and is config.json that of these weights?"
        )


@contextmanager
def _reporting() -> Iterator[list[Any]]:
    """Yield a list that fills with what each model says of its weights that this thread loads."""
    from transformers import PreTrainedModel

    base: Any = PreTrainedModel
    usual, thread = base.__dict__["from_pretrained"], threading.get_ident()
    reports: list[Any] = []

    def from_pretrained(cls: Any, /, *args: Any, output_loading_info: bool = False, **kwargs: Any) -> Any:
        load = usual.__get__(None, cls)
        if threading.get_ident() != thread:
            return load(*args, output_loading_info=output_loading_info, **kwargs)
        model, report = load(*args, output_loading_info=True, **kwargs)
        reports.append(report)
        return (model, report) if output_loading_info else model

    base.from_pretrained = classmethod(from_pretrained)
    try:
        yield reports
    finally:
        base.from_pretrained = usual
