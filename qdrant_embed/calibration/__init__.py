"""Compression chosen by measurement: the grid, the engine's own answers, and the change of a collection to what won.

Files, in reading order: collection_sample, grid, memory_footprint, trial_search, trial, trial_runner, selection,
calibration_report, grid_search, calibration_run.

Public: `CalibrateOptions`, `Calibration` (what `Collection.calibrate` returns) and `Trial` (one setting, measured).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.calibration.calibration_report import Calibration as Calibration
    from qdrant_embed.calibration.calibration_run import CalibrateOptions as CalibrateOptions
    from qdrant_embed.calibration.trial import Trial as Trial
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "calibration_report": ["Calibration"],
            "calibration_run": ["CalibrateOptions"],
            "trial": ["Trial"],
        },
    )
