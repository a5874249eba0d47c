"""Models that are a table of vectors: what their folders say, in three layouts.

- sentence-transformers: `modules.json` begins with a StaticEmbedding, perhaps a Normalize follows;
- model2vec (Tulkens and van Dongen 2024): `config.json` says so; unknown tokens are left out of the mean;
- word tables that `word_tables` made of text files, perhaps with word counts and common directions;
- binary paragraph vectors that `paragraphs` trained: the table predicts words, and a text's vector is fitted to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_header
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

AT_ONCE = 65_536
"""Tokens that are averaged at once. A table has no window; a text that is longer still is averaged in parts."""
WORD_TABLE, MODEL2VEC, PARAGRAPHS = "word-table", "model2vec", "binary-paragraph-vectors"
TABLE_NAMES = ("embeddings", "embedding.weight")
"""What the table is called in `model.safetensors`."""


def static_place(folder: Path, modules: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> Path | None:
    """Return where the table is if the model is one, None if it is something else.

    :raises ModelError: Modules follow the table that this library does not run.
    """
    kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    if kinds[:1] == ["StaticEmbedding"]:
        if kinds[1:] not in ([], ["Normalize"]):
            raise ModelError(
                f"the model in {folder} goes on from its table by {', '.join(kinds[1:])}, which is not run."
            )
        return folder / str(modules[0]["path"])
    return folder if not modules and config.get("model_type") in (WORD_TABLE, MODEL2VEC, PARAGRAPHS) else None


def static_values(place: Path, config: Mapping[str, Any], *, normalized: bool) -> dict[str, tuple[Json, str]]:
    """Return the preset values that a table's folder gives, each with the file it came from.

    :param normalized: Whether `modules.json` ends with a normalization.
    :raises ModelError: There is no table.
    """
    stated = {key: config[key] for key in ("pooling", "smoothing", "components") if key in config}
    paragraphs = config.get("model_type") == PARAGRAPHS
    return {
        "runtime": ("paragraphs" if paragraphs else "static", "config.json"),
        "dim": (table_shape(place / "model.safetensors")[1], "model.safetensors"),
        "max_tokens": (AT_ONCE, "tables have no window"),
        "pooling": ("none", "paragraph vectors are fitted") if paragraphs else ("mean", "tables are averaged"),
        "normalize": (normalized or bool(config.get("normalize", False)), "config.json"),
        **{key: (value, "config.json") for key, value in stated.items()},
    }


def table_shape(path: Path) -> tuple[int, int]:
    """Return rows and dimensions of a table, from the file's header alone.

    :raises ModelError: The file is missing or holds no table.
    """
    entries = read_header(path)[0]
    for name in TABLE_NAMES:
        if name in entries:
            rows, dim = entries[name]["shape"]
            if "mapping" in entries:
                rows = entries["mapping"]["shape"][0]
            return rows, dim
    raise ModelError(f"{path} holds no table of vectors; expected a tensor named {' or '.join(TABLE_NAMES)}.")


def without_special_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer that adds none to a text."""
    from tokenizers import Tokenizer as FastTokenizer

    return FastTokenizer.from_str(json.dumps(json.loads(tokenizer.to_str()) | {"post_processor": None}))
