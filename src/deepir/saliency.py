"""What a filter makes of a frame: its map, and what the making of it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Diagnostic = int | float | str
"""A count, a measure, or a word such as the reason to stop."""


@dataclass(frozen=True, eq=False)
class Saliency:
    """Signed raw map (H, W) float64 in its filter's own unit, and diagnostics by name.

    Names of diagnostics that several filters share: ``iterations``, ``stop`` (the rule that ended
    them), ``rank`` (of the background at the end), ``nonzeros`` (of the target part before patches
    are put together), ``candidates`` and ``solves``.

    >>> Saliency(np.zeros((1, 1)), {"iterations": 3}).diagnostics["iterations"]
    3
    """

    values: NDArray[np.float64]
    diagnostics: Mapping[str, Diagnostic] = field(default_factory=dict)


Filter = Callable[[NDArray[np.float64]], NDArray[np.float64] | Saliency]
"""Frame (H, W) float64 in its own grey levels -> signed raw map (H, W) or `Saliency`."""
