"""What an ingest would do, without doing it.

Files, in reading order: chunk_preview, dry_run.
"""
