"""How an ingest gets on: progress, the report at its end, what is kept of its failures, a watchdog over its stages.

Files, in reading order: report, failure_record, failure_ledger, progress, watchdog.
"""
