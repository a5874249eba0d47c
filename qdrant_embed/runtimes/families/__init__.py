"""Transformers as OpenVINO graphs, straight from `config.json` and `model.safetensors`: numpy and OpenVINO, no torch.

A family is a page: which configurations it is, how texts enter, one block, what follows the last block. A new one: a
module with a `FAMILY`, and one line in `known_families` for each of its model types.

Files, in reading order: family, mapped_constant, weights, pools, builder, heads, learned_positions, bert, roberta,
distilbert, mpnet, rotary, known_families, brought_graph, built_graph.
"""
