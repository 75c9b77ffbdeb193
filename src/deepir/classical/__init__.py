"""Model-driven detectors by name: each in its published mode and in our default."""

from __future__ import annotations

from collections.abc import Callable

from deepir.classical import filters, low_rank
from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.contrast import lcm, mpcm
from deepir.map_detector import MapDetector

__all__ = ["CATALOGUE", "lcm", "max_mean", "max_median", "mpcm", "white_top_hat"]

CATALOGUE: dict[str, Callable[..., MapDetector]] = {
    **filters.DETECTORS,
    **low_rank.DETECTORS,
}
