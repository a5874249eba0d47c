"""A model's files as torch modules: what the torch runtime runs, and what the others convert.

Every choice that changes what a transformer computes (attention, layers, dtype of the weights) is made here, once.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ModelError, first_line
from qdrant_embed.models.files.graph_files import has_weights
from qdrant_embed.models.files.input_length import pads_left
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.layouts import ROUTERS, kind_of_module, route_of
from qdrant_embed.models.files.lora import add_adapter
from qdrant_embed.models.files.model_folder import ModelFiles
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.models.telemetry import stay_silent
from qdrant_embed.native import prepare_torch
from qdrant_embed.runtimes.families.known_families import unbuilt
from qdrant_embed.runtimes.out_of_memory import is_out_of_memory
from qdrant_embed.runtimes.torch.architecture import load_text_side, select_states, shape
from qdrant_embed.runtimes.torch.missing_weights import require_all_weights

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

PROBE = "Größe matters: a naïve CAFÉ,\tin 42 words — don't 統一 it!"
"""Letters with marks, capitals, signs and another script: what tokenizers disagree on."""


def load_model(resolved: ResolvedModel, *, dtype: str = "float32", device: str = "") -> Any:
    """Return the model as a `SentenceTransformer`: all of its modules, in order.

    :param dtype: Of the weights, from the first byte on: a model of 7 billion in float32 would need twice the memory
        that it takes as bfloat16. What positions are computed from stays in float32 all the same: with the eight bits
        of bfloat16 a frequency is off by 0.4 %, which a few hundred tokens on is more than a radian.
    :param device: Where it goes; empty for the best there is.
    :raises ModelError: The weights do not fit the configuration or into memory, or need code that comes with the model.
    :raises MissingExtraError: torch, transformers or sentence-transformers is not installed.
    """
    files, preset = resolved.require_files(), resolved.preset
    if not has_weights(files.transformer):
        raise ModelError(
            f"{preset.name!r}: its folder holds a graph and no weights, which openvino runs as it is; there is no "
            "other runtime for it, and no other layers, states, attention or length. Leave them out, or give weights."
        )
    prepare_torch(use_of_torch(resolved))
    with _readable_as(files, preset.architecture) as folder:
        model = _load_modules(files, folder, dtype=dtype, device=device)
    model = _one_side(model, files) if files.side else model
    if files.adapter is not None:
        add_adapter(model[0].model, files.adapter)
    tuned = preset.short_factor > 1 or preset.scale_from > 0 or preset.states not in ("", "last")
    if resolved.extension_plan or preset.attention or preset.layers or tuned:
        try:
            shape(model[0].model, preset, resolved.extension_plan)
        except (AttributeError, TypeError) as error:
            raise ModelError(f"{preset.name!r}: attention, layers and states are for transformers only.") from error
    _require_same_tokens(model, files)
    return model


def use_of_torch(resolved: ResolvedModel) -> str:
    """Return what torch is needed for."""
    name, extension_plan = resolved.preset.name, resolved.extension_plan
    if extension_plan is not None and extension_plan.extension.method == "selfextend":
        return f"the model {name!r} with the extension 'selfextend'"
    why = unbuilt(resolved)
    return f"the model {name!r}, since {why}," if why else f"the model {name!r}, which torch runs or converts,"


def _one_side(model: Any, files: ModelFiles) -> Any:
    """Return the modules that texts of one side go through, those on its route in the place of a router."""
    from sentence_transformers import SentenceTransformer

    chain: list[Any] = []
    for module, stated in zip(model.children(), read_json(files.folder / "modules.json"), strict=True):
        routed = kind_of_module(stated["type"]) in ROUTERS
        chain += module.sub_modules[route_of(files.folder, stated, files.side)] if routed else [module]
    return SentenceTransformer(modules=chain, device=str(model.device)).eval()


def without_last_normalization(model: Any) -> list[Any]:
    """Return the modules of a `SentenceTransformer` but a last one that brings the vector to unit length.

    That is done above, once dimensions have been cut and windows averaged.
    """
    modules = list(model.children())
    last = modules[-1]
    names = {getattr(last, f"module_{side}_name", "sentence_embedding") for side in ("input", "output")}
    return modules[:-1] if type(last).__name__ == "Normalize" and names == {"sentence_embedding"} else modules


def load_copies(resolved: ResolvedModel, devices: Sequence[str], *, dtype: str) -> list[Any]:
    """Return the model once for each device. Read once, and copied from the memory of the processor.

    :raises ModelError: As of `load_model`.
    """
    model = load_model(resolved, dtype=dtype, device="cpu")
    with _explained(resolved.require_files(), dtype):
        return [copy.deepcopy(model).to(device) for device in devices]


def load_encoder(resolved: ResolvedModel) -> Any:
    """Return a sparse or multi-vector model in float32, as a `SparseEncoder` or a `MultiVectorEncoder`.

    :raises ModelError: As of `load_model`; or a part of it would be made up, since the files hold no such model.
    :raises MissingExtraError: As of `load_model`.
    """
    files, kind = resolved.require_files(), resolved.preset.kind
    prepare_torch(f"the {kind} model {resolved.preset.name!r}")
    if files.adapter is not None:
        raise ModelError(f"{resolved.preset.name!r}: adapters are for dense models only, and it is a {kind} one.")
    _require_head(files, kind)
    with _readable_as(files, resolved.preset.architecture) as folder:
        model = _load_modules(files, folder, kind)
    for start in starts(model):
        _require_same_tokens(start, files)
        expands = getattr(start, "query_expansion", None)
        if not expands and not pads_left(files.transformer, resolved.preset.padding):
            start.tokenizer.padding_side = "right"
    return model


def starts(model: Any) -> list[Any]:
    """Return the modules of a model that texts meet first: one, or one for each route of a router."""
    first = model[0]
    return [route[0] for route in first.sub_modules.values()] if hasattr(first, "sub_modules") else [first]


def _require_head(files: ModelFiles, kind: str) -> None:
    """Refuse a bare transformer: sentence-transformers would put a projection of random numbers on top of it."""
    if files.layout is not None and files.layout.kind == kind:
        return
    architectures = read_json(files.transformer / "config.json").get("architectures") or ()
    if kind != "sparse" or not any(name.endswith("ForMaskedLM") for name in architectures):
        raise ModelError(
            f"the files in {files.folder} hold no {kind} model: there is no modules.json, and config.json names "
            f"{', '.join(architectures) or 'no architecture'}."
        )


@contextmanager
def _readable_as(files: ModelFiles, architecture: str) -> Iterator[Path]:
    """Yield the model's folder; if its type is one of its own, a view of it that bears the type given instead."""
    config = read_json(files.transformer / "config.json")
    if architecture in ("", config.get("model_type")) and "auto_map" not in config:
        yield files.folder
        return
    with TemporaryDirectory(prefix="qdrant-embed-") as temporary:
        view = Path(temporary)
        for path in files.folder.rglob("*"):
            inside = view / path.relative_to(files.folder)
            if path.is_dir():
                inside.mkdir(parents=True, exist_ok=True)
            elif path.suffix in (".json", ".safetensors", ".txt", ".model", ".jinja"):
                inside.parent.mkdir(parents=True, exist_ok=True)
                inside.symlink_to(path.resolve())
        stated = view / files.transformer.relative_to(files.folder) / "config.json"
        stated.unlink()
        native = {key: value for key, value in config.items() if key not in ("auto_map", "architectures")}
        stated.write_text(json.dumps(native | {"model_type": architecture or config.get("model_type")}))
        yield view


def token_module(model: Any, states: str = "last") -> torch.nn.Module:
    """Return the first module of a `SentenceTransformer` with tensors in and one tensor out.

    :param states: Which states come out, as in `Preset`.
    """
    import torch

    class TokenStates(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0]

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            if states not in ("", "last"):
                return select_states(self.transformer.model, states, input_ids, attention_mask)
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            last: torch.Tensor = self.transformer(features)["token_embeddings"]
            return last

    return TokenStates().eval()


def _load_modules(
    files: ModelFiles, folder: Path, kind: str = "dense", *, dtype: str = "float32", device: str = ""
) -> Any:
    stay_silent()
    import torch
    from sentence_transformers import MultiVectorEncoder, SentenceTransformer, SparseEncoder
    from sentence_transformers.sentence_transformer.modules import Transformer

    settings = {"use_safetensors": True, "dtype": getattr(torch, dtype)}
    source, place = str(folder), device or None
    pooler = "pooler_output" in json.dumps(read_json(files.transformer / "sentence_bert_config.json"))
    with _explained(files, dtype), _quiet(), require_all_weights(files.folder, pooler=pooler):
        if kind != "dense" or (folder / "modules.json").exists():
            encoders = {"dense": SentenceTransformer, "sparse": SparseEncoder, "multivector": MultiVectorEncoder}
            offline = {"trust_remote_code": False, "local_files_only": True}
            model = encoders[kind](source, device=place, model_kwargs=settings, **offline)
        else:
            # Left to itself, sentence-transformers would add mean pooling of its own accord.
            model = SentenceTransformer(modules=[_bare(folder, Transformer, settings)], device=place)
    log.info("loaded %s on %s", files.folder.name, model.device)
    return model.eval()


@contextmanager
def _explained(files: ModelFiles, dtype: str) -> Iterator[None]:
    """Say of whatever goes wrong while a model is loaded which model that was, and what to do."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        reason = first_line(error)
        if not is_out_of_memory(error):
            raise ModelError(
                f"the model in {files.folder} could not be loaded: {reason}. If it needs code of its own, that code is "
                "not run; choose a model that transformers knows."
            ) from error
        size = sum(path.stat().st_size for path in files.folder.rglob("*.safetensors")) / 2**30
        half = "the runtime torch:bf16, which takes half of what float32 does, or " if dtype == "float32" else ""
        raise ModelError(
            f"memory does not suffice to load the model in {files.folder} as {dtype}; its files hold {size:.1f} GiB of "
            f"weights ({reason}). Give {half}a smaller model; or type export CUDA_VISIBLE_DEVICES= where only the "
            "GPU is too small for it."
        ) from error


def _bare(folder: Path, transformer: Any, settings: dict[str, Any]) -> Any:
    """Return the first module for a folder without `modules.json`."""
    if "vision_config" in read_json(folder / "config.json"):
        return load_text_side(folder, settings["dtype"])
    offline = {"local_files_only": True, "trust_remote_code": False}
    return transformer(str(folder), model_kwargs=settings | offline, processor_kwargs=offline, config_kwargs=offline)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the bar that counts tensors off the terminal; ours counts documents."""
    from transformers.utils import logging as transformers_logging

    theirs: Any = transformers_logging
    shown = theirs.is_progress_bar_enabled()
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            theirs.enable_progress_bar()


def _require_same_tokens(model: Any, files: ModelFiles) -> None:
    """Compare our reading of `tokenizer.json` with what transformers makes of the whole folder."""
    special = hasattr(model, "max_seq_length")  # a table of terms is asked without them
    # Not verbose: it would tell the user that the probe, which the model is not given, is too long for it.
    theirs = model.tokenizer(PROBE, truncation=False, add_special_tokens=special, verbose=False)["input_ids"]
    ours = files.token_counter().tokenizer.encode(PROBE, add_special_tokens=special).ids
    if list(theirs) != list(ours):
        raise ModelError(
            f"tokenizer.json in {files.transformer} gives other tokens than the tokenizer that transformers builds "
            "from that folder, so vectors would be wrong. Save it anew: "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)."
        )
