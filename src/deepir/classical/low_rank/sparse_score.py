"""A score for sparse target maps that compares across frames.

Our addition, in the default mode of the methods that gain by it. A sparse map is 0 almost
everywhere: often nothing but the target is left of a frame, or nothing but a faint remainder, and
the clutter of the map itself cannot tell which. So a response counts in deviations of its frame.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepir.choices import Mode
from deepir.classical.chosen import chosen_detector
from deepir.classical.low_rank.separation import Separation
from deepir.classical.modes import choose
from deepir.map_detector import MapDetector, Scale
from deepir.readout import clutter_ratio
from deepir.saliency import Saliency

LEAST_DEVIATIONS = 0.1
"""Of a frame's grey levels: clutter counts as no smaller than that. Chosen on val."""

sparse_ratio: Scale = partial(clutter_ratio, least=LEAST_DEVIATIONS)
"""`clutter_ratio` of a map that `in_deviations` made."""

Floats = NDArray[np.float64]


def in_deviations(found: Saliency, image: Floats) -> Saliency:
    """A target map (H, W) in standard deviations of its frame (H, W); of a constant frame, as is.

    >>> frame = np.array([[0.0, 0.0], [8.0, 8.0]])
    >>> in_deviations(Saliency(frame), frame).values.max()
    np.float64(2.0)
    """
    deviation = float(image.std())
    return Saliency(found.values / deviation, found.diagnostics) if deviation else found


def sparse_detector(name: str, separate: Callable[[Floats], Separation], mode: Mode) -> MapDetector:
    """The detector of a method's target map: as published, or in default mode by this score.

    ``separate`` takes a frame (H, W) apart.

    Raises:
        UsageError: an unknown mode.
    """

    def published(image: Floats) -> Saliency:
        return separate(image).saliency()

    def ours(image: Floats) -> Saliency:
        return in_deviations(published(image), image)

    found = choose(mode, None, default=ours, reference=published)
    scale = choose(mode, None, default=sparse_ratio, reference=clutter_ratio)
    return chosen_detector(name, found, mode, scale=scale)
