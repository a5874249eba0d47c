"""What happens to a text that is longer than the model.

Files, in reading order: extension, positions, extension_plan, patches, strategy, macro_windows.

Public: `WindowStrategy` (with `CUTS`), `Extension` (with `METHODS`, `SCALE` and `FROM`), `plan_macro_windows` (with
`Part`), and `TokenSpan`.
"""

from qdrant_embed.long_context.extension import FROM, METHODS, SCALE, Extension
from qdrant_embed.long_context.macro_windows import Part, plan_macro_windows
from qdrant_embed.long_context.strategy import CUTS, WindowStrategy

__all__ = ["CUTS", "FROM", "METHODS", "SCALE", "Extension", "Part", "WindowStrategy", "plan_macro_windows"]
