"""What a score is worth: the odds of being right, and thresholds for a budget of false alarms.

Both are measured on frames with truth that the network was not trained on, and travel with its
weights. They hold on data like those frames, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.errors import DeepirError, UsageError

LEAST_SCORE = 1e-6
"""Scores closer to 0 or 1 count as that close, so that their odds are finite."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Platt:
    """Probability of being right, ``1 / (1 + exp(-slope * log(s / (1 - s)) - offset))``.

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with the odds of the score
    as input.

    >>> Platt(1.0, 0.0).probability([0.25, 0.5]).round(6).tolist()
    [0.25, 0.5]
    """

    slope: float
    offset: float

    def probability(self, scores: ArrayLike) -> Floats:
        """Probability for scores (N,) in [0, 1]; rises with the score where slope is above 0."""
        odds = self.slope * log_odds(scores) + self.offset
        values: Floats = np.exp(-np.logaddexp(0.0, -odds))
        return values


@dataclass(frozen=True)
class Bin:
    """Detections of similar probability: the mean stated one, how many, and the share that hit."""

    stated: float
    count: int
    hit_rate: float


@dataclass(frozen=True)
class Calibration:
    """How the scores of one network are to be read.

    ``odds`` is for scores as the network gives them, ``local`` for those without the scene's say
    (the same, where it has none). ``thresholds`` are pairs of a budget of false objects a frame and
    the local score that kept to it, budgets rising. ``reliability`` holds the ``odds`` against what
    came true, on the very frames that they were fitted on. ``frames`` and ``data`` say which.

    Raises:
        DeepirError: budgets that do not rise, or thresholds that are no finite numbers.
    """

    odds: Platt
    local: Platt
    thresholds: tuple[tuple[float, float], ...]
    reliability: tuple[Bin, ...]
    frames: int
    data: str

    def __post_init__(self) -> None:
        values = np.array(self.thresholds, dtype=np.float64).reshape(-1, 2)
        if not np.isfinite(values).all() or (np.diff(values[:, 0], prepend=0.0) <= 0).any():
            raise DeepirError(f"budgets rise from above 0, got {self.thresholds}")

    def threshold_for(self, budget: float) -> float:
        """Local score that kept to ``budget`` false objects a frame; between stored ones a mean.

        The mean is linear in score over the logarithm of the budget.

        Raises:
            UsageError: a budget outside the measured range.
        """
        budgets, scores = np.array(self.thresholds, dtype=np.float64).reshape(-1, 2).T
        if not len(budgets):
            raise UsageError(
                f"no threshold could be measured on {self.frames} frames of {self.data}:"
                " use --threshold"
            )
        if not budgets[0] <= budget <= budgets[-1]:
            raise UsageError(
                f"thresholds were measured for {budgets[0]:g} to {budgets[-1]:g} false alarms a"
                f" frame ({self.frames} frames of {self.data}), got {budget:g}; use --threshold"
            )
        return float(np.interp(np.log(budget), np.log(budgets), scores))

    def to_json(self) -> dict[str, object]:
        """Plain values that `from_json` reads, as JSON would give them back."""
        thresholds = [list(pair) for pair in self.thresholds]
        bins = [asdict(part) for part in self.reliability]
        return {**asdict(self), "thresholds": thresholds, "reliability": bins}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Calibration:
        """The calibration that `to_json` wrote.

        Raises:
            DeepirError: fields that are missing or of another kind.
        """
        try:
            return cls(
                Platt(**{key: float(part) for key, part in value["odds"].items()}),
                Platt(**{key: float(part) for key, part in value["local"].items()}),
                tuple((float(budget), float(score)) for budget, score in value["thresholds"]),
                tuple(Bin(**part) for part in value["reliability"]),
                int(value["frames"]),
                str(value["data"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DeepirError(f"the calibration does not fit: {error!r}") from None


def log_odds(scores: ArrayLike) -> Floats:
    """Logarithm of the odds s / (1 - s) of scores (N,); finite at 0 and 1.

    >>> log_odds([0.5, 0.0]).round(3).tolist()
    [0.0, -13.816]
    """
    inside = np.clip(np.asarray(scores, dtype=np.float64), LEAST_SCORE, 1 - LEAST_SCORE)
    values: Floats = np.log(inside) - np.log1p(-inside)
    return values
