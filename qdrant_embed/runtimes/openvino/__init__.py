"""Models converted for OpenVINO."""
