"""What learns weights: positions of longer texts, short codes, frequencies of words, paragraph vectors.

Files, in reading order: position_table, sample_passages, extend_positions, word_decoder, learned_codes,
paragraph_training, collection_codes, word_frequencies.

Public: `extend` with `ExtendOptions` and `ExtendedModel`, `fit_word_table`, `train_paragraph_vectors`.
"""

from qdrant_embed.training.extend_positions import ExtendedModel, ExtendOptions, extend
from qdrant_embed.training.paragraph_training import train_paragraph_vectors
from qdrant_embed.training.word_frequencies import fit_word_table

__all__ = ["ExtendOptions", "ExtendedModel", "extend", "fit_word_table", "train_paragraph_vectors"]
