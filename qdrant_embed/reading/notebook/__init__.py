"""Jupyter notebooks as Markdown.

Files, in reading order: outputs, cells.
"""
