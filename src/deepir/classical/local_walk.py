"""Random walks from the pixels of a small window: which reach its centre before its edge.

Neighbouring pixels are joined by weights that fall with the difference of their levels, so a walk
hardly leaves a blob whose rim is steep. The chance of reaching the centre solves one linear system
of 81 unknowns and bandwidth 9 a window.

Grady, "Random Walks for Image Segmentation", IEEE TPAMI 28(11), 2006.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

REACH = 5
"""A window has 11 x 11 pixels; its outermost ring is where walks end."""

INNER = 2 * REACH - 1

_LEAST_WEIGHT = 1e-5
_LIKELY = 0.5
_MIDDLE = INNER // 2
_BLOCK = 256  # windows whose systems are made at once: 2 MB

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]
Places = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, eq=False)
class Walks:
    """Walks around N places, in the order in which they were solved.

    ``rows`` and ``columns`` (N,) of the centres; ``windows`` (N, 11, 11) levels; ``chances`` the
    same shape, 1 in the centre and 0 on the ring; ``regions`` where the chance is at least 1/2.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    windows: Floats
    chances: Floats
    regions: Masks


def walks_around(levels: Floats, places: Places, *, beta: float, white: float) -> Walks:
    """Solve for one place after the other, but for those in the region of an earlier one.

    ``levels`` (H, W) are mirrored about their edge pixels; ``places`` are rows and columns, (N,)
    each. The weight between neighbours is exp(-``beta`` times their difference), plus 1e-5. Pixels
    other than the centre whose level is ``white`` end a walk as the ring does (infinity: none).
    """
    extended = np.pad(levels, REACH, mode="reflect") if levels.size else levels
    claimed = np.zeros(extended.shape, dtype=bool)
    kept: list[int] = []
    chances: list[Floats] = []
    for start in range(0, len(places[0]), _BLOCK):
        rows, columns = (axis[start : start + _BLOCK] for axis in places)
        free = np.flatnonzero(~claimed[rows + REACH, columns + REACH])
        windows = _windows_at(extended, (rows[free], columns[free]))
        for index, (system, known) in zip(free, _systems(windows, beta, white), strict=True):
            top, left = int(rows[index]) + 1, int(columns[index]) + 1  # of the inner window
            inside = claimed[top : top + INNER, left : left + INNER]
            if inside[_MIDDLE, _MIDDLE]:
                continue
            chance = lapack.dpbsv(system.T, known, lower=1, overwrite_ab=1)[1]
            inside |= chance.reshape(INNER, INNER) >= _LIKELY
            kept.append(start + int(index))
            chances.append(chance)
    return _walks(extended, (places[0][kept], places[1][kept]), chances)


def _walks(extended: Floats, places: Places, chances: list[Floats]) -> Walks:
    """Put the solutions, (81,) each, back into their windows."""
    rows, columns = places
    full = np.zeros((len(rows), INNER + 2, INNER + 2))
    full[:, 1:-1, 1:-1] = np.reshape(chances, (-1, INNER, INNER))
    return Walks(rows, columns, _windows_at(extended, places), full, full >= _LIKELY)


def _windows_at(extended: Floats, places: Places) -> Floats:
    """Windows (N, 11, 11) around places of a frame that was extended by `REACH`."""
    rows, columns = places
    along = np.arange(INNER + 2)
    found: Floats = extended[rows[:, None, None] + along[:, None], columns[:, None, None] + along]
    return found


def _systems(windows: Floats, beta: float, white: float) -> Iterator[tuple[Floats, Floats]]:
    """Laplacian of the inner pixels and its right side, for each window.

    The matrix (81, 10) holds of each column the diagonal and the nine entries below it. A pixel
    whose chance is known has an equation of its own, x = 1 or x = 0.
    """
    across, down = (np.exp(-beta * np.abs(np.diff(windows, axis=axis))) for axis in (2, 1))
    across += _LEAST_WEIGHT
    down += _LEAST_WEIGHT
    degree = across[:, 1:-1, :-1] + across[:, 1:-1, 1:] + down[:, :-1, 1:-1] + down[:, 1:, 1:-1]
    right, below = np.zeros(degree.shape), np.zeros(degree.shape)  # weight to the next pixel
    right[:, :, :-1] = across[:, 1:-1, 1:-1]
    below[:, :-1] = down[:, 1:-1, 1:-1]
    known = np.zeros(degree.shape)
    known[:, _MIDDLE, _MIDDLE - 1] = right[:, _MIDDLE, _MIDDLE - 1]
    known[:, _MIDDLE, _MIDDLE + 1] = right[:, _MIDDLE, _MIDDLE]
    known[:, _MIDDLE - 1, _MIDDLE] = below[:, _MIDDLE - 1, _MIDDLE]
    known[:, _MIDDLE + 1, _MIDDLE] = below[:, _MIDDLE, _MIDDLE]
    ended = windows[:, 1:-1, 1:-1] == white
    known[ended] = 0
    known[:, _MIDDLE, _MIDDLE] = 1
    ended[:, _MIDDLE, _MIDDLE] = True
    degree[ended] = 1
    right[ended] = below[ended] = 0
    right[:, :, :-1][ended[:, :, 1:]] = below[:, :-1][ended[:, 1:]] = 0
    system = np.zeros((len(windows), INNER * INNER, INNER + 1))
    for entry, values in ((0, degree), (1, -right), (INNER, -below)):
        system[:, :, entry] = values.reshape(-1, INNER * INNER)
    return zip(system, known.reshape(-1, INNER * INNER), strict=True)
