"""Compression chosen by measurement: the grid, the engine's own answers, and the change of a collection to what won."""
