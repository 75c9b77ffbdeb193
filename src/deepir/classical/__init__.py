"""Model-driven detectors by name: each in its published mode and in our default."""

from __future__ import annotations

from collections.abc import Callable

from deepir.classical import contrast_detectors, filters, low_rank
from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.contrast import lcm, mpcm
from deepir.classical.facet_walker import fkrw
from deepir.classical.local_difference import wldm
from deepir.classical.ranked_contrast import rlcm, tllcm
from deepir.map_detector import MapDetector

__all__ = [
    "CATALOGUE",
    "fkrw",
    "lcm",
    "max_mean",
    "max_median",
    "mpcm",
    "rlcm",
    "tllcm",
    "white_top_hat",
    "wldm",
]

CATALOGUE: dict[str, Callable[..., MapDetector]] = {
    **filters.DETECTORS,
    **contrast_detectors.DETECTORS,
    **low_rank.DETECTORS,
}
