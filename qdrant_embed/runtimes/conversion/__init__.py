"""Conversions of models: made once, compared with the model, kept on disk."""
