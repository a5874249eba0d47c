"""How an ingest gets on: progress, the report at its end, and a watchdog over its stages.

Files, in reading order: report, progress, watchdog.
"""
