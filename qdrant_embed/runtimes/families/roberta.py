"""RoBERTa (Liu et al. 2019, arXiv 1907.11692), XLM-R, CamemBERT: BERT whose positions begin behind that of padding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families import bert
from qdrant_embed.runtimes.families.family import Node
from qdrant_embed.runtimes.families.learned_positions import learned_positions, rows_behind_padding

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder


def enter(builder: Builder) -> Node:
    """Return rows of words, of the first kind of text and of positions, normalized."""
    padding = builder.config["pad_token_id"]
    rows = rows_behind_padding(builder, padding)
    return bert.enter_at(
        builder, learned_positions(builder, "embeddings.position_embeddings.weight", rows, padding + 1)
    )


FAMILY = replace(
    bert.FAMILY,
    model_types=("roberta", "xlm-roberta", "camembert"),
    used=(*bert.FAMILY.used, "pad_token_id"),
    defaults={**bert.FAMILY.defaults, "pad_token_id": 1},
    prefixes=("", "roberta."),
    enter=enter,
)
