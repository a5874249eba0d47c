"""What users choose of a model: a task, which decides the prompts, and how many of its blocks are run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from qdrant_embed.embedding.preset import Preset
from qdrant_embed.errors import ConfigurationError, UnknownNameError

log = logging.getLogger(__name__)

_WITHOUT_BLOCKS = ("api", "fastembed", "static", "paragraphs", "hashing")
"""Runtimes that have no blocks, or no say in how many are run."""
TEXT, TASK = "{text}", "{task}"
"""Places in prompts. A prompt that does not hold `{text}` stands before the text."""


def rendered(prompt: str, text: str) -> str:
    """Return a text with its prompt, exactly as the model reads it."""
    return prompt.replace(TEXT, text) if TEXT in prompt else prompt + text


def with_task(preset: Preset, task: str = "") -> Preset:
    """Return the preset with its prompts (or templates) settled in `query_prompt` and `document_prompt`.

    :param task: One of the preset's tasks, or, for a model that takes instructions, a sentence of your own. Empty for
        the preset's own.
    :raises UnknownNameError: The preset knows no such task and takes no sentences.
    """
    query = preset.query_template or preset.query_prompt
    document = preset.document_template or preset.document_prompt
    task = task or preset.task
    takes_sentences = bool(preset.task_template) or TASK in query
    if task:
        if task not in preset.tasks and not (takes_sentences and " " in task.strip()):
            raise UnknownNameError("task", task, preset.tasks)
        stated = preset.tasks.get(task, task)
        if isinstance(stated, Mapping):
            query, document = stated.get("query", query), stated.get("document", document)
        elif TASK in query:
            query = query.replace(TASK, stated)
        else:
            query = preset.task_template.replace(TASK, stated) if preset.task_template else stated
    if TASK in query:
        known = ", ".join(sorted(preset.tasks)) or "none known"
        raise ConfigurationError(
            f"{preset.name!r} asks for a task: give task='…', one of {known}, or a sentence that says what to look for."
        )
    return replace(preset, task=task, query_prompt=query, document_prompt=document)


def with_layers(preset: Preset, layers: int = 0, blocks: int = 0) -> Preset:
    """Return the preset with a number of blocks to run; 0 for what it says itself.

    :param blocks: How many the model has, 0 where that is not known. To run all of them is to cut nothing.
    :raises ConfigurationError: The number makes no sense, or the model does not run here.
    """
    if not layers:
        return preset
    if layers < 0 or preset.runtime in _WITHOUT_BLOCKS:
        raise ConfigurationError(
            f"layers={layers} makes no sense for {preset.name!r} (runtime {preset.runtime}); give the number of blocks "
            "to run, of a transformer that runs on this machine."
        )
    if layers == blocks:
        return replace(preset, layers=0)
    if layers not in preset.depths and layers != preset.layers:
        _say_untrained(preset.name, layers, ", ".join(map(str, preset.depths)))
    return replace(preset, layers=layers)


@cache
def _say_untrained(name: str, layers: int, depths: str) -> None:
    trained = f"for that (it was for {depths})" if depths else "to be cut"
    log.warning("%s is cut to %d blocks, but was not trained %s: its vectors will be worse.", name, layers, trained)
