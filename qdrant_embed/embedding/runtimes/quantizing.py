"""A converted model in eight bits: post-training quantisation by NNCF, its ranges read from fixed texts."""

from __future__ import annotations

import contextlib
import io
import logging
from typing import TYPE_CHECKING, Any

from qdrant_embed.embedding.fidelity import batches_of
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.silence import silence_openvino
from qdrant_embed.embedding.specimens import CALIBRATION
from qdrant_embed.errors import MissingExtraError

if TYPE_CHECKING:
    import openvino


def quantize(resolved: Resolved, model: openvino.Model) -> openvino.Model:
    """Return the model with its matrix products in int8; attention, softmax and normalisation stay as they are.

    So do the products whose result is added to the residual stream (the output of attention and of the feed-forward
    block): what stands before them has outliers, in a handful of channels, that one range for all channels drowns the
    rest in. With them in int8, MiniLM's worst cosine is 0.94; without, 0.994.

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
            ignored_scope=nncf.IgnoredScope(
                names=residual_products(model), types=["ScaledDotProductAttention", "Gather"], validate=False
            ),
        )


def residual_products(model: openvino.Model) -> list[str]:
    """Return the names of the matrix products whose result, its bias added, goes into a sum with the residual."""
    return [op.get_friendly_name() for op in model.get_ordered_ops() if _is(op, "MatMul") and _joins_residual(op)]


def _joins_residual(product: Any) -> bool:
    if not _is_constant(product.input_value(1).get_node()):
        return False
    users = _users(product)
    biased = [user for user in users if _is(user, "Add") and any(map(_is_constant, _inputs(user)))]
    return any(
        _is(user, "Add") and not any(map(_is_constant, _inputs(user)))
        for node in (product, *biased)
        for user in _users(node)
    )


def _users(node: Any) -> list[Any]:
    return [target.get_node() for target in node.output(0).get_target_inputs()]


def _inputs(node: Any) -> list[Any]:
    return [value.get_node() for value in node.input_values()]


def _is(node: Any, kind: str) -> bool:
    return bool(node.get_type_name() == kind)


def _is_constant(node: Any) -> bool:
    """Tell whether a value is one of the model's own, perhaps through a cast or a change of shape."""
    while _is(node, "Convert") or _is(node, "Reshape"):
        node = node.input_value(0).get_node()
    return _is(node, "Constant")
