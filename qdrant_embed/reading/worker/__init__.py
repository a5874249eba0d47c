"""The process that reads files, and how it is spoken to.

Files, in reading order: memory, messages, process, stream.
"""
