"""Collections written to files for other programs: the codes of their points.

Files, in reading order: code_export.
"""
