"""What `deepir detect` draws of a frame."""

from __future__ import annotations

from pictures.panel import Panel

from deepir.catalogue import load_detector
from deepir.overlay import draw_overlay
from deepir.simulate import simulate_scene

SEED = 4


def draw() -> list[Panel]:
    """The overlay of one simulated frame."""
    scene = simulate_scene(seed=SEED, clutter="cloud", targets=3)
    found = load_detector("oscar_nano", engine="onnxruntime").detect(scene.image)
    picture = draw_overlay(scene.image, found, title=f"{scene.id}  oscar_nano")
    height, width = picture.shape[:2]
    says = f"{len(found)} detections in a frame with {len(scene.boxes)} targets."
    panel = Panel("", says, width * 0.75, height * 0.75)
    panel.colours(picture, (0, 0, width * 0.75, height * 0.75), smooth=True)
    return [panel]
