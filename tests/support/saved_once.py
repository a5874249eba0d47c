"""A model folder that is made once for each call with other arguments, and copied to wherever it is wanted again."""

import shutil
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory

KEPT = []
"""Folders that are removed when the process ends, though the function that filled them is gone."""


def saved_once(save):
    """Let `save(folder, …)`, which returns the folder or one inside it, make each kind of model once in a process.

    To train a tokenizer and write a tiny model takes a tenth of a second; a copy of its files takes next to nothing.
    """
    kept, made = TemporaryDirectory(prefix="saved-", ignore_cleanup_errors=True), {}
    KEPT.append(kept)

    @wraps(save)
    def saved(folder, *given, **named):
        key = repr((given, sorted(named.items())))
        if key not in made:
            own = Path(kept.name) / str(len(made))
            made[key] = own, Path(save(own, *given, **named)).relative_to(own)
        own, inside = made[key]
        shutil.copytree(own, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)  # with times of its own
        return Path(folder) / inside

    return saved
