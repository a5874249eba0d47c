"""Cross-encoders: models that read a question and a passage together, and say how well the one answers the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.errors import ConfigurationError, ModelError, first_line
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.hub.downloads import fetch
from qdrant_embed.models.telemetry import stay_silent
from qdrant_embed.native import Once, make_lock, prepare_torch
from qdrant_embed.reranking.base import BatchReranker, RerankContext, rescored
from qdrant_embed.reranking.late_interaction import DEPTH, passage_of
from qdrant_embed.retrieval.hits import Hit

PAIRS = 32
"""Pairs in one forward pass."""


class CrossEncoderReranker(BatchReranker):
    """Scores each hit by a cross-encoder, as sentence-transformers loads and runs it, on torch.

    The score is the model's own: with the usual ones, from 0 to 1, or a logit. A pair that is longer than the model is
    cut at the end of the passage. Weights load at the first hit, from safetensors only, and no code of the model's
    runs.

    :param model: A folder, or an id on the hub.
    :param depth: How many hits are read.
    :raises ConfigurationError: No model is named.
    """

    def __init__(self, model: str | Path, depth: int = DEPTH) -> None:
        if not str(model) or depth < 1:
            raise ConfigurationError(
                f"rerank='cross-encoder:{model}', {depth} hits deep: name a folder or an id on the hub, and one hit or "
                "more; type 'cross-encoder:cross-encoder/ms-marco-MiniLM-L6-v2'."
            )
        self.model, self.depth = str(model), depth
        self._lock, self._loaded = make_lock(), Once(self._load)

    @classmethod
    def from_word(cls, context: RerankContext, argument: str) -> CrossEncoderReranker:
        """Read `cross-encoder:NAME` or `cross-encoder:FOLDER`.

        :raises ConfigurationError: Nothing stands behind the colon.
        """
        return cls(argument)

    def rerank_each(self, queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """See `Reranker`.

        :raises ModelError: The model cannot be loaded, or gives something else than one number for a pair.
        """
        pairs = [(query, passage_of(hit)) for query, hits in zip(queries, found, strict=True) for hit in hits]
        if not pairs:
            return [[] for _ in found]
        model = self._loaded()
        with self._lock:
            scores = np.asarray(model.predict(pairs, batch_size=PAIRS, show_progress_bar=False), np.float64)
        if scores.shape != (len(pairs),) or not np.isfinite(scores).all():
            raise ModelError(
                f"{self.model!r} gave an array of shape {scores.shape} for {len(pairs)} pairs, or values that are not "
                "finite; a cross-encoder that ranks gives one number for each (num_labels = 1)."
            )
        each = iter(scores)
        return [rescored(hits, islice(each, len(hits))) for hits in found]

    def _load(self) -> Any:
        prepare_torch(f"the cross-encoder {self.model!r}")
        folder = Path(self.model) if Path(self.model).is_dir() else fetch(self.model)
        _require_cross_encoder(self.model, folder)
        stay_silent()
        from sentence_transformers import CrossEncoder

        try:
            model = CrossEncoder(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": "float32"},
            )
            model.predict([("a", "a")], show_progress_bar=False)  # with no other thread beside it, see `native`
        except Exception as error:  # safetensors, tokenizers and transformers raise their own
            raise ModelError(f"the cross-encoder {self.model!r} cannot be loaded: {first_line(error)}.") from error
        return model


def _require_cross_encoder(name: str, folder: Path) -> None:
    """Refuse folders of which a part would be made up at random.

    :raises ModelError: It is such.
    """
    if not any(folder.rglob("*.safetensors")):
        raise ModelError(f"{name!r} has no weights as safetensors; pickled ones can run code and are not read.")
    stated = read_json(folder / "config.json").get("architectures") or []
    if not (folder / "modules.json").exists() and not any("SequenceClassification" in one for one in stated):
        raise ModelError(
            f"{name!r} is no cross-encoder: its config.json says {', '.join(stated) or 'no architecture'}, and one for "
            "classifying pairs was expected, such as BertForSequenceClassification."
        )
