"""Tokenizers made of a vocabulary: BERT's here, where the files leave no doubt about it, others by transformers.

(Devlin et al. 2018, arXiv 1810.04805; the steps are those of the tokenizer that transformers makes of `vocab.txt`.)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.extras import require_extra
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.tokens import HuggingFaceTokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = "vocab.txt"
_VOCABULARIES = ("vocab.txt", "vocab.json", "*.model")
_CLASSES = tuple(f"{family}Tokenizer{kind}" for family in ("Bert", "DistilBert") for kind in ("", "Fast"))
_TYPES = ("bert", "distilbert")
_SPECIAL: Mapping[str, str] = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
"""Token with a meaning → what it is where the files do not say."""
_USED = ("do_lower_case", "strip_accents", "tokenize_chinese_chars", "tokenizer_class", *_SPECIAL)
_PASSING = (
    *("model_max_length", "max_len", "name_or_path", "special_tokens_map_file", "padding_side", "truncation_side"),
    *("clean_up_tokenization_spaces", "model_input_names", "backend", "is_local", "local_files_only", "tokenizer_file"),
    *("max_length", "stride", "truncation_strategy", "pad_to_multiple_of", "pad_token_type_id", "padding_strategy"),
)
"""Entries of `tokenizer_config.json` that change no token."""
_USUAL: Mapping[str, tuple[Any, ...]] = {
    "do_basic_tokenize": (True,),
    "never_split": ([],),
    "extra_special_tokens": ([], {}),
    "additional_special_tokens": ([],),
    "wordpieces_prefix": ("##",),
}


def wordpiece_tokenizer(folder: Path) -> Tokenizer | None:
    """Return the tokenizer of a folder that has `vocab.txt`; None where that alone does not decide it."""
    settings = read_json(folder / "tokenizer_config.json")
    kind, model_type = settings.get("tokenizer_class"), read_json(folder / "config.json").get("model_type")
    if not (folder / VOCABULARY).is_file() or (kind not in _CLASSES if kind else model_type not in _TYPES):
        return None
    words = (folder / VOCABULARY).read_text(encoding="utf-8").split("\n")
    vocabulary = {word: number for number, word in enumerate(words[:-1] if words[-1] == "" else words)}
    special = _special_tokens(folder, settings)
    if (
        not special
        or not set(special.values()) <= set(vocabulary)
        or not _is_usual(folder, settings, special, vocabulary)
    ):
        return None
    return _made(vocabulary, special, settings)


def _is_usual(
    folder: Path, settings: Mapping[str, Any], special: Mapping[str, str], vocabulary: Mapping[str, int]
) -> bool:
    """Tell whether nothing is stated that is not read here."""
    stated = {key: value for key, value in settings.items() if value is not None and key not in (*_USED, *_PASSING)}
    added = {str(entry.get("content")): int(number) for number, entry in stated.pop("added_tokens_decoder", {}).items()}
    added |= read_json(folder / "added_tokens.json")
    known = all(token in special.values() and vocabulary[token] == number for token, number in added.items())
    return known and all(value in _USUAL.get(key, ()) for key, value in stated.items())


def _special_tokens(folder: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the tokens with a meaning; empty if the files contradict each other, or spaces beside one count."""
    found = {}
    for key, usual in _SPECIAL.items():
        stated = [file[key] for file in (settings, read_json(folder / "special_tokens_map.json")) if file.get(key)]
        if any(isinstance(token, dict) and (token.get("lstrip") or token.get("rstrip")) for token in stated):
            return {}
        names = {str(token["content"] if isinstance(token, dict) else token) for token in stated} or {usual}
        if len(names) > 1:
            return {}
        found[key] = names.pop()
    return found


def _made(vocabulary: dict[str, int], special: Mapping[str, str], settings: Mapping[str, Any]) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.WordPiece(vocabulary, unk_token=special["unk_token"]))
    made.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=settings.get("tokenize_chinese_chars", True),
        strip_accents=settings.get("strip_accents"),
        lowercase=settings.get("do_lower_case", True),
    )
    made.pre_tokenizer, made.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece(prefix="##")
    made.add_special_tokens(list(special.values()))
    start, end = special["cls_token"], special["sep_token"]
    made.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B:1 {end}:1",
        special_tokens=[(token, vocabulary[token]) for token in (start, end)],
    )
    return made


def made_of_vocabulary(transformer: Path) -> Tokenizer | None:
    """Return the fast tokenizer that is made of `vocab.txt` and its like; None if none can.

    :raises MissingExtraError: There is such a file, and no transformers.
    """
    if not any(any(transformer.glob(pattern)) for pattern in _VOCABULARIES):
        return None
    known = wordpiece_tokenizer(transformer)
    if known is not None:
        return known
    require_extra(f"the tokenizer in {transformer}, which has no tokenizer.json,", "torch", "transformers")
    from transformers import AutoTokenizer

    auto: Any = AutoTokenizer
    try:
        made = auto.from_pretrained(transformer, local_files_only=True, trust_remote_code=False)
    except Exception:  # whatever is wrong with a folder: what it lacks is said afterwards
        return None
    return HuggingFaceTokens(made.backend_tokenizer).tokenizer if made.is_fast else None
