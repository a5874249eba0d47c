"""Texts longer than the model: which strategy finds what, at what cost."""
