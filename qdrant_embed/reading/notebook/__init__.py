"""Jupyter notebooks as Markdown."""
