"""Tables as text: rows as records that carry the names of their fields, and the files of delimited values.

Files, in reading order: dialect, rows, delimited.
"""
