"""Small targets in infrared frames: find them, and say exactly how well that works.

>>> import deepir
>>> detector = deepir.load_detector("mpcm")
>>> scene = deepir.simulate_scene(seed=0)
>>> found = detector.detect(scene.image)  # Detections: points, scores, boxes, best first
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes longer to import than the rest
if TYPE_CHECKING:
    from deepir.catalogue import load_detector as load_detector
    from deepir.errors import DeepirError as DeepirError
    from deepir.errors import FrameError as FrameError
    from deepir.frames import read_image as read_image
    from deepir.simulate import simulate_scene as simulate_scene
    from deepir.structures import Detections as Detections
    from deepir.structures import Sample as Sample

__version__ = "0.1.0"

_HOME = {
    "DeepirError": "errors",
    "Detections": "structures",
    "FrameError": "errors",
    "Sample": "structures",
    "load_detector": "catalogue",
    "read_image": "frames",
    "simulate_scene": "simulate",
}
_ROOMS = (
    *("audit", "boxes", "classical", "contact_sheet", "data", "frames", "metrics", "noco"),
    *("readout", "simulate"),
)

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``import deepir`` itself stays instant."""
    if name in _HOME:
        return getattr(import_module(f"deepir.{_HOME[name]}"), name)
    if name in _ROOMS:
        return import_module(f"deepir.{name}")
    raise AttributeError(f"module 'deepir' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_ROOMS]
