"""Infrared-like scenes with exact truth, and single targets planted into real frames."""

from __future__ import annotations

from deepir.simulate.placing import place_targets
from deepir.simulate.scene import SimulatedFrames, simulate_scene
from deepir.simulate.target import Planted, PlantError, Target, plant

__all__ = [
    "PlantError",
    "Planted",
    "SimulatedFrames",
    "Target",
    "place_targets",
    "plant",
    "simulate_scene",
]
