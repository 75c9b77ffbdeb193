"""What a score is worth: the odds of being right, and thresholds for a budget of false alarms.

Both are measured on frames with truth that the network was not trained on, and travel with its
weights. They hold on data like those frames, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.errors import DeepirError, UsageError

LEAST_SCORE = 1e-6
"""Scores closer to 0 or 1 count as that close, so that their odds are finite."""

STEEPEST = 1e9
"""Slopes and offsets beyond it are no fit: with them odds are no numbers any more."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Platt:
    """Probability of being right, ``1 / (1 + exp(-slope * log(s / (1 - s)) - offset))``.

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with the odds of the score
    as input.

    Raises:
        DeepirError: a slope or an offset that is no number up to 1e9.

    >>> Platt(1.0, 0.0).probability([0.25, 0.5]).round(6).tolist()
    [0.25, 0.5]
    """

    slope: float
    offset: float

    def __post_init__(self) -> None:
        for value in (self.slope, self.offset):
            if not abs(value) <= STEEPEST:
                raise DeepirError(
                    f"slope and offset are numbers up to {STEEPEST:g}, got {self.slope:g} and"
                    f" {self.offset:g}"
                )

    def probability(self, scores: ArrayLike) -> Floats:
        """Probability for scores (N,) in [0, 1]; rises with the score where slope is above 0."""
        odds = self.slope * log_odds(scores) + self.offset
        values: Floats = np.exp(-np.logaddexp(0.0, -odds))
        return values


@dataclass(frozen=True)
class Bin:
    """Detections of similar probability: the mean stated one, how many, and the share that hit.

    Raises:
        DeepirError: a probability or a share outside [0, 1], or a count below 0.
    """

    stated: float
    count: int
    hit_rate: float

    def __post_init__(self) -> None:
        if not (0 <= self.stated <= 1 and 0 <= self.hit_rate <= 1 and self.count >= 0):
            raise DeepirError(
                "a stated probability and a share that hit lie in [0, 1], of 0 or more detections,"
                f" got {self}"
            )


@dataclass(frozen=True)
class Calibration:
    """How the scores of one network are to be read.

    ``odds`` is for scores as the network gives them, ``local`` for those without the scene's say
    (the same, where it has none). ``thresholds`` are pairs of a budget of false objects a frame and
    the local score that kept to it, budgets rising. ``reliability`` holds the ``odds`` against what
    came true, on the very frames that they were fitted on. ``frames`` and ``data`` say which.

    Raises:
        DeepirError: budgets that do not rise, thresholds outside [0, 1], or no frame.
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
        if ((values[:, 1] < 0) | (values[:, 1] > 1)).any():
            raise DeepirError(f"thresholds are scores in [0, 1], got {self.thresholds}")
        if self.frames < 1:
            raise DeepirError(f"a calibration is of 1 frame or more, got {self.frames}")

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
            DeepirError: fields that are missing, of another kind or out of their range.
        """
        try:
            return cls(
                Platt(**{key: _number(part) for key, part in value["odds"].items()}),
                Platt(**{key: _number(part) for key, part in value["local"].items()}),
                tuple((_number(budget), _number(score)) for budget, score in value["thresholds"]),
                tuple(_bin(**part) for part in value["reliability"]),
                _whole(value["frames"]),
                _text(value["data"]),
            )
        except DeepirError as error:
            raise DeepirError(f"the calibration does not fit: {error}") from None
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DeepirError(f"the calibration does not fit: {error!r:.200}") from None


def _bin(stated: object, count: object, hit_rate: object) -> Bin:
    return Bin(_number(stated), _whole(count), _number(hit_rate))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a number is wanted, got {value!r:.60}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a finite number is wanted, got {number}")
    return number


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST:
        raise TypeError(f"a whole number up to {_MOST} is wanted, got {value!r:.60}")
    return value


_MOST = 10**15


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > _LONGEST:
        raise TypeError(f"a text of one line is wanted, got {value!r:.60}")
    return value


_LONGEST = 1000


def log_odds(scores: ArrayLike) -> Floats:
    """Logarithm of the odds s / (1 - s) of scores (N,); finite at 0 and 1.

    >>> log_odds([0.5, 0.0]).round(3).tolist()
    [0.0, -13.816]
    """
    inside = np.clip(np.asarray(scores, dtype=np.float64), LEAST_SCORE, 1 - LEAST_SCORE)
    values: Floats = np.log(inside) - np.log1p(-inside)
    return values
