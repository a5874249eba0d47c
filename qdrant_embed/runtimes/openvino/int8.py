"""A model's matrix products in eight bits, on ranges that are read from fixed texts.

Written here since a tool for all networks (NNCF 3.4) took MiniLM no further than a cosine of 0.94 on its worst text,
or 0.994 with every second product left out. With what follows all products are in int8 and it is above 0.996, texts of
a word or two aside:

- Ranges reach from the least to the greatest number seen. A transformer's few huge activations carry its vectors:
  clipping one in ten thousand leaves nothing of them.
- Channels are made even by dividing them, and multiplying the weights, by a power of their range (SmoothQuant, Xiao et
  al. 2023, section 4).
- Hidden units of a feed-forward block whose activations are hundreds of times those of the others stay in floating
  point, as a narrow block beside the wide one (after LLM.int8(), Dettmers et al. 2022, section 3.2; here the units are
  chosen once, so that nothing is looked for while the model runs).
- Ranges are read from random words too: a channel that no sentence moved is one that clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino

from qdrant_embed.concurrency import went_on
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes.conversion.fidelity import batches_of
from qdrant_embed.runtimes.conversion.probe_texts import CALIBRATION
from qdrant_embed.runtimes.openvino.graph_edit import (
    follow_bias,
    inputs_of_products,
    int8_weights,
    levels,
    narrowed,
    scaled,
    weights_of,
)
from qdrant_embed.runtimes.openvino.requests import core
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray

SMOOTHING = 0.7
"""How much of a channel's range goes over into the weights; between 0.5 and 0.8 the worst cosine differs by 0.001."""
FLOAT_SHARE = 24
"""One in so many hidden units of a feed-forward block stays in floating point: 64 of MiniLM's 1536."""
_LEAST = 1e-5
_RANDOM_LENGTHS = (1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 200)
_STEPS = 255


@dataclass(frozen=True, slots=True)
class SeenRanges:
    """What the channels of an activation went through: lowest, highest and mean value, each (channels,)."""

    low: FloatArray
    high: FloatArray
    mean: FloatArray

    @property
    def reach(self) -> FloatArray:
        """Return the greatest distance from zero of each channel."""
        return np.maximum(np.maximum(-self.low, self.high), _LEAST)


def quantize(resolved: ResolvedModel, model: openvino.Model) -> openvino.Model:
    """Put the model's products with constant weights into int8, in place, and return it.

    Attention, softmax and normalization stay as they are.
    """
    grouped = inputs_of_products(model)
    seen = _watch(model, list(grouped), [*batches_of(resolved, CALIBRATION), *batches_of(resolved, _noise(resolved))])
    # The last ones first: the narrow part of a block is made from its products as they were.
    for name, products in reversed(grouped.items()):
        went_on()
        _rewrite(products, seen[name])
    model.validate_nodes_and_infer_types()
    return model


def _noise(resolved: ResolvedModel) -> tuple[str, ...]:
    """Return texts of random words of the model's vocabulary, short ones and long ones."""
    if resolved.files is None:
        return ()
    tokenizer = resolved.files.token_counter().tokenizer
    special = tokenizer.get_added_tokens_decoder()
    ids = np.array(sorted(number for number in tokenizer.get_vocab().values() if number not in special))
    random = np.random.default_rng(0)
    return tuple(tokenizer.decode(random.choice(ids, length).tolist()) for length in (*_RANDOM_LENGTHS,) * 2)


def _watch(model: openvino.Model, names: Sequence[str], batches: Sequence[TokenBatch]) -> dict[str, SeenRanges]:
    """Run the model on batches and return what went into its products, padding left out.

    :param names: Friendly names of the nodes whose first output is watched.
    """
    watched = model.clone()
    nodes = {node.get_friendly_name(): node for node in watched.get_ops()}
    first = len(watched.outputs)
    watched.add_outputs([nodes[name].output(0) for name in names])
    compiled = core().compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    lows: dict[str, FloatArray] = {}
    highs: dict[str, FloatArray] = {}
    sums: dict[str, FloatArray] = {}
    count = 0
    for batch in batches:
        went_on()
        request.infer([batch.ids, batch.mask])
        count += int(batch.mask.sum())
        for place, name in enumerate(names):
            values = request.get_output_tensor(first + place).data[batch.mask == 1]
            lows[name] = np.minimum(lows.get(name, np.inf), values.min(axis=0))
            highs[name] = np.maximum(highs.get(name, -np.inf), values.max(axis=0))
            sums[name] = sums.get(name, 0.0) + values.sum(axis=0)
    return {name: SeenRanges(lows[name], highs[name], sums[name] / np.float32(count)) for name in names}


def _rewrite(products: Sequence[Any], seen: SeenRanges) -> None:
    """Put products that share an input into int8."""
    value = products[0].input_value(0)
    weights = [weights_of(product) for product in products]
    widest = np.argsort(-seen.reach)[: len(seen.reach) // FLOAT_SHARE]
    narrow = narrowed(value, np.sort(widest)) if len(widest) else None
    kept = np.ones(len(seen.reach), bool)
    if narrow is not None:
        kept[widest] = False
    smooth = _smoothing(seen, np.max([np.abs(matrix).max(axis=0) for matrix in weights], axis=0))
    low = min(float((seen.low / smooth)[kept].min()), 0.0)
    high = max(float((seen.high / smooth)[kept].max()), 0.0)
    coded = levels(scaled(value, np.float32(1) / smooth), low, high, _STEPS + 1)
    for product, matrix in zip(products, weights, strict=True):
        whole, step = _int8(matrix * smooth * kept)
        lost = (matrix * kept - whole * step / smooth) @ seen.mean
        extra = [(narrow, matrix[:, np.sort(widest)])] if narrow is not None else []
        follow_bias(product, int8_weights(coded, whole, step), lost, extra)


def _smoothing(seen: SeenRanges, weight_reach: FloatArray) -> FloatArray:
    """Return what each channel is divided by, (channels,)."""
    factors = seen.reach**SMOOTHING / np.maximum(weight_reach, _LEAST) ** (1 - SMOOTHING)
    return np.asarray(factors / np.exp(np.log(factors).mean()), np.float32)


def _int8(matrix: FloatArray) -> tuple[np.ndarray, FloatArray]:
    """Return whole numbers (out, in) from -127 to 127 and the step of each row (out, 1)."""
    step = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), _LEAST * 1e-3) / 127
    return np.rint(matrix / step).clip(-127, 127).astype(np.int8), np.asarray(step, np.float32)
