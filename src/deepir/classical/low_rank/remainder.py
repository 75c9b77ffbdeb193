"""What is left of a matrix without its largest parts, and a bound on its singular values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from deepir.classical.bands import bands
from deepir.classical.low_rank.products import product
from deepir.classical.low_rank.singular_values import Parts, small_gram, tall

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MARGIN = 1e-3
"""Share of a squared level kept for the rounding of single precision.

Products of 2880 entries each err by about 1e-5 of the largest squared singular value of a
remainder, and the factorisation by less.
"""

_NUMBERS_AT_ONCE = 262_144  # of a matrix: 2 MB
_STEPS, _VECTORS = 6, 8  # of the power method
_CLOSE = (1.1, 1.3)  # bounds tried, as multiples of what the power method finds


class Remainder:
    """Bounds on the spectral norms of remainders that change little from one to the next.

    Where a remainder is close to a multiple of one with a known bound, the triangle inequality
    bounds it. Where that does not do, ``bound^2 - N.T N`` is shown to be positive definite by its
    Cholesky factorisation, in single precision: with the largest parts gone, that is precise
    enough.
    """

    def __init__(self) -> None:
        self.missed: Floats | None = None  # vectors (n, 8) of what exceeded the level last
        self._known: Singles | None = None
        self._bound = 0.0
        self._square = 0.0

    def bound(self, matrix: Floats, parts: Parts, level: float) -> float | None:
        """A bound below ``level`` on the norm of ``matrix`` without ``parts``; None: none known.

        The parts have orthonormal vectors and need not be those of singular values.
        """
        enough = level * float(np.sqrt(1 - MARGIN))
        rest, square, cross = self._compare(matrix, parts)
        if square <= enough**2:
            return float(np.sqrt(square))
        if self._known is not None:
            scale = cross / self._square
            drift = max(square - scale * cross, 0.0) + 1e-14 * square
            bound = abs(scale) * self._bound + float(np.sqrt(drift))
            if bound <= enough:
                return bound
        squares = small_gram(rest)
        largest, vectors = _largest(squares)
        for found in (*(largest * factor for factor in _CLOSE), enough):
            if largest < found <= enough and _is_below(squares, found):
                self._known, self._bound, self._square = rest, found * (1 + MARGIN / 2), square
                return self._bound
        self.missed = vectors.astype(np.float64)
        return None

    def _compare(self, matrix: Floats, parts: Parts) -> tuple[Singles, float, float]:
        """The remainder, its squared norm, and its product with the known one."""
        rest, square, cross = np.empty(matrix.shape, np.float32), 0.0, 0.0
        for rows, part in _without(matrix, parts):
            rest[rows] = part
            square += float(np.vdot(part, part))
            if self._known is not None:
                cross += float(np.vdot(part, self._known[rows].astype(np.float64)))
        return rest, square, cross


def remainder32(matrix: Floats, parts: Parts) -> Singles:
    """The matrix less its parts, in single precision."""
    rest = np.empty(matrix.shape, np.float32)
    for rows, part in _without(matrix, parts):
        rest[rows] = part
    return rest


def _without(matrix: Floats, parts: Parts) -> Iterator[tuple[slice, Floats]]:
    """Some rows after the other of the matrix less its parts."""
    left, right = parts.images, parts.vectors
    if tall(matrix) is not matrix:
        left, right = right, left
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    for rows in bands(matrix.shape, pixels=_NUMBERS_AT_ONCE):
        yield rows, matrix[rows] - product(left[rows], right.T)


def _is_below(squares: Singles, bound: float) -> bool:
    shifted = -squares
    shifted.flat[:: len(squares) + 1] += np.float32(bound**2)
    failed = lapack.spotrf(shifted.T, lower=1, clean=0, overwrite_a=1)[1]
    return int(failed) == 0


def _largest(squares: Singles) -> tuple[float, Singles]:
    """Square root of the largest eigenvalue, or a little less, and vectors (n, 8) towards it."""
    random = np.random.default_rng(len(squares))
    vectors = random.standard_normal((len(squares), _VECTORS), np.float32)
    for _ in range(_STEPS):
        vectors = product(squares, np.linalg.qr(vectors)[0])
    images = product(squares, basis := np.linalg.qr(vectors)[0])
    return float(np.sqrt(max(np.linalg.eigvalsh(basis.T @ images)[-1], 0))), basis
