"""A loaded transformer, changed so that it reads longer texts.

Only this package of the station imports torch at its head: import it where a model is loaded, not before.

Files, in reading order: forward_context, mpnet_attention, self_extend_attention, attention, absolute_positions,
rotary_positions.
"""
