"""From a model's folder to a graph: states, pooling and the modules behind it, `input_ids` and `attention_mask` in."""

from __future__ import annotations

from dataclasses import dataclass

import openvino

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.model_folder import states_width
from qdrant_embed.models.resolve import ResolvedModel, pooling_only, pools_inside
from qdrant_embed.runtimes.families.brought_graph import read_states
from qdrant_embed.runtimes.families.builder import Builder
from qdrant_embed.runtimes.families.family import HEADS, Family, Node
from qdrant_embed.runtimes.families.heads import build_head
from qdrant_embed.runtimes.families.known_families import brought_file, family_of, stated_config, unbuilt
from qdrant_embed.runtimes.families.weights import Weights


@dataclass(frozen=True, slots=True)
class BuiltGraph:
    """A model that takes `input_ids` and `attention_mask`, both (n, tokens) int64; its constants are views of files.

    :param pooled: Whether (n, dim) comes out, rather than token states (n, tokens, dim).
    """

    model: openvino.Model
    pooled: bool


def build(resolved: ResolvedModel, *, pooled: bool = True) -> BuiltGraph:
    """Build a model of a family that is known here, or end the graph that its folder brings.

    :param pooled: Whether to pool inside, where that is possible.
    :raises ModelError: It is of none, or its weights do not fit its configuration.
    :raises ConfigurationError: It has fewer blocks than are asked for, or states are that no block makes.
    """
    brought = brought_file(resolved)
    builder, output = _family_states(resolved) if brought is None else read_states(resolved, brought)
    modules = not pooling_only(resolved)
    inside = modules or (pooled and pools_inside(resolved))
    if modules:
        output = build_head(builder, output, resolved.require_files())
    elif inside:
        output = builder.pool(output, resolved.preset.pooling)
    return BuiltGraph(builder.model(output, "vectors" if inside else "states"), inside)


def _family_states(resolved: ResolvedModel) -> tuple[Builder, Node]:
    why_not, files = unbuilt(resolved), resolved.require_files()
    config = stated_config(resolved)
    family = family_of(str(config.get("model_type")))
    if why_not or family is None:
        raise ModelError(f"{resolved.preset.name!r} cannot be built for OpenVINO: {why_not}.")
    stated = {key: value for key, value in config.items() if value is not None}
    weights = Weights.read(files.transformer, family.prefixes, family.words)
    weights.tensor(family.words, stated.get("vocab_size", -1), states_width(files.transformer) or -1)
    weights.rename(family.published)
    if files.adapter is not None:
        weights.add(files.adapter)
    builder = Builder({**family.defaults, **stated}, weights, resolved.preset, resolved.extension_plan)
    output = _states(builder, family)
    weights.require_all_used(f"{HEADS}|{family.unread}")
    return builder, output


def _states(builder: Builder, family: Family) -> Node:
    """Return the states that a preset pools, (n, tokens, dim); layers side by side are (n, tokens, layers · dim).

    All blocks are built, also where fewer are run, so that every tensor is asked for; OpenVINO takes what it needs.
    """
    preset, there = builder.preset, int(builder.config[family.blocks])
    states, number = preset.states or "last", preset.layers or there
    if preset.layers and states in ("first", "input"):
        raise ConfigurationError(
            f"{preset.name!r}: states = {states!r} runs no block, so layers={preset.layers} has no meaning; leave one "
            "of them out."
        )
    if number > there:
        raise ConfigurationError(f"layers={number}: the model has {there} blocks; give at most that many.")
    layers = [family.enter(builder)]
    for block in range(there):
        layers.append(family.block(builder, layers[-1], block))
    if family.finish is not None:
        # Above the last block alone: the states of inner ones were never normalized by it (2DMSE, section 3).
        layers[-1] = family.finish(builder, layers[-1])
    if states == "first":
        return builder.embedding(builder.ids, family.words)
    run = layers[1 : number + 1]
    if states in ("last", "input"):
        return run[-1] if states == "last" else layers[0]
    # Highest last, as they are counted.
    return builder.ops.concat(run[-int(states.removeprefix("top")) :] if states.startswith("top") else run, -1)
