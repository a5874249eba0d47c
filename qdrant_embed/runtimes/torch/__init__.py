"""Models run by PyTorch.

Files, in reading order: architecture, missing_weights, load, graph, runtime.
"""
