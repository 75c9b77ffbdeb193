"""Recall of perfect boxes by the point that they report, on simulated frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pictures.axes import Axes, Axis
from pictures.panel import Panel

from deepir.boxes import centres
from deepir.metrics import NocoHits
from deepir.noco import noco_map, noco_peaks
from deepir.simulate import SimulatedFrames
from deepir.structures import Sample

FRAMES = 150
LEVELS = np.linspace(0.02, 0.98, 49)

POINTS: dict[str, tuple[str, Callable[[Sample], np.ndarray]]] = {
    "NoCo peak": ("a", lambda sample: noco_peaks(sample.image, sample.boxes)),
    "centre of the pixel grid": ("b", lambda sample: centres(sample.boxes) - 0.5),
    "box centre": ("c", lambda sample: centres(sample.boxes)),
}
NAMED_AT = {"NoCo peak": 0.36, "centre of the pixel grid": 0.26, "box centre": 0.16}


def draw() -> list[Panel]:
    """Recall against the NoCo threshold."""
    hits = {name: NocoHits(LEVELS.tolist()) for name in POINTS}
    for sample in SimulatedFrames(FRAMES, seed=11, shape=(96, 128), targets=2):
        noco = noco_map(sample.image, sample.boxes)
        for name, (_, place) in POINTS.items():
            rows = np.column_stack([place(sample), np.ones(len(sample.boxes))])
            hits[name].update(rows, noco, sample.boxes)
    panel = Panel("Recall of perfect boxes", "", 430, 300)
    ticks = (0, 0.2, 0.4, 0.6, 0.8, 1)
    axes = Axes(panel, Axis(0, 1, ticks, "NoCo threshold"), Axis(0, 1.05, ticks, "recall"))
    said = []
    for name, fed in hits.items():
        score, style = fed.score(), POINTS[name][0]
        axes.line(LEVELS, list(score.recall_by_threshold.values()), style)
        axes.name(f"{name}, mean {score.recall_cap:.2f}", style, (0.03, NAMED_AT[name]))
        said.append(f"{name}: mean recall {score.recall_cap:.2f}")
    panel.says = f"{len(LEVELS)} thresholds, {FRAMES} simulated frames. " + "; ".join(said) + "."
    return [panel]
