"""What users choose of a model: a task, which decides the prompts, and how many of its blocks are run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.models.presets import Preset

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
