"""DistilBERT (Sanh et al. 2019, arXiv 1910.01108): BERT without kinds of text, in other names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families.family import ACTIVATIONS, Family, Node
from qdrant_embed.runtimes.families.learned_positions import learned_positions

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_WORDS = "embeddings.word_embeddings.weight"
_EPS = 1e-12


def enter(builder: Builder) -> Node:
    """Return rows of words and of positions, normalized."""
    positions = learned_positions(builder, "embeddings.position_embeddings.weight")
    return builder.layer_norm(
        builder.add(builder.embedding(builder.ids, _WORDS), positions), "embeddings.LayerNorm", _EPS
    )


def block(builder: Builder, states: Node, number: int) -> Node:
    """Return the states behind a block."""
    place = f"transformer.layer.{number}"
    parts = (builder.linear(states, f"{place}.attention.{part}_lin") for part in "qkv")
    seen = builder.attention(*(builder.heads(part, builder.config["n_heads"]) for part in parts))
    seen = builder.linear(seen, f"{place}.attention.out_lin")
    states = builder.layer_norm(builder.add(seen, states), f"{place}.sa_layer_norm", _EPS)
    inner = builder.activation(builder.linear(states, f"{place}.ffn.lin1"), "activation")
    inner = builder.linear(inner, f"{place}.ffn.lin2")
    return builder.layer_norm(builder.add(inner, states), f"{place}.output_layer_norm", _EPS)


FAMILY = Family(
    model_types=("distilbert",),
    used=("n_heads", "n_layers"),
    fixed={"activation": tuple(ACTIVATIONS)},
    # Whether positions were learned does not matter: they are among the weights.
    passing=("dim", "hidden_dim", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "pad_token_id"),
    defaults={"n_heads": 12, "n_layers": 6, "activation": "gelu"},
    blocks="n_layers",
    prefixes=("", "distilbert."),
    words=_WORDS,
    unread=r"vocab_(transform|layer_norm|projector)\.|pre_classifier\.|qa_outputs\.|embeddings\.position_ids$",
    enter=enter,
    block=block,
    positions="learned",
)
