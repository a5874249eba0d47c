"""Tiny transformers of every architecture that can be stretched, without files."""

import pytest

TRAINED, TARGET = 16, 64
SMALL = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "initializer_range": 0.4,
    "max_position_embeddings": TRAINED,
    "pad_token_id": 0,
    **dict.fromkeys(("bos_token_id", "cls_token_id"), 1),
    **dict.fromkeys(("eos_token_id", "sep_token_id"), 2),
}
KINDS = {
    "bert": {}, "distilbert": {}, "electra": {}, "albert": {}, "ernie": {},
    "roberta": {}, "xlm-roberta": {}, "camembert": {}, "data2vec-text": {}, "mpnet": {},
    "llama": {}, "qwen2": {}, "qwen3": {}, "gemma": {}, "nomic_bert": {}, "gte": {}, "eurobert": {"mask_token_id": 3},
    "mistral": {"sliding_window": None},
    "phi": {"num_key_value_heads": 2},
    "phi3": {"sliding_window": None},
    "gemma2": {"sliding_window": 6, "query_pre_attn_scalar": 8},
    "gemma3_text": {"sliding_window": 6, "query_pre_attn_scalar": 8, "sliding_window_pattern": 2},
    "modernbert": {"local_attention": 6, "global_attn_every_n_layers": 2},
}  # fmt: skip
BEHIND_PADDING = ("roberta", "xlm-roberta", "camembert", "data2vec-text", "mpnet")


@pytest.fixture(scope="session")
def build():
    """Return a function that gives the same random model each time it is asked for a kind."""

    def make(kind, **changes):
        import torch
        from transformers import AutoConfig, AutoModel

        torch.manual_seed(3)
        settings = {**SMALL, **KINDS[kind]}
        if kind in BEHIND_PADDING:
            settings |= {"max_position_embeddings": TRAINED + 2, "pad_token_id": 1, "bos_token_id": 0}
        return AutoModel.from_config(AutoConfig.for_model(kind, **{**settings, **changes})).eval()

    return make


@pytest.fixture(scope="session")
def extended(build):
    """Return a function that gives such a model, stretched by a strategy."""
    from qdrant_embed.long_context import Extension
    from qdrant_embed.long_context.extension_plan import ExtensionPlan
    from qdrant_embed.models.long_context_support import kind_of
    from qdrant_embed.models.presets import make_preset, preset_defaults
    from qdrant_embed.runtimes.torch.architecture import shape

    preset = make_preset("tiny", preset_defaults())

    def make(kind, extension, *, trained=TRAINED, **changes):
        model = build(kind, **changes)
        positions, _ = kind_of(kind, {}, preset)
        shape(model, preset, ExtensionPlan(Extension.parse(extension), trained, positions))
        return model

    return make


QUERIES = {"bert": "query", "xlm-roberta": "query", "mpnet": ".q", "distilbert": "q_lin", "llama": "q_proj",
           "qwen2": "q_proj", "phi": "q_proj", "gemma2": "q_proj", "modernbert": "Wqkv"}  # fmt: skip
"""Kind of model → how the name of the module ends that makes queries; of three parts where it makes keys and values."""


@pytest.fixture(scope="session")
def sharper():
    """Return a function that multiplies all queries of a model, by its weights."""
    import torch

    def multiply(model, factor):
        kind = model.config.model_type
        with torch.no_grad():
            for name, module in model.named_modules():
                if name.endswith(QUERIES[kind]):
                    rows = slice(0, module.out_features // (3 if kind == "modernbert" else 1))
                    module.weight[rows] *= factor
                    if module.bias is not None:
                        module.bias[rows] *= factor
        return model

    return multiply


@pytest.fixture(scope="session")
def read():
    """Return a function: model, lengths of texts, side of padding → states (n, tokens, dim)."""
    import torch

    def states(model, lengths, side="right", seed=0):
        longest = max(lengths)
        drawn = torch.randint(5, 40, (8, 200), generator=torch.Generator().manual_seed(seed))
        ids = torch.full((len(lengths), longest), model.config.pad_token_id or 0)
        mask = torch.zeros_like(ids)
        for row, length in enumerate(lengths):
            place = slice(0, length) if side == "right" else slice(longest - length, longest)
            ids[row, place] = drawn[row, :length]
            mask[row, place] = 1
        with torch.inference_mode():
            return model(input_ids=ids, attention_mask=mask).last_hidden_state

    return states
