"""Tiny sparse and multi-vector models with random weights, in the layouts in which the hub has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.testing.tiny_models import ARCHITECTURES, build_model, build_tokenizer, edit_json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

QUERY_MARKER, DOCUMENT_MARKER = "[unused0]", "[unused1]"
MAX_TOKENS = 64


def save_splade(
    folder: Path,
    *,
    layout: str = "modules",
    pooling: str = "max",
    architecture: str = "bert",
    max_tokens: int = MAX_TOKENS,
) -> Path:
    """Save a tiny SPLADE model and return the folder.

    :param layout: `modules` as sentence-transformers saves it; `bare` for a masked language model alone; `router` for
        one whose questions need no transformer, only a weight for each term.
    :param pooling: `max` or `sum`.
    :param architecture: One of those of `tiny_models`.
    """
    from sentence_transformers import SparseEncoder
    from sentence_transformers.base.modules import Router, Transformer
    from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling

    tokenizer = _save_transformer(folder, architecture, max_tokens, masked=True)
    if layout == "bare":
        return folder
    document = [Transformer(str(folder), transformer_task="fill-mask"), SpladePooling(pooling)]
    if layout == "modules":
        SparseEncoder(modules=document, device="cpu").save_pretrained(str(folder))
        return folder
    import torch

    query = SparseStaticEmbedding(tokenizer, torch.linspace(0.1, 3.0, len(tokenizer)))
    router = Router.for_query_document([query], document)
    routed = folder / "routed"
    SparseEncoder(modules=[router], device="cpu").save_pretrained(str(routed))
    return routed


def save_colbert(
    folder: Path,
    *,
    layout: str = "modules",
    dim: int = 8,
    expansion: Mapping[str, Any] | None = None,
    skiplist: Sequence[str] = (".", ","),
    architecture: str = "bert",
) -> Path:
    """Save a tiny ColBERT model and return the folder.

    :param layout: `modules` as sentence-transformers saves it, `pylate`, or `stanford`.
    :param expansion: Query expansion as sentence-transformers writes it; None for none.
    """
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.base.modules.dense import Dense
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    _save_transformer(folder, architecture, MAX_TOKENS)
    torch.manual_seed(11)
    dense = Dense(32, dim, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    if layout == "stanford":
        return _as_stanford(folder, dense.linear.weight, expansion)
    transformer = Transformer(str(folder), document_length=MAX_TOKENS - 8, query_expansion=expansion)
    modules = [transformer, dense, MultiVectorMask(skiplist_words=list(skiplist))]
    prompts = {"query": f"{QUERY_MARKER} ", "document": f"{DOCUMENT_MARKER} "}
    model = MultiVectorEncoder(
        modules=[*modules, Normalize(module_input_name="token_embeddings")], prompts=prompts, device="cpu"
    )
    model.save_pretrained(str(folder))
    return _as_pylate(folder, expansion, skiplist, MAX_TOKENS - 8) if layout == "pylate" else folder


def _save_transformer(
    folder: Path, architecture: str, max_tokens: int, *, masked: bool = False
) -> PreTrainedTokenizerFast:
    """Save a tiny transformer, plain or with its head for masked words; its tokenizer takes markers for plain words."""
    blueprint = replace(ARCHITECTURES[architecture], more=("[MASK]", QUERY_MARKER, DOCUMENT_MARKER))
    tokenizer = build_tokenizer(blueprint, "right", max_tokens, mask="[MASK]")
    build_model(architecture, tokenizer, max_tokens, blueprint.settings, masked=masked).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # As in BERT's own vocabulary: the markers are there, but a text does not spell them.
    stated = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    markers = (QUERY_MARKER, DOCUMENT_MARKER)
    edit_json(
        folder / "tokenizer.json",
        added_tokens=[token for token in stated["added_tokens"] if token["content"] not in markers],
    )
    from transformers import PreTrainedTokenizerFast

    loaded: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder)
    return loaded


def _as_pylate(folder: Path, expansion: Mapping[str, Any] | None, skiplist: Sequence[str], length: int) -> Path:
    """Write the folder as PyLate 1 does: two modules, and everything else at the top of one file."""
    kinds = ("sentence_transformers.models.Transformer", "pylate.models.Dense.Dense")
    places = ("", "1_Dense")
    modules = [
        {"idx": number, "name": str(number), "path": place, "type": kind}
        for number, (place, kind) in enumerate(zip(places, kinds, strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    edit_json(folder / "1_Dense" / "config.json", module_input_name=None, module_output_name=None)
    edit_json(
        folder / "sentence_bert_config.json",
        **dict.fromkeys(("document_length", "query_expansion", "transformer_task", "modality_config")),
        module_output_name=None,
        max_seq_length=length - 1,
        do_lower_case=False,
    )
    edit_json(
        folder / "config_sentence_transformers.json",
        model_type="ColBERT",
        prompts={},
        similarity_fn_name="MaxSim",
        query_prefix=f"{QUERY_MARKER} ",
        document_prefix=f"{DOCUMENT_MARKER} ",
        query_length=expansion["length"] if expansion else 24,
        document_length=length,
        do_query_expansion=expansion is not None,
        attend_to_expansion_tokens=False,
        skiplist_words=list(skiplist),
    )
    return folder


def _as_stanford(folder: Path, projection: Any, expansion: Mapping[str, Any] | None) -> Path:
    """Write the folder as Stanford's ColBERT does: the projection among the weights, settings in one file."""
    from safetensors.torch import load_file, save_file

    weights = {f"bert.{name}": tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    weights["linear.weight"] = projection.detach().contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    edit_json(folder / "config.json", architectures=["HF_ColBERT"])
    metadata = {
        "query_token_id": QUERY_MARKER,
        "doc_token_id": DOCUMENT_MARKER,
        "query_maxlen": expansion["length"] if expansion else None,
        "doc_maxlen": 40,
        "dim": projection.shape[0],
        "mask_punctuation": True,
        "attend_to_mask_tokens": False,
    }
    (folder / "artifact.metadata").write_text(json.dumps(metadata), encoding="utf-8")
    return folder
