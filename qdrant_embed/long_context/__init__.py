"""What happens to a text that is longer than the model."""

from qdrant_embed.long_context.extension import FROM, METHODS, SCALE, Extension
from qdrant_embed.long_context.macro_windows import Part, plan_macro_windows
from qdrant_embed.long_context.strategy import CUTS, Window, WindowStrategy

__all__ = ["CUTS", "FROM", "METHODS", "SCALE", "Extension", "Part", "Window", "WindowStrategy", "plan_macro_windows"]
