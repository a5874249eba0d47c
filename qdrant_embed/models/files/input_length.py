"""How many tokens a transformer takes, and where they stand in a padded batch; as its own files say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.types import Json

LEARNED_TYPES = (
    *("bert", "roberta", "xlm-roberta", "camembert", "data2vec-text", "mpnet", "distilbert", "electra", "albert"),
    "ernie",
)
"""Types of model (`model_type` of transformers) with a learned table of absolute positions."""
ROTARY_TYPES = (
    *("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi", "phi3", "nomic_bert", "gte"),
    *("modernbert", "eurobert"),
)
"""Types with rotary positions, of which only differences count."""
_BLOCK_COUNTS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")
_SANE_LENGTH = 1_000_000
"""Tokenizers without a limit report a number of thirty digits."""
_OFFSET_POSITIONS = ("roberta", "camembert", "mpnet", "longformer", "xmod", "data2vec-text")
"""Kinds of model that begin to count positions after the padding id, and so have fewer than their table has rows."""


def longest_input(transformer: Path) -> dict[str, tuple[Json, str]]:
    """Return `max_tokens` and the file that it came from; nothing where no file says."""
    candidates: list[tuple[int, str]] = []
    stated = read_json(transformer / "sentence_bert_config.json").get("max_seq_length")
    limit = read_json(transformer / "tokenizer_config.json").get("model_max_length")
    if stated:
        candidates.append((int(stated), "sentence_bert_config.json"))
    elif limit and limit < _SANE_LENGTH:
        candidates.append((int(limit), "tokenizer_config.json"))
    positions = position_count(read_json(transformer / "config.json"))
    if positions > 0:
        candidates.append((positions, "config.json"))
    return {"max_tokens": min(candidates)} if candidates else {}


def position_count(config: Mapping[str, Json]) -> int:
    """Return how many positions a model has for tokens, by its `config.json`; 0 where that does not say."""
    positions = int(config.get("max_position_embeddings") or 0)
    return positions - first_position(config) if positions > 0 else 0


def first_position(config: Mapping[str, Json]) -> int:
    """Return the row of the table of positions at which a model begins to count."""
    offset = any(kind in str(config.get("model_type")) for kind in _OFFSET_POSITIONS)
    return int(config.get("pad_token_id") or 0) + 1 if offset else 0


def pads_left(transformer: Path, asked: str = "") -> bool:
    """Tell whether short texts are padded before their first token.

    Only where positions are rotary: with absolute ones a text would stand further back the longer its neighbors in a
    batch are, and have another vector beside each. Behind the last token padding changes no vector of any model.

    :param asked: `left` or `right`; empty for what `tokenizer_config.json` says.
    """
    side = asked or read_json(transformer / "tokenizer_config.json").get("padding_side")
    return side == "left" and read_json(transformer / "config.json").get("model_type") in ROTARY_TYPES


def block_count(transformer: Path) -> int:
    """Return how many blocks a transformer has; 0 where its `config.json` does not say."""
    config = read_json(transformer / "config.json")
    config = config.get("text_config") or config
    return next((int(config[key]) for key in _BLOCK_COUNTS if config.get(key)), 0)
