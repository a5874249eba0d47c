"""What happens to a text that is longer than the model."""

from qdrant_embed.windowing.extension import FROM, METHODS, SCALE, Extension
from qdrant_embed.windowing.macro import Part, plan_macro_windows
from qdrant_embed.windowing.strategy import CUTS, Window, WindowStrategy

__all__ = ["CUTS", "FROM", "METHODS", "SCALE", "Extension", "Part", "Window", "WindowStrategy", "plan_macro_windows"]
