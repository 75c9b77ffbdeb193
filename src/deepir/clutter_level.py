"""A frame's own clutter as the yardstick of its scores, so that scores compare across frames.

A constant-false-alarm-rate rule by order statistics: of all that a frame offers, most is clutter,
so its twentieth best candidate says how much clutter can pretend to be here. The strongest few may
be targets and are not looked at.

Rohling, "Radar CFAR Thresholding in Clutter and Multiple Target Situations", IEEE Transactions on
Aerospace and Electronic Systems 19(4), 1983, takes the order statistic of a window; here the window
is the frame, and the statistic that of candidates.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.calibration import log_odds
from deepir.errors import DeepirError

RANK = 20
"""Place, from the best, of the candidate that stands for the clutter: more than a frame has
targets, fewer than it has candidates."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClutterLevel:
    """How scores in [0, 1] are measured against the frame's clutter.

    The log-odds of every score fall by ``weight`` times what those of the ``rank``-th best score
    exceed those of ``typical``, the level of a typical frame, where scores stay as they are. The
    order within a frame stays too. A frame with fewer candidates has the level ``least`` that the
    caller names.

    Raises:
        DeepirError: a rank below 1, a weight outside [0, 1], or a level outside (0, 1).

    >>> clutter = ClutterLevel(rank=2, weight=0.5, typical=0.1)
    >>> clutter.adjusted([0.5, 0.1, 0.02], least=0.001).round(3).tolist()  # a typical frame
    [0.5, 0.1, 0.02]
    >>> clutter.adjusted([0.5, 0.02], least=0.001).round(3).tolist()  # a quieter one
    [0.7, 0.045]
    """

    rank: int
    weight: float
    typical: float

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise DeepirError(f"the rank of the clutter level is at least 1, got {self.rank}")
        if not 0 <= self.weight <= 1:
            raise DeepirError(f"the clutter level's weight is in [0, 1], got {self.weight:g}")
        if not 0 < self.typical < 1:
            raise DeepirError(f"the typical clutter level is in (0, 1), got {self.typical:g}")

    def adjusted(self, scores: ArrayLike, *, least: float) -> Floats:
        """Scores (K,) of a frame's candidates against its clutter; K = 0 is legal."""
        values = np.asarray(scores, dtype=np.float64)
        level = order_level(values, self.rank, least=least)
        excess = log_odds([level]) - log_odds([self.typical])
        adjusted: Floats = 1 / (1 + np.exp(self.weight * excess - log_odds(values)))
        return adjusted

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ClutterLevel:
        """The level that `to_json` wrote.

        Raises:
            DeepirError: text or fields that do not fit.
        """
        try:
            value = json.loads(text)
            if not isinstance(value, Mapping) or set(value) != {"rank", "weight", "typical"}:
                raise ValueError("an object of rank, weight and typical is wanted")
            rank, weight, typical = (value[key] for key in ("rank", "weight", "typical"))
            if not isinstance(rank, int) or not all(map(math.isfinite, (weight, typical))):
                raise ValueError("a whole rank and finite numbers are wanted")
            return cls(rank, float(weight), float(typical))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise DeepirError(f"the clutter level {text[:60]!r} does not fit: {error}") from None


def order_level(scores: ArrayLike, rank: int, *, least: float) -> float:
    """The ``rank``-th best of scores (K,), at least ``least``; ``least`` where there are fewer.

    >>> order_level([0.9, 0.2, 0.4], 2, least=0.1)
    0.4
    >>> order_level([0.9], 2, least=0.1)
    0.1
    """
    values = np.asarray(scores, dtype=np.float64)
    if len(values) < rank:
        return least
    return max(float(np.partition(values, -rank)[-rank]), least)
