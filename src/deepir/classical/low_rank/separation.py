"""A frame taken apart into background and target, and how the solver came to its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deepir.errors import UsageError
from deepir.saliency import Diagnostic, Saliency

Floats = NDArray[np.float64]

Stop = Literal["tolerance", "rank rule", "support rule", "max_iter", "time_limit", "constant frame"]
"""Why a solver ended: it converged, a published early stop, a user's limit, nothing to solve."""


@dataclass(frozen=True, eq=False)
class Separation:
    """Target and background maps (H, W) in the unit that the method states, with its diagnostics.

    ``rank`` is that of the background at the end, ``nonzeros`` counts the target part before the
    patches are put together, ``details`` are what only this method has.
    """

    target: Floats
    background: Floats
    iterations: int
    stop: Stop
    rank: int
    nonzeros: int
    details: Mapping[str, Diagnostic] = field(default_factory=dict)

    def saliency(self) -> Saliency:
        """The target map as a detector reads it, with all diagnostics."""
        own = {
            "iterations": self.iterations,
            "stop": self.stop,
            "rank": self.rank,
            "nonzeros": self.nonzeros,
        }
        return Saliency(self.target, {**own, **self.details})


class Budget:
    """Iterations and seconds that a solver may take; it starts when it is made.

    ``max_iter`` is at least 1; ``time_limit`` in seconds is above 0, None: no limit. A solver that
    hits a limit returns the last complete iterate and says so.

    Raises:
        UsageError: a limit that leaves no time at all.
    """

    def __init__(self, max_iter: int, time_limit: float | None = None) -> None:
        if max_iter < 1:
            raise UsageError(f"max_iter is at least 1, got {max_iter}")
        if time_limit is not None and not time_limit > 0:
            raise UsageError(f"time_limit is in seconds and above 0, got {time_limit}")
        self.max_iter = max_iter
        self._end = None if time_limit is None else time.monotonic() + time_limit

    def hit(self, iterations: int) -> Stop | None:
        """The limit reached after so many iterations, None while there is some left.

        >>> Budget(3).hit(2), Budget(3).hit(3)
        (None, 'max_iter')
        """
        if iterations >= self.max_iter:
            return "max_iter"
        if self._end is not None and time.monotonic() >= self._end:
            return "time_limit"
        return None
