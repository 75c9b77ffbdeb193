"""Detectors made of a filter: plain backgrounds and contrasts of cells.

What they measure, papers and units stand at the filters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepir.choices import Mode
from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.chosen import chosen_detector
from deepir.classical.contrast import CELLS, Border, Polarity, lcm, mpcm, signed_root
from deepir.classical.modes import choose
from deepir.map_detector import MapDetector

Floats = NDArray[np.float64]
Plain = Callable[[Floats], Floats]


def top_hat_detector(*, mode: Mode = "default", size: int | None = None) -> MapDetector:
    """White top-hat; reference: a square of 5 pixels, default: of 9."""
    side = choose(mode, size, default=9, reference=5)
    return chosen_detector("top_hat", partial(white_top_hat, size=side), mode)


def max_mean_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-mean; reference: lines of 5 pixels, default: of 21."""
    length = choose(mode, length, default=21, reference=5)
    return chosen_detector("max_mean", partial(max_mean, length=length), mode)


def max_median_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-median; reference: lines of 5 pixels, default: of 21."""
    length = choose(mode, length, default=21, reference=5)
    return chosen_detector("max_median", partial(max_median, length=length), mode)


def lcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] | None = None,
    border: Border = "symmetric",
) -> MapDetector:
    """LCM; reference: cells of 3, 5, 7 and 9 pixels, default: of 11."""
    cells = choose(mode, cells, default=(11,), reference=CELLS)
    black = choose(mode, None, default=0.01, reference=0.0)
    return chosen_detector("lcm", partial(lcm, cells=cells, border=border, black=black), mode)


def mpcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] = CELLS,
    border: Border = "replicate",
    polarity: Polarity = "both",
) -> MapDetector:
    """MPCM, cells of 3, 5, 7 and 9 pixels; default: its signed root, in grey levels."""
    squared = partial(mpcm, cells=cells, border=border, polarity=polarity)
    root = partial(_signed_root, squared=squared)
    return chosen_detector("mpcm", choose(mode, None, default=root, reference=squared), mode)


DETECTORS: dict[str, Callable[..., MapDetector]] = {
    "lcm": lcm_detector,
    "max_mean": max_mean_detector,
    "max_median": max_median_detector,
    "mpcm": mpcm_detector,
    "top_hat": top_hat_detector,
}


def _signed_root(image: Floats, *, squared: Plain) -> Floats:
    return signed_root(squared(image))
