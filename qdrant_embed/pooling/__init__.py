"""One vector from the vectors of tokens.

Files, in reading order: token_pooling, token_merging, latent_attention, torch_pooling.
"""
