"""The texts of the papers as they stand: the oracles of the tests, and correlations for cells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.classical import CATALOGUE
from deepir.classical.contrast import CELLS
from deepir.structures import Image
from deepir.tables import Cell
from filter_speed.turns import processor_ms

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from oracles import contrast, facet_walker, local_difference, ranked_contrast

Frame = NDArray[np.float64]
Plain = Callable[[Frame], Frame]


def against_plain(name: str, image: Image, runs: int) -> Iterator[tuple[Cell, ...]]:
    """Processor time of a detector's map and of each plain one, their ratio and difference.

    Nothing for a detector without a plain one.
    """
    if name not in PLAIN:
        return
    detector = CATALOGUE[name](mode="reference")
    frame = image.astype(np.float64)
    fast, found = processor_ms(partial(detector.saliency, frame), runs)
    for words, plain in PLAIN[name].items():
        slow, wanted = processor_ms(partial(plain, frame), 1)
        apart = float(np.abs(found - wanted).max() / np.abs(wanted).max())
        yield fast, words, slow, slow / fast, f"{apart:.1e}"


def by_correlation_lcm(frame: Frame) -> Frame:
    """LCM by one correlation a cell."""
    scales = []
    for side in CELLS:
        means = cell_means(frame, side, cv2.BORDER_REFLECT)
        brightest = cv2.dilate(frame, np.ones((side, side), np.uint8))
        neighbours = np.max(means[1:], axis=0)
        scales.append(brightest**2 / np.maximum(neighbours, 1e-12))
    return np.asarray(np.max(scales, axis=0))


def by_correlation_mpcm(frame: Frame) -> Frame:
    """MPCM by one correlation a cell."""
    scales = []
    for side in CELLS:
        centre, *others = cell_means(frame, side, cv2.BORDER_REPLICATE)
        gaps = [centre - other for other in others]
        scales.append(np.min([gaps[k] * gaps[k + 4] for k in range(4)], axis=0))
    return np.asarray(np.max(scales, axis=0))


def cell_means(frame: Frame, side: int, border: int) -> list[Frame]:
    """Means of the centre cell and of its neighbours in circular order."""
    order = ((1, 1), (0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    means = []
    for row, column in order:
        mask = np.zeros((3 * side, 3 * side))
        mask[row * side : (row + 1) * side, column * side : (column + 1) * side] = 1 / side**2
        means.append(np.asarray(cv2.filter2D(frame, cv2.CV_64F, mask, borderType=border)))
    return means


def walker(frame: Frame) -> Frame:
    """FKRW by one dense system a candidate, over its own maximum."""
    fused = facet_walker.stages(frame, seeds=True).fused
    return np.asarray(fused / (fused.max() + 1e-6))


LOOPS, CORRELATIONS = "pixel by pixel", "nine correlations a size"

PLAIN: Mapping[str, Mapping[str, Plain]] = {
    "lcm": {
        CORRELATIONS: by_correlation_lcm,
        LOOPS: lambda frame: contrast.lcm(frame, CELLS, "symmetric"),
    },
    "mpcm": {
        CORRELATIONS: by_correlation_mpcm,
        LOOPS: lambda frame: contrast.mpcm(frame, CELLS, "replicate", "both"),
    },
    "wldm": {"a histogram a pixel": local_difference.wldm},
    "fkrw": {"a dense system a candidate": walker},
    "rlcm": {"nine sorted cells a pixel": ranked_contrast.rlcm},
    "tllcm": {"sorted cells a pixel and size": ranked_contrast.tllcm},
}
"""Plain implementations by detector, in words."""
