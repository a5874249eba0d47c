"""Tiny models with random weights, laid out as on the hub: to prove that presets, runtimes and loaders work, offline.

A tokenizer of each kind is trained on a few sentences, so that lengths, special tokens and prompts behave as in the
real ones. Weights are drawn from a fixed seed and are larger than usual, so that states differ from token to token.
"""
# ruff: noqa: S106 - "<unk>" is no password

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

SENTENCES = (
    "The gates of the harbour open at six in the morning and close at ten at night.",
    "Master keys are rotated every ninety days by the harbour master; a lost key is reported within one hour.",
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: who inspects cranes?",
    "Represent this sentence for searching relevant passages: Crane four lifts at most twelve tons.",
    "query: passage: search_query: search_document: task: search result | title: none | text: classification:",
    "बंदर सकाळी सहा वाजता उघडते।",
    "Liman sabah altıda açılır.",
    "为这个句子生成表示以用于检索相关文章：港口早上六点开放。",
)
"""What the tokenizers are trained on."""
VOCABULARY = 600


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What is particular to an architecture.

    :param tokenizer: `wordpiece`, `bytes` (byte-level BPE) or `unigram`.
    :param start: Special token before every text.
    :param end: Special token after every text.
    :param pad: Special token for padding.
    :param settings: Entries of `config.json` beyond the usual sizes.
    :param more: More special tokens in the vocabulary.
    :param pad_id: The place of `pad` in the vocabulary.
    """

    tokenizer: str
    start: str = ""
    end: str = ""
    pad: str = "<pad>"
    settings: Mapping[str, Any] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    pad_id: int = 0


_BERT = ("wordpiece", "[CLS]", "[SEP]", "[PAD]")
_GROUPED = {"num_key_value_heads": 2, "head_dim": 8}

ARCHITECTURES: Mapping[str, Blueprint] = {
    "bert": Blueprint(*_BERT),
    "distilbert": Blueprint(*_BERT),
    "nomic_bert": Blueprint(*_BERT),
    "modernbert": Blueprint("bytes", "[CLS]", "[SEP]", "[PAD]", {"local_attention": 16}),
    # Its code takes the token 1 for padding, whatever its configuration says.
    "mpnet": Blueprint("wordpiece", "<s>", "</s>", pad_id=1),
    "roberta": Blueprint("bytes", "<s>", "</s>"),
    "xlm-roberta": Blueprint("unigram", "<s>", "</s>"),
    "gte": Blueprint("unigram", "<s>", "</s>"),
    "jina_embeddings_v3": Blueprint("unigram", "<s>", "</s>"),
    "llama": Blueprint("bytes", "<s>", settings=_GROUPED),
    "mistral": Blueprint("bytes", "<s>", "</s>", settings=_GROUPED),
    "phi": Blueprint("bytes"),
    "phi3": Blueprint("bytes", "<s>", settings=_GROUPED),
    "qwen2": Blueprint("bytes", settings=_GROUPED),
    "qwen2_vl": Blueprint("bytes"),
    "qwen3": Blueprint("bytes", end="<|endoftext|>", settings=_GROUPED),
    "gemma2": Blueprint("unigram", "<bos>", "<eos>", settings=_GROUPED),
    "gemma3_text": Blueprint("unigram", "<bos>", "<eos>", settings={**_GROUPED, "sliding_window": 16}),
}
"""Architecture (`model_type` of transformers) → how a tiny one is built."""


def save_tiny_model(
    folder: Path,
    architecture: str = "bert",
    *,
    pooling: str = "mean",
    dense: Sequence[int] = (),
    normalize: bool = True,
    prompts: Mapping[str, str] | None = None,
    **settings: Any,
) -> Path:
    """Save a tiny model in the layout of sentence-transformers and return the folder.

    :param pooling: As sentence-transformers names it; empty for a bare transformers folder, without `modules.json`.
    :param dense: Widths of dense layers after the pooling.
    :param prompts: `query` and `document` prompts for `config_sentence_transformers.json`.
    :param settings: More entries of `config.json`, e.g. `use_bidirectional_attention`; and `padding_side`.
    """
    side = settings.pop("padding_side", "right")
    save_transformer(folder, architecture, padding_side=side, **settings)
    if not pooling:
        return folder
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    modules: list[Any] = [Transformer(str(folder))]
    width = modules[0].get_embedding_dimension()
    modules.append(Pooling(width, pooling))
    for wider in dense:
        modules.append(Dense(width, wider, bias=False))
        width = wider
    modules += [Normalize()] if normalize else []
    SentenceTransformer(modules=modules, device="cpu", prompts=dict(prompts or {})).save_pretrained(str(folder))
    return folder


def save_transformer(
    folder: Path, architecture: str, *, max_tokens: int = 64, padding_side: str = "right", **settings: Any
) -> Path:
    """Save a bare tiny transformer of two blocks and 32 dimensions, with its tokenizer, and return the folder.

    :param max_tokens: Rows of its table of positions, less those that some architectures leave out.
    :param settings: More entries of `config.json`.
    """
    blueprint = ARCHITECTURES[architecture]
    tokenizer = build_tokenizer(blueprint, padding_side, max_tokens)
    build_model(architecture, tokenizer, max_tokens, {**blueprint.settings, **settings}).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_static_model(folder: Path, *, dim: int = 32) -> Path:
    """Save a tiny static model, one vector per token, as sentence-transformers lays it out; return the folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(7)
    table = StaticEmbedding(_trained(ARCHITECTURES["bert"]), embedding_dim=dim)
    SentenceTransformer(modules=[table], device="cpu").save_pretrained(str(folder))
    return folder


def save_word_table(folder: Path, name: str = "vectors.txt", *, dim: int = 32) -> Path:
    """Save the words of the sentences with random vectors, in word2vec's text format; return the folder."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    words = sorted({word.strip(".,;:?|।").lower() for sentence in SENTENCES for word in sentence.split()} - {""})
    rows = np.random.default_rng(7).standard_normal((len(words), dim))
    lines = [f"{len(words)} {dim}"]
    lines += [" ".join([word, *(f"{value:.6f}" for value in row)]) for word, row in zip(words, rows, strict=True)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def edit_json(path: Path, **changes: Any) -> None:
    """Change entries of a JSON file of a model; None removes one."""
    values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = {key: value for key, value in {**values, **changes}.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def build_model(
    architecture: str,
    tokenizer: PreTrainedTokenizerFast,
    max_tokens: int,
    settings: Mapping[str, Any],
    *,
    masked: bool = False,
) -> PreTrainedModel:
    """Return a tiny transformer, not saved yet.

    :param masked: With its head for masked words.
    """
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

    torch.manual_seed(7)
    # These begin to count positions after the padding id; MPNet takes that to be 1 whatever its configuration says.
    begins_after = {"roberta": tokenizer.pad_token_id, "xlm-roberta": tokenizer.pad_token_id, "mpnet": 1}
    offset = begins_after.get(architecture, -1) + 1
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": max_tokens + offset,
        "initializer_range": 0.3,
        "pad_token_id": tokenizer.pad_token_id,
        **dict.fromkeys(("bos_token_id", "cls_token_id"), tokenizer.bos_token_id),
        **dict.fromkeys(("eos_token_id", "sep_token_id"), tokenizer.eos_token_id),
    }
    auto: Any = AutoModelForMaskedLM if masked else AutoModel
    entries = _with_eyes(sizes) if architecture == "qwen2_vl" else sizes | dict(settings)
    model: PreTrainedModel = auto.from_config(AutoConfig.for_model(architecture, **entries)).eval()
    return model


def _with_eyes(sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a vision-language model: those of its text side, and an eye that is never used."""
    rotary = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [1, 1, 2]}
    eye = {"depth": 1, "embed_dim": 16, "num_heads": 2, "hidden_size": 32, "patch_size": 4}
    return {"text_config": {**sizes, "num_key_value_heads": 2, "rope_parameters": rotary}, "vision_config": eye}


def build_tokenizer(
    blueprint: Blueprint, padding_side: str, max_tokens: int, *, mask: str = ""
) -> PreTrainedTokenizerFast:
    """Return a tiny tokenizer, not saved yet.

    :param mask: The token that stands for a masked word.
    """
    from transformers import PreTrainedTokenizerFast

    known = {"pad_token": blueprint.pad, "unk_token": "<unk>"}
    known |= {key: blueprint.start for key in ("bos_token", "cls_token") if blueprint.start}
    known |= {key: blueprint.end for key in ("eos_token", "sep_token") if blueprint.end}
    known |= {"mask_token": mask} if mask else {}
    make: Any = PreTrainedTokenizerFast
    tokenizer: PreTrainedTokenizerFast = make(
        tokenizer_object=_trained(blueprint), padding_side=padding_side, model_max_length=max_tokens, **known
    )
    return tokenizer


def _trained(blueprint: Blueprint) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    special = list(dict.fromkeys(filter(None, ("<unk>", blueprint.start, blueprint.end))))
    special.insert(blueprint.pad_id, blueprint.pad)
    # E2Rank and others write it into their texts.
    special += blueprint.more
    special += [] if "<|endoftext|>" in special else ["<|endoftext|>"]
    trainer: Any
    if blueprint.tokenizer == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    elif blueprint.tokenizer == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=VOCABULARY, special_tokens=special, unk_token="<unk>", show_progress=False
        )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    around = [token for token in (blueprint.start, blueprint.end) if token]
    if around:
        single = " ".join(filter(None, (blueprint.start, "$A", blueprint.end)))
        ids = [(token, tokenizer.token_to_id(token)) for token in around]
        tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=ids)
    return tokenizer
