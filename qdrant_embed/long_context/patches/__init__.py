"""A loaded transformer, changed so that it reads longer texts.

Only this package of the station imports torch at its head: import it where a model is loaded, not before.
"""
