"""EuroBERT (Boizard et al. 2025, arXiv 2503.05500, section 2.1): Llama whose tokens see all others."""

from dataclasses import replace

from qdrant_embed.runtimes.families.rotary import decoder

FAMILY = replace(
    decoder.FAMILY,
    model_types=("eurobert",),
    passing=(*decoder.FAMILY.passing, "classifier_pooling"),
    defaults={"rms_norm_eps": 1e-5, "hidden_act": "silu", "is_causal": False},
    attentions=("bidirectional",),
)
