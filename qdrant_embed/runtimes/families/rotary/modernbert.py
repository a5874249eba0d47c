"""ModernBERT (Warner et al. 2024, arXiv 2412.13663, section 2.1): two blocks in three see near tokens only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families.family import Family, Node
from qdrant_embed.runtimes.families.rotary.angles import angles_of_kind, rotated
from qdrant_embed.runtimes.families.rotary.decoder_parts import HEADS
from qdrant_embed.runtimes.families.rotary.masks import seen_within
from qdrant_embed.runtimes.families.rotary.rope import FULL, ROPE_ENTRIES, SLIDING, kind_of, stated_rope, unknown_kinds
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_BASES = {FULL: ("global_rope_theta", 160_000.0), SLIDING: ("local_rope_theta", 10_000.0)}


def enter(builder: Builder) -> Node:
    """Return rows of words, normalized."""
    return _norm(builder, builder.embedding(builder.ids, FAMILY.words), "embeddings.norm")


def block(builder: Builder, states: Node, number: int) -> Node:
    """Return the states behind a block; before the first, states are normalized already."""
    place, config, ops = f"layers.{number}", builder.config, builder.ops
    kind = kind_of(config, number, slides=number % config["global_attn_every_n_layers"] != 0)
    bias = bool(config["attention_bias"])
    inner = _norm(builder, states, f"{place}.attn_norm") if number else states
    queries, keys, values = (
        builder.heads(part, config["num_attention_heads"])
        for part in builder.linear_parts(inner, f"{place}.attn.Wqkv", 3, bias=bias)
    )
    dim = config["hidden_size"] // config["num_attention_heads"]
    by = builder.once(kind, lambda: angles_of_kind(builder, kind, _rope(config, kind), dim))
    reach = config["local_attention"] // 2 if kind == SLIDING else None
    queries, keys = (rotated(builder, part, by) for part in (queries, keys))
    seen = builder.attention(queries, keys, values, seen=seen_within(builder, reach, reach))
    states = builder.add(states, builder.linear(seen, f"{place}.attn.Wo", bias=bias))
    inner, bias = _norm(builder, states, f"{place}.mlp_norm"), bool(config["mlp_bias"])
    gate, up = builder.linear_parts(inner, f"{place}.mlp.Wi", 2, bias=bias)
    inner = ops.multiply(builder.activation(gate, "hidden_activation"), up)
    return builder.add(states, builder.linear(inner, f"{place}.mlp.Wo", bias=bias))


def finish(builder: Builder, states: Node) -> Node:
    """Return states normalized a last time."""
    return _norm(builder, states, "final_norm")


def _norm(builder: Builder, states: Node, name: str) -> Node:
    return builder.layer_norm(states, name, builder.config["norm_eps"], bias=bool(builder.config["norm_bias"]))


def _rope(config: Mapping[str, Json], kind: str) -> dict[str, Json]:
    entry, base = _BASES[kind]
    return stated_rope(config, base, kind, theta_entry=entry)


FAMILY = Family(
    model_types=("modernbert",),
    used=(
        *("num_attention_heads", "num_hidden_layers", "hidden_size", "hidden_activation", "norm_eps", "norm_bias"),
        *("attention_bias", "mlp_bias", "local_attention", "layer_types", "global_attn_every_n_layers"),
        *("global_rope_theta", "local_rope_theta", *ROPE_ENTRIES),
    ),
    passing=(
        *("intermediate_size", "pad_token_id", "embedding_dropout", "mlp_dropout", "decoder_bias", "layer_norm_eps"),
        *("classifier_pooling", "classifier_bias", "classifier_activation", "position_embedding_type"),
        *("deterministic_flash_attn", "sparse_prediction", "sparse_pred_ignore_index", "reference_compile"),
        "repad_logits_with_grad",
    ),
    defaults={
        **{"num_attention_heads": 12, "num_hidden_layers": 22, "hidden_size": 768, "hidden_activation": "gelu"},
        **{"norm_eps": 1e-5, "norm_bias": False, "attention_bias": False, "mlp_bias": False, "local_attention": 128},
        **{"global_attn_every_n_layers": 3, "max_position_embeddings": 8192},
    },
    prefixes=("", "model."),
    words="embeddings.tok_embeddings.weight",
    unread=rf"(head|decoder)\.|{HEADS}",
    enter=enter,
    block=block,
    finish=finish,
    positions="rotary",
    unusual=lambda config: unknown_kinds(config, _rope),
)
