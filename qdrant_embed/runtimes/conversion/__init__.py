"""Conversions of models: made once, compared with the model, kept on disk.

Files, in reading order: cache_folder, probe_texts, fidelity, convert, converted_runtime.
"""
