"""Compression chosen by measurement: the grid, the engine's own answers, and the change of a collection to what won.

Files, in reading order: grid, memory_footprint, trial_search, trial, selection, calibration_report, grid_search,
calibration_run.
"""
