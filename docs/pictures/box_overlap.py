"""IoU of a perfect box that is off by a pixel or two, by its side."""

from __future__ import annotations

import numpy as np
from pictures.axes import Axes, Axis
from pictures.panel import Panel

from deepir.boxes import intersection_over_union

SIDES = {3: "c", 5: "b", 9: "a", 33: "d"}
SHIFTS = np.linspace(0, 3, 61)


def draw() -> list[Panel]:
    """IoU against a diagonal shift."""
    panel = Panel("IoU of a box shifted along both axes", "", 430, 300)
    axes = Axes(
        panel,
        Axis(0, 3, (0, 0.5, 1, 1.5, 2, 2.5, 3), "shift along each axis, pixels"),
        Axis(0, 1.05, (0, 0.2, 0.3, 0.5, 0.8, 1), "IoU"),
    )
    said = []
    for side, style in SIDES.items():
        moved = np.stack([SHIFTS, SHIFTS, SHIFTS + side, SHIFTS + side], axis=1)
        overlap = intersection_over_union([[0, 0, side, side]], moved)[0]
        axes.line(SHIFTS, overlap, style)
        place = {3: 0.85, 5: 1.2, 9: 1.6, 33: 1.8}[side]
        at = float(np.interp(place, SHIFTS, overlap))
        axes.name(f"{side}x{side}", style, (place + 0.04, at + 0.02))
        said.append(f"{side}x{side} pixels off by one: {np.interp(1, SHIFTS, overlap):.2f}")
    panel.says = "; ".join(said)
    return [panel]
