"""No runtime phones home: what reports usage is turned off before it is imported, and in it if it already is."""

from __future__ import annotations

import os
import sys
from typing import Any

_SENDERS = ("start_session", "end_session", "send_event", "send_error", "send_stack_trace", "force_shutdown")


def silence_openvino() -> None:
    """Leave OpenVINO's telemetry without the package that sends it; it does without."""
    module: Any = sys.modules.get("openvino_telemetry")
    if module is None:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        return
    for name in _SENDERS:
        setattr(module.Telemetry, name, lambda *_, **__: None)


def silence_onnxruntime() -> None:
    """Turn onnxruntime's telemetry off."""
    import onnxruntime

    onnxruntime.disable_telemetry_events()


def stay_silent() -> None:
    """Turn the hub's telemetry off: before its client is imported, and in the client if it already is."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
