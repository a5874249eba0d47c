"""Engine calls as OpenTelemetry has them: spans, and their durations."""
