"""The largest singular values of a matrix that changes little from one call to the next.

A solver's thresholds leave few singular values in most of its iterations, and their vectors are
nearly those of the iteration before. From these a few multiplications lead to the new ones, and
what is left without them is proven to have none above the threshold. Of more values the largest are
found that way, and what is left is precise enough in single precision. Where neither works, all is
computed in double precision. The results are equal to some 1e-8 of the largest value, the times are
not.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from deepir.classical.low_rank.krylov import Krylov, orthonormal
from deepir.classical.low_rank.products import gram, product
from deepir.classical.low_rank.remainder import Remainder, remainder32
from deepir.classical.low_rank.singular_values import (
    Parts,
    largest_pairs,
    pairs_above,
    small_gram,
    tall,
)

Floats = NDArray[np.float64]

SMALL = 1000
"""Matrices whose shorter side is at most so long are decomposed at once, which takes 0.1 s."""

_FEW, _ASKED, _SOME, _MANY, _CROWD = 40, 20, 3, 4, 6
"""The ways pay off up to n / 40 values (from the last; n / 20 where values below the threshold are
wanted) and n / 3 (single precision, values above the threshold alone: the last one wanted may be
hard to tell from the next). Above n / 4 it is quicker to compute all eigenvectors than to pick
some, in single precision above n / 6."""

_DIRECT = 256
"""Up to this shorter side vectors come from the matrix itself, not from its Gram matrix, which
knows a value s no better than 1e-16 of (largest squared) / s."""

_PROOFS = 3  # that are tried
_LEAD = 6.0  # times the threshold: values from which on double precision is needed
_LOW = 0.01  # of the largest value: thresholds up to which the rest's errors are small beside it
_SLACK = 1e-4  # by which single precision may misjudge a value
_SEED = 5


class Leading:
    """Parts of one matrix after the other, each call starting from the last result."""

    def __init__(self) -> None:
        self._values = np.zeros(0)
        self._basis: Floats | None = None
        self._remainder = Remainder()

    def expects_many(self, size: int) -> bool:
        """Whether a matrix with this shorter side had so many parts that all cost no more."""
        return len(self._values) * _MANY > size

    def above(self, matrix: Floats, threshold: float, *, least: int = 0) -> Parts:
        """All parts with values above ``threshold``, and the ``least`` largest in any case.

        ``matrix`` in double precision, of the same shape in every call.
        """
        found = self._from_last(matrix, threshold, least)
        if found is None:
            found = self._in_single_precision(matrix, threshold, least)
            if found is None:
                many = self.expects_many(min(matrix.shape))
                asked = self._asked(threshold, least)
                found = _at_once(matrix, threshold, least, all_of_them=many, asked=asked)
            self._basis = found.vectors
        self._values = found.values
        return found

    def _from_last(self, matrix: Floats, threshold: float, least: int) -> Parts | None:
        """The parts from the last basis; None where that is no good way or nothing proves them."""
        size, expected = min(matrix.shape), max(least, len(self._values))
        few = _ASKED if self._asked(threshold, least) else _FEW
        if size <= SMALL or expected * few > size:
            return None
        space = Krylov(matrix, self._widened(size, expected))
        for _ in range(_PROOFS):
            wanted = space.converge(threshold, least)
            if wanted is None:
                return None
            self._basis = space.parts.vectors
            last = float(space.parts.values[wanted - 1]) if wanted else np.inf
            level = min(threshold, last)
            bound = self._remainder.bound(matrix, space.parts, level)
            if bound is None:
                space.grow(wanted, self._remainder.missed)
            elif space.complete(wanted, level, bound):
                return space.parts.first(wanted)
            else:
                space.approach(wanted, level, bound)
        return None

    def _in_single_precision(self, matrix: Floats, threshold: float, least: int) -> Parts | None:
        size = min(matrix.shape)
        if size <= SMALL or len(self._values) * _SOME > size or not len(self._values):
            return None
        if self._asked(threshold, least):
            return None
        level = _LEAD * threshold
        space = Krylov(matrix, self._widened(size, int((self._values > level).sum())))
        wanted = space.converge(level, 0)
        if not wanted or threshold > _LOW * space.parts.values[0]:
            return None
        many = len(self._values) * _CROWD > size
        parts = _with_more(space.parts.first(wanted), matrix, threshold, all_of_them=many)
        return parts if len(parts.values) >= least else None

    def _asked(self, threshold: float, least: int) -> bool:
        """Whether values below the threshold are wanted, by those found last."""
        return int((self._values > threshold).sum()) < least

    def _widened(self, size: int, expected: int) -> Floats:
        """As much of the last basis as is wanted, and random vectors: orthonormal (n, k)."""
        width = min(size, 16 + expected + expected // 3)
        given = np.zeros((size, 0)) if self._basis is None else self._basis[:, :width]
        missing = width - given.shape[1]
        random = np.random.default_rng(_SEED).standard_normal((size, missing))
        return orthonormal(np.hstack([given, random]))


def decomposed(matrix: Floats) -> tuple[Floats, Floats]:
    """All singular values, largest first, and the vectors (n, n) of the shorter side."""
    if min(matrix.shape) <= _DIRECT:
        triangle = np.linalg.qr(tall(matrix), mode="r")
        _, values, right = np.linalg.svd(triangle)
        return values, right.T
    squares, vectors = scipy.linalg.eigh(small_gram(matrix), driver="evd", check_finite=False)
    return np.sqrt(np.maximum(squares[::-1], 0)), vectors[:, ::-1]


def _with_more(lead: Parts, matrix: Floats, threshold: float, *, all_of_them: bool) -> Parts:
    """The leading parts, and those of the rest above a threshold, from single precision.

    Their space is that of eigenvectors of the rest's Gram matrix in single precision, whose
    rounding is small against the squared threshold, not against the largest square. Inside that
    space vectors and values are found in double precision.
    """
    rest = remainder32(matrix, lead)
    floor = ((1 - _SLACK) * threshold) ** 2
    squared = small_gram(rest)
    if all_of_them:
        squares, singles = scipy.linalg.eigh(squared, driver="evd", check_finite=False)
        singles = singles[:, squares > floor]
    else:
        singles = pairs_above(squared, floor)[1]
    if not singles.size:
        return lead
    vectors = singles.astype(np.float64)
    vectors -= product(lead.vectors, product(lead.vectors.T, vectors))
    vectors = orthonormal(vectors)
    images = product(tall(matrix), vectors)
    squares, turn = scipy.linalg.eigh(gram(images), driver="evd", check_finite=False)
    turn = turn[:, squares > threshold**2][:, ::-1]
    return Parts(
        np.concatenate([lead.values, np.sqrt(squares[squares > threshold**2][::-1])]),
        np.hstack([lead.vectors, product(vectors, turn)]),
        np.hstack([lead.images, product(images, turn)]),
    )


def _at_once(
    matrix: Floats, threshold: float, least: int, *, all_of_them: bool, asked: bool
) -> Parts:
    """Parts from an eigendecomposition in double precision."""
    if all_of_them or min(matrix.shape) <= _DIRECT:
        values, vectors = decomposed(matrix)
        wanted = max(least, int((values > threshold).sum()))
        values, vectors = values[:wanted], vectors[:, :wanted]
    else:
        squares, vectors = _picked(small_gram(matrix), threshold**2, least, asked=asked)
        values, vectors = np.sqrt(np.maximum(squares[::-1], 0)), vectors[:, ::-1]
    return Parts(values, vectors, product(tall(matrix), vectors))


def _picked(squared: Floats, level: float, least: int, *, asked: bool) -> tuple[Floats, Floats]:
    """Eigenvalues above a level, ascending, the ``least`` largest in any case, and their vectors.

    Where these are ``asked`` for they come first, and are mostly enough.
    """
    if asked:
        squares, vectors = largest_pairs(squared, least)
        if len(squares) == len(squared) or squares[0] <= level:
            return squares, vectors
    squares, vectors = pairs_above(squared, level)
    if len(squares) < min(least, len(squared)):
        return largest_pairs(squared, least)
    return squares, vectors
