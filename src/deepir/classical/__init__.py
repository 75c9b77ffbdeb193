"""Model-driven detectors: a filter each, with the floor and threshold that val chose for it.

How both were chosen: `benchmarks/choose_thresholds.py`, figures in `docs/experiments.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, TypeVar, get_args

from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.contrast import CELLS, Border, Polarity, lcm, mpcm
from deepir.detector import MapDetector
from deepir.errors import unknown_name

T = TypeVar("T")
Mode = Literal["default", "reference"]

BRIGHT: Polarity = "bright"
BOTH: Polarity = "both"

__all__ = ["CATALOGUE", "lcm", "max_mean", "max_median", "mpcm", "white_top_hat"]


def top_hat_detector(*, mode: Mode = "default", size: int | None = None) -> MapDetector:
    """White top-hat; reference: a square of 5, default: of 9.

    Robust z: floor 2, operating threshold 68.8 (default); 3 and 101.7 (reference).
    """
    side = size or _choose(mode, default=9, reference=5)
    floor, operating = _choose(mode, default=(2.0, 68.8), reference=(3.0, 101.7))
    return MapDetector("top_hat", partial(white_top_hat, size=side), floor, operating)


def max_mean_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-mean; reference: lines of 5 pixels, default: of 21."""
    length = length or _choose(mode, default=21, reference=5)
    floor, operating = _choose(mode, default=(2.0, 68.8), reference=(2.0, 199.6))
    return MapDetector("max_mean", partial(max_mean, length=length), floor, operating)


def max_median_detector(*, mode: Mode = "default", length: int | None = None) -> MapDetector:
    """Max-median; reference: lines of 5 pixels, default: of 15."""
    length = length or _choose(mode, default=15, reference=5)
    floor, operating = _choose(mode, default=(2.0, 68.8), reference=(2.0, 199.6))
    return MapDetector("max_median", partial(max_median, length=length), floor, operating)


def lcm_detector(
    *, mode: Mode = "default", cells: Sequence[int] = CELLS, border: Border = "symmetric"
) -> MapDetector:
    """LCM; cells of 3, 5, 7 and 9 pixels and a mirrored border in both modes."""
    floor, operating = _choose(mode, default=(2.0, 5.0), reference=(2.0, 5.0))
    return MapDetector("lcm", partial(lcm, cells=cells, border=border), floor, operating)


def mpcm_detector(
    *,
    mode: Mode = "default",
    cells: Sequence[int] = CELLS,
    border: Border = "replicate",
    polarity: Polarity | None = None,
) -> MapDetector:
    """MPCM; reference: both polarities, default: bright targets only."""
    kept = _choose(mode, default=BRIGHT, reference=BOTH) if polarity is None else polarity
    floor, operating = _choose(mode, default=(10.0, 100.0), reference=(10.0, 100.0))
    found = partial(mpcm, cells=cells, border=border, polarity=kept)
    return MapDetector("mpcm", found, floor, operating)


CATALOGUE: dict[str, Callable[..., MapDetector]] = {
    "lcm": lcm_detector,
    "max_mean": max_mean_detector,
    "max_median": max_median_detector,
    "mpcm": mpcm_detector,
    "top_hat": top_hat_detector,
}


def _choose(mode: Mode, *, default: T, reference: T) -> T:
    if mode not in get_args(Mode):
        raise unknown_name("mode", mode, get_args(Mode))
    return default if mode == "default" else reference
