"""Pixels hit, false and missed in two frames: IoU against nIoU."""

from __future__ import annotations

import numpy as np
from pictures.panel import Panel, Pixels, Rows

from deepir.metrics import pixel_counts, pixel_scores

ZOOM = 16
SIDE = 14


def draw() -> list[Panel | Rows]:
    """A large target well found, a small one badly."""
    large, small, found_large, found_small = np.zeros((4, SIDE, SIDE), dtype=bool)
    large[3:10, 2:12] = found_large[3:10, 3:13] = True
    small[6:8, 6:8] = found_small[5:8, 7:9] = True
    truth, found = [large, small], [found_large, found_small]
    total = pixel_scores(found, truth)
    panels, rows = [], []
    for name, mask, prediction in zip(("Frame 1", "Frame 2"), truth, found, strict=True):
        count = pixel_counts(prediction, mask)
        iou = count.hit / (count.hit + count.false + count.missed)
        panels.append(_panel(f"{name}: IoU {iou:.2f}", prediction, mask))
        rows.append([name, *map(str, (count.hit, count.false, count.missed)), f"{iou:.3f}"])
    summed = pixel_counts(np.hstack(found), np.hstack(truth))
    rows.append(
        ["IoU: sums", *map(str, (summed.hit, summed.false, summed.missed)), f"{total.iou:.3f}"]
    )
    rows.append(["nIoU: mean of the two", "", "", "", f"{total.niou:.3f}"])
    return [*panels, Rows(["", "hit", "false", "missed", "hit / all three"], rows)]


def _panel(title: str, found: np.ndarray, truth: np.ndarray) -> Panel:
    says = "Pixels in both masks are filled, claimed ones crossed, missed ones outlined."
    panel = Panel(title, says, SIDE * ZOOM, SIDE * ZOOM)
    pixels = Pixels(panel, ZOOM)
    for row, column in np.ndindex(SIDE, SIDE):
        box = (column, row, column + 1, row + 1)
        if found[row, column] and truth[row, column]:
            pixels.tint(box, "fill-hit")
        elif found[row, column]:
            pixels.tint(box, "soft-false")
            panel.cross(pixels.middle(column, row), "false", 3)
        elif truth[row, column]:
            pixels.tint(box, "soft-b")
            panel.circle(pixels.middle(column, row), 3, "b")
        pixels.box(box, "cell-rim")
    return panel
