"""BERT (Devlin et al. 2018, arXiv 1810.04805, section 3): learned positions, each half of a block normalized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families.family import ACTIVATIONS, Family, Node
from qdrant_embed.runtimes.families.learned_positions import learned_positions

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

WORDS = "embeddings.word_embeddings.weight"


def enter(builder: Builder) -> Node:
    """Return rows of words, of the first kind of text and of positions, normalized."""
    return enter_at(builder, learned_positions(builder, "embeddings.position_embeddings.weight"))


def enter_at(builder: Builder, positions: Node) -> Node:
    """Return rows of words and of the first kind of text, with those of positions, normalized."""
    kind = builder.weights.array("embeddings.token_type_embeddings.weight", -1, -1)[:1]
    states = builder.add(builder.embedding(builder.ids, WORDS), builder.constant(kind), positions)
    return builder.layer_norm(states, "embeddings.LayerNorm", builder.config["layer_norm_eps"])


def block(builder: Builder, states: Node, number: int) -> Node:
    """Return the states behind a block."""
    place, config = f"encoder.layer.{number}", builder.config
    parts = (builder.linear(states, f"{place}.attention.self.{part}") for part in ("query", "key", "value"))
    seen = builder.attention(*(builder.heads(part, config["num_attention_heads"]) for part in parts))
    seen = builder.linear(seen, f"{place}.attention.output.dense")
    eps = config["layer_norm_eps"]
    states = builder.layer_norm(builder.add(seen, states), f"{place}.attention.output.LayerNorm", eps)
    inner = builder.activation(builder.linear(states, f"{place}.intermediate.dense"))
    inner = builder.linear(inner, f"{place}.output.dense")
    return builder.layer_norm(builder.add(inner, states), f"{place}.output.LayerNorm", eps)


FAMILY = Family(
    model_types=("bert",),
    used=("num_attention_heads", "num_hidden_layers", "layer_norm_eps"),
    fixed={"hidden_act": tuple(ACTIVATIONS), "position_embedding_type": ("absolute",)},
    passing=("pad_token_id", "embedding_size"),
    defaults={"layer_norm_eps": 1e-12, "hidden_act": "gelu", "num_hidden_layers": 12, "num_attention_heads": 12},
    prefixes=("", "bert."),
    words=WORDS,
    unread=r"embeddings\.(position|token_type)_ids$",
    enter=enter,
    block=block,
    positions="learned",
)
