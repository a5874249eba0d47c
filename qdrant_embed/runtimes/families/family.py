"""What an architecture is as a value: the configurations that it covers, and its parts in the order of a forward pass.

Every entry of `config.json` is known or refused: one that changes what is computed, and that nobody read, gives vectors
that are wrong in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qdrant_embed.types import Json

Node = Any
"""A node of an OpenVINO graph."""

_PASSING = frozenset(
    (
        # What wrote the file, and how it is saved.
        *("_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version", "model_type", "auto_map"),
        *("use_cache", "cache_implementation", "tie_word_embeddings", "tie_weights_", "torchscript", "language"),
        # Training.
        *("initializer_range", "gradient_checkpointing", "hidden_dropout_prob", "attention_probs_dropout_prob"),
        *("classifier_dropout", "dropout", "attention_dropout", "hidden_dropout", "embd_pdrop", "resid_pdrop"),
        *("initializer_factor", "initializer_cutoff_factor", "chunk_size_feed_forward", "_attn_implementation"),
        *("_attn_implementation_autoset", "_num_labels", "return_dict", "max_window_layers_trained"),
        # Heads that are not loaded, and generating.
        *("id2label", "label2id", "num_labels", "problem_type", "finetuning_task", "pooler_fc_size", "pooler_type"),
        *("pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "directionality"),
        *("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "mask_token_id", "unk_token_id"),
        *("decoder_start_token_id", "output_past", "pretraining_tp", "sentence_transformers", "max_length"),
        *("matryoshka_dimensions", "matryoshka_dims", "vocab_size", "max_position_embeddings", "output_attentions"),
        *("hidden_size", "intermediate_size", "type_vocab_size", "output_hidden_states", "output_scores"),
        *("do_sample", "early_stopping", "num_beams", "num_beam_groups", "num_return_sequences", "length_penalty"),
        *("repetition_penalty", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "min_length"),
        *("no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "eos_token_ids", "tokenizer_class"),
        *("forced_bos_token_id", "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens", "prefix"),
        *("remove_invalid_values", "return_dict_in_generate", "task_specific_params", "tf_legacy_loss"),
        *("use_bfloat16", "use_return_dict", "cross_attention_hidden_size", "exponential_decay_length_penalty"),
    )
)
"""Entries of `config.json` that change no state; sizes among them, which the shapes of tensors tell."""
_ALWAYS: Mapping[str, tuple[Json, ...]] = {
    "is_decoder": (False,),
    "add_cross_attention": (False,),
    "is_encoder_decoder": (False,),
    "pruned_heads": ({},),
}


ACTIVATIONS: Mapping[str, tuple[str, ...]] = {
    "gelu": ("gelu", "erf"),
    "gelu_python": ("gelu", "erf"),
    "gelu_new": ("gelu", "tanh"),
    "gelu_fast": ("gelu", "tanh"),
    "gelu_pytorch_tanh": ("gelu", "tanh"),
    "relu": ("relu",),
    "silu": ("swish",),
    "swish": ("swish",),
    "tanh": ("tanh",),
}
"""What `config.json` calls an activation → what OpenVINO calls it, and how it is computed."""
_ACTIVATION_ENTRIES = ("hidden_act", "hidden_activation", "activation")


HEADS = r"([a-z_]+\.)?(pooler|cls|lm_head|classifier|score)\."
"""Pattern of the tensors of heads: they give no states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An architecture.

    :param model_types: `model_type` of the configurations that it covers.
    :param used: Entries of `config.json` that its functions read.
    :param fixed: Entry → the values that it covers; left out, or null, is covered too.
    :param passing: Entries that change no state, beside those that change none in any family.
    :param defaults: Entry → what it is where `config.json` does not say.
    :param blocks: The entry that counts blocks.
    :param prefixes: What the names of its tensors may begin with.
    :param words: Tensor of the rows of words.
    :param unread: Pattern of tensors that give no state, beside those of heads.
    :param enter: Builder → what the first block is given.
    :param block: Builder, states and the number of the block → states.
    :param finish: Builder and the states of the very last block → states; None where nothing follows it.
    :param positions: `learned` or `rotary`: which methods for longer texts it can be built with; empty for none.
    :param attentions: What tokens may see, of `causal` and `bidirectional`; the usual one is first.
    :param unusual: Configuration → why it is not covered, where single entries do not tell; empty if it is.
    :param published: Pattern of a name that files were published with → the names used here; several where parts lie
        one below the other in one tensor.
    """

    model_types: tuple[str, ...]
    used: tuple[str, ...]
    enter: Callable[[Any], Node]
    block: Callable[[Any, Node, int], Node]
    words: str
    prefixes: tuple[str, ...]
    unread: str = r"(?!)"
    fixed: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    passing: tuple[str, ...] = ()
    defaults: Mapping[str, Json] = field(default_factory=dict)
    blocks: str = "num_hidden_layers"
    finish: Callable[[Any, Node], Node] | None = None
    positions: str = ""
    attentions: tuple[str, ...] = ("bidirectional",)
    unusual: Callable[[Mapping[str, Json]], str] | None = None
    published: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def unsupported(self, config: Mapping[str, Json]) -> str:
        """Return why a configuration is not one that this family describes; empty if it is."""
        for key, value in config.items():
            if key in self.used and key in _ACTIVATION_ENTRIES and value not in (None, *ACTIVATIONS):
                return f"its activation is {value!r}; built here are {', '.join(ACTIVATIONS)}"
            if value is None or key in _PASSING or key in self.passing or key in self.used:
                continue
            allowed = {**_ALWAYS, **self.fixed}.get(key)
            if allowed is None:
                return f"its config.json has an entry that is not known here ({key})"
            if value not in allowed:
                return f"its config.json has {key}={value!r}, and only {' or '.join(map(repr, allowed))} is built here"
        return self.unusual(config) if self.unusual is not None else ""
