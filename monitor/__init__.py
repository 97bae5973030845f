"""maskgate's runtime: video in, a decision about a door out. Never imports torch.

What is named in `__all__` is public, see docs/api.md. It is imported when it is asked for, so that
`import monitor` needs neither OpenCV nor onnxruntime.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .decision import Decision, Door
    from .detections import Detections
    from .detector import Detector
    from .errors import MaskgateError
    from .evidence import Evidence, FrameRule
    from .frame import Frame
    from .playback import replay
    from .policy import Policy
    from .result import Result
    from .zones import Zones

__version__ = "0.1.0"

__all__ = [
    "Decision",
    "Detections",
    "Detector",
    "Door",
    "Evidence",
    "Frame",
    "FrameRule",
    "MaskgateError",
    "Policy",
    "Result",
    "Zones",
    "__version__",
    "replay",
]

_MODULES = {
    "Decision": "decision",
    "Detections": "detections",
    "Detector": "detector",
    "Door": "decision",
    "Evidence": "evidence",
    "Frame": "frame",
    "FrameRule": "evidence",
    "MaskgateError": "errors",
    "Policy": "policy",
    "Result": "result",
    "Zones": "zones",
    "replay": "playback",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
