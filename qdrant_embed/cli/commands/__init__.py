"""The commands, one in each file.

Files, in reading order: calibrate, doctor, evaluate, export_codes, extend, info, ingest, models, preview, recompress,
search, delete, train_codes, mcp, explore.
"""
