"""What happens to a text that is longer than the model."""

from qdrant_embed.windowing.extension import METHODS, SCALE, Extension
from qdrant_embed.windowing.macro import Part, plan_macro_windows
from qdrant_embed.windowing.strategy import CUTS, Window, WindowStrategy

__all__ = ["CUTS", "METHODS", "SCALE", "Extension", "Part", "Window", "WindowStrategy", "plan_macro_windows"]
