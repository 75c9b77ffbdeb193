"""What a filter makes of a frame: its map, and what the making of it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.errors import FrameError

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


def checked_map(found: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """What a filter, or the scale of its map, gave for a frame of ``shape`` (H, W), as float64.

    Raises:
        FrameError: no real numbers, another shape (every point would be off), or a pixel that is
            NaN or infinite.

    >>> checked_map([[1, 2]], (1, 2)).dtype.name
    'float64'
    """
    try:
        values = np.asarray(found)
    except ValueError:  # such as a tuple of a map and something else
        raise FrameError(
            f"a map (H, W) is wanted, the filter gave a {type(found).__name__}"
        ) from None
    if values.dtype.kind not in "buif":
        raise FrameError(f"a map holds real numbers, the filter gave {_kind(found, values)}")
    if values.shape != shape:
        raise FrameError(
            f"a map has the shape of its frame, {shape}, the filter gave {values.shape}"
        )
    values = values.astype(np.float64, copy=False)
    if not np.isfinite(values).all():
        y, x = np.argwhere(~np.isfinite(values))[0].tolist()
        count = int((~np.isfinite(values)).sum())
        raise FrameError(
            f"every pixel of a map needs a finite number, the filter gave {values[y, x]} at x {x},"
            f" y {y} ({count} of {values.size} pixels are none)"
        )
    return values


def _kind(found: object, values: NDArray[np.generic]) -> str:
    return f"dtype {values.dtype}" if values.ndim else f"a {type(found).__name__}"
