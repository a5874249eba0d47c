"""Compression chosen by measurement: the grid, the engine's own answers, and the change of a collection to what won.

Files, in reading order: grid, memory_footprint, trial_search, trial, selection, calibration_report, grid_search,
calibration_run.

Public: `CalibrateOptions`, `Calibration` (what `Collection.calibrate` returns), `Trial` (one setting,
measured), and `require_drawing` (whether `Calibration.save` can draw).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.calibration.calibration_report import Calibration, require_drawing
    from qdrant_embed.calibration.calibration_run import CalibrateOptions
    from qdrant_embed.calibration.trial import Trial
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "calibration_report": ["Calibration", "require_drawing"],
            "calibration_run": ["CalibrateOptions"],
            "trial": ["Trial"],
        },
    )

__all__ = ["CalibrateOptions", "Calibration", "Trial", "require_drawing"]
