"""Words as BM25 and the marks in results see them, in every script, and the languages that texts are in.

Files, in reading order: splitter, languages.
"""
