"""Detectors made of a filter: plain backgrounds and contrasts of cells.

The floor gives the highest mNoCoAP on val_full, the operating threshold at most one false object a
frame there (`benchmarks/choose_thresholds.py`, figures in `docs/experiments.md`). Papers and units
stand at the filters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepir.choices import Mode
from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.clutter import over_clutter
from deepir.classical.contrast import CELLS, Border, Polarity, lcm, mpcm, signed_root
from deepir.classical.modes import choose
from deepir.map_detector import MapDetector

Floats = NDArray[np.float64]
Plain = Callable[[Floats], Floats]


def top_hat_detector(*, mode: Mode = "default", size: int | None = None) -> MapDetector:
    """White top-hat; reference: a square of 5 pixels, default: of 9.

    Robust z, chosen on val_full: floor 2, operating threshold 50.3; reference 3, 131.9.
    """
    side = choose(mode, size, default=9, reference=5)
    floor, operating = choose(mode, None, default=(2.0, 50.3), reference=(3.0, 131.9))
    return MapDetector("top_hat", partial(white_top_hat, size=side), floor, operating, mode)


def max_mean_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-mean; reference: lines of 5 pixels, default: of 21, over the clutter around.

    Robust z, chosen on val_full: floor 10, operating threshold 45.2; reference 8, 175.4.
    """
    contrast = partial(max_mean, length=choose(mode, length, default=21, reference=5))
    found = choose(
        mode, None, default=partial(_over_clutter, contrast=contrast), reference=contrast
    )
    floor, operating = choose(mode, None, default=(10.0, 45.2), reference=(8.0, 175.4))
    return MapDetector("max_mean", found, floor, operating, mode)


def max_median_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-median; reference: lines of 5 pixels, default: of 9.

    Robust z, chosen on val_full: floor 30, operating threshold 67.5; reference 4, 53.4.
    """
    length = choose(mode, length, default=9, reference=5)
    floor, operating = choose(mode, None, default=(30.0, 67.5), reference=(4.0, 53.4))
    return MapDetector("max_median", partial(max_median, length=length), floor, operating, mode)


def lcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] | None = None,
    border: Border = "symmetric",
) -> MapDetector:
    """LCM; reference: cells of 3, 5, 7 and 9 pixels, default: of 11.

    Robust z, chosen on val_full: floor 1, operating threshold 8.2; reference 1, 8.5.
    """
    cells = choose(mode, cells, default=(11,), reference=CELLS)
    black = choose(mode, None, default=0.01, reference=0.0)
    floor, operating = choose(mode, None, default=(1.0, 8.2), reference=(1.0, 8.5))
    found = partial(lcm, cells=cells, border=border, black=black)
    return MapDetector("lcm", found, floor, operating, mode)


def mpcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] = CELLS,
    border: Border = "replicate",
    polarity: Polarity = "both",
) -> MapDetector:
    """MPCM, cells of 3, 5, 7 and 9 pixels; default: its signed root over the clutter around.

    Robust z, chosen on val_full: floor 4, operating threshold 36.9; reference 6, 12335.
    """
    squared = partial(mpcm, cells=cells, border=border, polarity=polarity)
    root = partial(_over_clutter, contrast=partial(_signed_root, squared=squared))
    found = choose(mode, None, default=root, reference=squared)
    floor, operating = choose(mode, None, default=(4.0, 36.9), reference=(6.0, 12335.0))
    return MapDetector("mpcm", found, floor, operating, mode)


DETECTORS: dict[str, Callable[..., MapDetector]] = {
    "lcm": lcm_detector,
    "max_mean": max_mean_detector,
    "max_median": max_median_detector,
    "mpcm": mpcm_detector,
    "top_hat": top_hat_detector,
}


def _over_clutter(image: Floats, *, contrast: Plain) -> Floats:
    return over_clutter(contrast(image), image)


def _signed_root(image: Floats, *, squared: Plain) -> Floats:
    return signed_root(squared(image))
