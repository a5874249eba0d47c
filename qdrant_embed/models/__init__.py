"""Which model, and what its files and its preset say of it.

Files, in reading order: presets, files, fingerprint, preset_checks, preset_files, prompts, telemetry,
fastembed_catalog, hub, validation, resolve, availability, catalog, identity, long_context_support.
"""
