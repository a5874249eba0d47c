"""Models converted for OpenVINO.

Files, in reading order: graph_edit, requests, int8, padding_attention, gated_layers, traced,
stored_graphs, runtime.
"""
