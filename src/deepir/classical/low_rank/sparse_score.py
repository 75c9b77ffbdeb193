"""A score for sparse target maps that compares across frames.

Our addition, in the default mode of the methods that gain by it. A sparse map is 0 almost
everywhere, so robust z says how empty a frame is and little of its peak. What makes a target is
that its peak is high for the clutter around it, and that the frame holds few others like it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.classical.clutter import over_clutter
from deepir.classical.tail import over_tail
from deepir.saliency import Saliency

TAIL_PIXELS = 30
"""What a handful of small targets fill."""

Floats = NDArray[np.float64]


def stands_out(target: ArrayLike, image: ArrayLike) -> Floats:
    """A target map (H, W) over the clutter of its frame (H, W), times how alone its peak is.

    The first factor is `over_clutter` at every pixel; the second is one number a frame, its highest
    response over its tail (`over_tail`), from 1 (as much response everywhere) to 20. Both maps are
    in grey levels, the result has no unit. A map that is nowhere positive gives zeros.

    >>> frame = np.eye(9) * 3; frame[4, 4] = 90
    >>> int(stands_out(np.where(frame > 80, 87.0, 0.0), frame).argmax())
    40
    """
    values = np.asarray(target, dtype=np.float64)
    alone = float(over_tail(values, pixels=TAIL_PIXELS).max())
    return np.maximum(over_clutter(values, image), 0) * alone


def scored(found: Saliency, image: Floats) -> Saliency:
    """A target map with its diagnostics, as a map of `stands_out`."""
    return Saliency(stands_out(found.values, image), found.diagnostics)


def as_it_is(scores: Floats) -> Floats:
    """The scale of a map that is a score."""
    return scores
