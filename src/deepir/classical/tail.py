"""A score that compares across frames: a response against the frame's own strongest clutter.

Our addition, in the default mode of the detectors that gain by it (`docs/experiments.md`). A frame
holds few targets of few pixels; what else responds is clutter. Robust z measures a response by the
middle of the map, which in frames of buildings or clouds says nothing of the hundred places that
respond like a target.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.map_detector import Scale

SHARE_OF_PEAK = 0.05
"""Of the frame's highest response, added to its clutter: nothing scores above 20."""

Floats = NDArray[np.float64]


def over_tail(saliency: ArrayLike, *, pixels: int, share: float = SHARE_OF_PEAK) -> Floats:
    """A map (H, W) over the response that about ``pixels`` pixels of it exceed.

    The unit is that response, or 0 where it is negative, plus ``share`` of the highest response.
    ``pixels`` should be what a handful of targets fill: of more targets than that one is clutter to
    the other. A frame of fewer pixels counts by its lowest. A map that is nowhere positive gives
    zeros, an empty one too.

    Raises:
        ValueError: fewer than one pixel, a share of 0 or below.

    >>> over_tail([[0, 1, 2, 40]], pixels=1, share=0.05).tolist()
    [[0.0, 0.25, 0.5, 10.0]]
    """
    _check(pixels, share)
    values = np.asarray(saliency, dtype=np.float64)
    highest = float(values.max(initial=0.0))
    if highest == 0:
        return np.zeros(values.shape)
    scores: Floats = values / (_exceeded(values, pixels) + share * highest)
    return scores


def tail_scale(pixels: int, *, share: float = SHARE_OF_PEAK) -> Scale:
    """`over_tail` with its options, as a detector takes it; they are checked now.

    Raises:
        ValueError: as `over_tail`.
    """
    _check(pixels, share)
    return partial(over_tail, pixels=pixels, share=share)


def _exceeded(values: Floats, pixels: int) -> float:
    """Response that so many pixels reach beside the one that has it; at least 0.

    Maxima of as many blocks bound it from below, so that few pixels are left to be sorted.
    """
    flat, rank = np.ravel(values), min(pixels, values.size - 1)
    least, length = 0.0, flat.size // (4 * rank + 4)
    if length > 1:
        maxima = flat[: flat.size // length * length].reshape(length, -1).max(axis=0)
        least = float(np.partition(maxima, -1 - rank)[-1 - rank])
    kept = flat[flat >= least] if least > 0 else flat[flat > 0]
    return float(np.partition(kept, -1 - rank)[-1 - rank]) if kept.size > rank else 0.0


def _check(pixels: int, share: float) -> None:
    if pixels < 1:
        raise ValueError(f"a tail is of 1 pixel or more, got {pixels}")
    if not share > 0:
        raise ValueError(f"some of the highest response, above 0, bounds the scores, got {share}")
