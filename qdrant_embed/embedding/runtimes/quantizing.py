"""A converted model in eight bits: post-training quantisation by NNCF, its ranges read from fixed texts."""

from __future__ import annotations

import contextlib
import io
import logging
from typing import TYPE_CHECKING

from qdrant_embed.embedding.fidelity import batches_of
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.silence import silence_openvino
from qdrant_embed.embedding.specimens import CALIBRATION
from qdrant_embed.errors import MissingExtraError

if TYPE_CHECKING:
    import openvino


def quantize(resolved: Resolved, model: openvino.Model) -> openvino.Model:
    """Return the model with its matrix products in int8; attention, softmax and normalisation stay as they are.

    Ranges of activations are made even by scaling channels against the weights (SmoothQuant, Xiao et al. 2023, section
    4), and read from texts that reach from nothing at all to a full window: a range that no calibration text needed is
    one that clips, and the empty text is the first to be spoiled by it.

    :raises MissingExtraError: NNCF is not installed.
    """
    silence_openvino()
    try:
        import nncf
    except ImportError as error:
        raise MissingExtraError("the runtime 'openvino:int8'", "nncf", "qdrant-embed[openvino-int8]") from error
    nncf.set_log_level(logging.ERROR)
    rows = [
        [batch.ids[row : row + 1, batch.mask[row] == 1], batch.mask[row : row + 1, batch.mask[row] == 1]]
        for batch in batches_of(resolved, CALIBRATION)
        for row in range(len(batch.ids))
    ]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return nncf.quantize(
            model,
            nncf.Dataset(rows),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(rows),
            ignored_scope=nncf.IgnoredScope(types=["ScaledDotProductAttention"], validate=False),
        )
