"""Model-driven detectors: a filter each, with the floor and threshold that val chose for it.

How both were chosen: `benchmarks/choose_thresholds.py`, figures in `docs/experiments.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.clutter import over_clutter
from deepir.classical.contrast import CELLS, Border, Polarity, lcm, mpcm, signed_root
from deepir.detector import MapDetector, Saliency
from deepir.errors import unknown_name

T = TypeVar("T")
Mode = Literal["default", "reference"]
Floats = NDArray[np.float64]

__all__ = ["CATALOGUE", "lcm", "max_mean", "max_median", "mpcm", "white_top_hat"]


def top_hat_detector(*, mode: Mode = "default", size: int | None = None) -> MapDetector:
    """White top-hat; reference: a square of 5 pixels, default: of 9."""
    side = size or _choose(mode, default=9, reference=5)
    floor, operating = _choose(mode, default=(2.0, 68.8), reference=(3.0, 101.7))
    return MapDetector("top_hat", partial(white_top_hat, size=side), floor, operating)


def max_mean_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-mean; reference: lines of 5 pixels, default: of 21, over the clutter around."""
    contrast = partial(max_mean, length=length or _choose(mode, default=21, reference=5))
    found = _choose(mode, default=partial(_over_clutter, contrast=contrast), reference=contrast)
    floor, operating = _choose(mode, default=(6.0, 60.5), reference=(2.0, 199.6))
    return MapDetector("max_mean", found, floor, operating)


def max_median_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-median; reference: lines of 5 pixels, default: of 9."""
    length = length or _choose(mode, default=9, reference=5)
    floor, operating = _choose(mode, default=(30.0, 86.1), reference=(2.0, 98.7))
    return MapDetector("max_median", partial(max_median, length=length), floor, operating)


def lcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] | None = None,
    border: Border = "symmetric",
) -> MapDetector:
    """LCM; reference: cells of 3, 5, 7 and 9 pixels, default: of 11."""
    cells = cells or _choose(mode, default=(11,), reference=CELLS)
    floor, operating = _choose(mode, default=(1.0, 14.9), reference=(2.0, 19.7))
    return MapDetector("lcm", partial(lcm, cells=cells, border=border), floor, operating)


def mpcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] = CELLS,
    border: Border = "replicate",
    polarity: Polarity = "both",
) -> MapDetector:
    """MPCM, cells of 3, 5, 7 and 9 pixels; default: its signed root over the clutter around."""
    squared = partial(mpcm, cells=cells, border=border, polarity=polarity)
    root = partial(_over_clutter, contrast=partial(_signed_root, squared=squared))
    found = _choose(mode, default=root, reference=squared)
    floor, operating = _choose(mode, default=(4.0, 42.6), reference=(6.0, 13024.3))
    return MapDetector("mpcm", found, floor, operating)


CATALOGUE: dict[str, Callable[..., MapDetector]] = {
    "lcm": lcm_detector,
    "max_mean": max_mean_detector,
    "max_median": max_median_detector,
    "mpcm": mpcm_detector,
    "top_hat": top_hat_detector,
}


def _over_clutter(image: Floats, *, contrast: Saliency) -> Floats:
    return over_clutter(contrast(image), image)


def _signed_root(image: Floats, *, squared: Saliency) -> Floats:
    return signed_root(squared(image))


def _choose(mode: Mode, *, default: T, reference: T) -> T:
    if mode not in get_args(Mode):
        raise unknown_name("mode", mode, get_args(Mode))
    return default if mode == "default" else reference
