"""A collection made anew in another form while it goes on answering.

Files, in reading order: catch_up, recompression.
"""
