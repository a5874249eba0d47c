"""The torch runtime: sentence-transformers modules, fed with token ids that were made above."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.embedding.hub import stay_silent
from qdrant_embed.embedding.model_files import ModelFiles
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import Batch, Runtime, TokenRuntime
from qdrant_embed.errors import MissingExtraError, ModelError
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

PROBE = "Größe matters: a naïve CAFÉ,\tin 42 words — don't 統一 it!"
"""Letters with marks, capitals, signs and another script: what tokenizers disagree on."""


def load(resolved: Resolved) -> Runtime | TokenRuntime:
    """Load a model's weights, in float32, onto the best device there is.

    :raises ModelError: The weights do not fit the configuration, or need code that comes with the model.
    """
    if resolved.files is None:
        raise ModelError(f"the preset {resolved.preset.name!r} names no weights; give it a source.")
    model = _load_modules(resolved.files)
    _require_same_tokens(model, resolved.files)
    if resolved.files.plain and resolved.preset.pooling != "none":
        return TorchTokenRuntime(model)
    return TorchSentenceRuntime(model)


def _load_modules(files: ModelFiles) -> Any:
    stay_silent()
    try:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Transformer
    except ImportError as error:
        raise MissingExtraError("this model", str(error.name), "sentence-transformers>=6") from error
    try:
        with _quiet():
            settings = {"use_safetensors": True, "dtype": torch.float32}
            source = str(files.folder)
            if (files.folder / "modules.json").exists():
                model = SentenceTransformer(
                    source, trust_remote_code=False, local_files_only=True, model_kwargs=settings
                )
            else:
                # Left to itself, sentence-transformers would add mean pooling of its own accord.
                offline = {"local_files_only": True, "trust_remote_code": False}
                transformer = Transformer(
                    source, model_kwargs=settings | offline, processor_kwargs=offline, config_kwargs=offline
                )
                model = SentenceTransformer(modules=[transformer])
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ModelError(
            f"the model in {files.folder} could not be loaded: {reason}. If it needs code of its own, that code is not "
            "run; choose a model that transformers knows."
        ) from error
    log.info("loaded %s on %s", files.folder.name, model.device)
    return model.eval()


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
    theirs = model.tokenizer(PROBE, truncation=False)["input_ids"]
    ours = files.tokenizer().encode(PROBE, add_special_tokens=True).ids
    if list(theirs) != list(ours):
        raise ModelError(
            f"tokenizer.json in {files.transformer} gives other tokens than the tokenizer that transformers builds "
            "from that folder, so vectors would be wrong. Save it anew: "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)."
        )


class _Torch:
    """What both forms share: arrays to tensors on the model's device."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def _features(self, batch: Batch) -> dict[str, torch.Tensor]:
        import torch

        device = self._model.device
        return {
            "input_ids": torch.from_numpy(batch.ids).to(device),
            "attention_mask": torch.from_numpy(batch.mask).to(device),
        }


class TorchTokenRuntime(_Torch):
    """For a transformer that only needs pooling and normalising: both are done above."""

    def token_states(self, batch: Batch) -> FloatArray:
        """Return the last layer's states (n, tokens, dim)."""
        import torch

        with torch.inference_mode():
            states = self._model[0](self._features(batch))["token_embeddings"]
        return np.asarray(states.float().cpu().numpy(), np.float32)


class TorchSentenceRuntime(_Torch):
    """For models with further modules (a dense layer, two poolings …): all of them are run but a last normalisation.

    That one is done above, once dimensions have been cut and windows averaged.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        modules = list(model.children())
        self._modules = modules[:-1] if type(modules[-1]).__name__ == "Normalize" else modules

    def sentence(self, batch: Batch) -> FloatArray:
        """Return sentence vectors (n, dim)."""
        import torch

        features: dict[str, Any] = {**self._features(batch), "prompt_length": batch.prompted}
        with torch.inference_mode():
            for module in self._modules:
                features = module(features)
        return np.asarray(features["sentence_embedding"].float().cpu().numpy(), np.float32)
