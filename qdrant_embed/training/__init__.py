"""What learns weights: positions of longer texts, short codes, frequencies of words, paragraph vectors."""

from qdrant_embed.training.extend_positions import Extended, ExtendOptions, extend
from qdrant_embed.training.paragraph_training import train_paragraph_vectors
from qdrant_embed.training.word_frequencies import fit_word_table

__all__ = ["ExtendOptions", "Extended", "extend", "fit_word_table", "train_paragraph_vectors"]
