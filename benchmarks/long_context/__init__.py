"""Texts that are longer than the model."""
