"""True and predicted components of masks drawn over each other."""

from __future__ import annotations

import numpy as np
from pictures.panel import Panel, Pixels

from deepir.boxes import Components, components


def mask_of(shape: tuple[int, int], *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Mask (H, W) that is True in boxes ``x0 y0 x1 y1``."""
    mask = np.zeros(shape, dtype=bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def overlaid(
    title: str, says: str, found: np.ndarray, truth: np.ndarray, zoom: float
) -> tuple[Panel, Pixels, Components, Components]:
    """Panel with true pixels filled in one colour and predicted ones hatched in another."""
    rows, columns = truth.shape
    panel = Panel(title, says, columns * zoom, rows * zoom)
    pixels = Pixels(panel, zoom)
    for row, column in np.ndindex(rows, columns):
        if truth[row, column]:
            pixels.tint((column, row, column + 1, row + 1), "soft-b")
        if found[row, column]:
            pixels.tint((column, row, column + 1, row + 1), "soft-false")
        pixels.box((column, row, column + 1, row + 1), "cell-rim")
    predicted, wanted = components(found), components(truth)
    for box in wanted.boxes.tolist():
        pixels.box(box, "b")
    for box in predicted.boxes.tolist():
        pixels.box(box, "false dashed")
    return panel, pixels, predicted, wanted
