"""The largest singular values of a matrix, approached in a space that grows by its residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from deepir.classical.low_rank.products import gram, product
from deepir.classical.low_rank.singular_values import Parts, tall

Floats = NDArray[np.float64]

TOLERANCE = 1e-8
"""Residuals of all parts together, as a share of the largest singular value.

Lowering singular values moves no two matrices further apart, so parts with that residual give a
background that is off by no more: 4e-9 of the largest entry of a patch matrix, about, and the rest
of a solver keeps it at that.
"""

_ROUNDS = 24  # of growing, before the vectors are given up
_SPARE = 4  # approximations beyond those wanted, at least
_SETTLED = 0.1  # relative residual at which such spare ones are near enough
_CONVERGED = 0.3  # share of the tolerance below which a part asks for nothing any more
_NOTHING = 1e-7  # of the largest value: what squares in double precision do not tell from 0
_WIDEST = 3  # times the parts, before the space is cut to them
_ACROSS, _DEPENDENT = 0.5, 1e-3  # least shares of a vector across the others: all but, enough
_PASSES, _LEANING = 6, 1e-14  # at most; products with the basis of what is outside
_LEAST = 1e-150  # divided by instead of 0


class Krylov:
    """Approximate parts of ``matrix`` (m, n) in the span of ``basis`` (min(m, n), k), which grows.

    ``basis`` is orthonormal; ``parts`` are the k largest, with orthonormal vectors.
    """

    def __init__(self, matrix: Floats, basis: Floats) -> None:
        self._matrix = tall(matrix)
        self._basis, self._images = basis, product(self._matrix, basis)
        self._width = basis.shape[1]
        self._solve()

    def _solve(self) -> None:
        squares, turn = scipy.linalg.eigh(gram(self._images), driver="evd", check_finite=False)
        squares, turn = squares[::-1][: self._width], turn[:, ::-1][:, : self._width]
        images = product(self._images, turn)
        values = np.sqrt(np.maximum(squares, 0))
        self.parts = Parts(values, product(self._basis, turn), images)
        self._residuals = product(self._matrix.T, images)
        self._residuals -= self.parts.vectors * squares
        self._lacking = np.linalg.norm(self._residuals, axis=0) / np.maximum(values, _LEAST)

    def converge(self, level: float, least: int) -> int | None:
        """Grow until all parts above a level are right, and ``least`` ones; how many they are.

        None where they are too many for the space, or do not come near in two dozen rounds.
        """
        for _ in range(_ROUNDS):
            values = self.parts.values
            wanted = max(least, int((values > level).sum()))
            spare = slice(wanted, wanted + _SPARE)
            if wanted + _SPARE > self._width:
                return None
            error = float(np.linalg.norm(self._lacking[:wanted]))
            near = self._lacking[spare] <= _SETTLED * values[spare]
            settled = (near | (values[spare] <= _NOTHING * values[0])).all()
            if settled and error <= TOLERANCE * values[0]:
                return wanted
            self.grow(wanted)
        return None

    def grow(self, wanted: int, more: Floats | None = None) -> None:
        """Add what the parts lack to the space, which is cut to the parts where it is wide.

        And ``more`` vectors (n, j). The space never gets wider than n.
        """
        size, width = self._basis.shape
        if width > min(_WIDEST * self._width, size - self._width):
            self._basis, self._images = self.parts.vectors, self.parts.images
        enough = _CONVERGED * TOLERANCE * self.parts.values[0] / np.sqrt(max(wanted, 1))
        there = self.parts.values > _NOTHING * self.parts.values[0]
        new = self._residuals[:, there & (self._lacking > enough)]
        if more is not None:
            new = np.hstack([more, new])
        new = new[:, : size - self._basis.shape[1]]
        new = _outside(self._basis, new)
        self._basis = np.hstack([self._basis, new])
        self._images = np.hstack([self._images, product(self._matrix, new)])
        self._solve()

    def approach(self, count: int, level: float, bound: float) -> None:
        """Grow until the space is `complete`, if its bound stays as it is, or some rounds."""
        for _ in range(_ROUNDS):
            self.grow(count)
            if self.complete(count, level, bound):
                return

    def complete(self, count: int, level: float, bound: float) -> bool:
        """Whether no more than ``count`` values of the matrix exceed the level: a proof if True.

        ``bound`` is one on the norm of the matrix without the parts. By Haynsworth's inertia
        formula it can raise the squares of the others by no more than the squared residual over
        the gap between the two squares.
        """
        gap = level**2 - bound**2
        residual = float(((self._lacking * self.parts.values) ** 2).sum())
        return gap > 0 and float(self.parts.values[count]) ** 2 + residual / gap < level**2


def _outside(basis: Floats, vectors: Floats) -> Floats:
    """Orthonormal vectors (n, j) outside a basis (n, k), j + k at most n, that span what is new.

    Once or twice is enough, mostly: where there is nothing new the rounding that is left may lie in
    the basis again.
    """
    for _ in range(_PASSES):
        vectors = orthonormal(vectors - product(basis, product(basis.T, vectors)))
        if not vectors.size or np.abs(product(basis.T, vectors)).max() < _LEANING:
            break
    return vectors


def orthonormal(vectors: Floats) -> Floats:
    """An orthonormal basis (n, k) of the span of vectors (n, k), and of more where they depend.

    ``k`` is at most n; squares of the entries do not overflow.
    """
    if not vectors.size:
        return vectors
    lengths = np.linalg.norm(vectors, axis=0)
    basis: NDArray[Any] = np.asfortranarray(vectors / np.maximum(lengths, _LEAST))
    independent = 0.0
    while independent < _ACROSS:  # once or twice
        upper, failed = lapack.dpotrf(gram(basis))
        independent = float(upper.diagonal().min())
        if failed or independent < _DEPENDENT:
            basis = scipy.linalg.qr(basis, mode="economic", check_finite=False)[0]
            break
        basis = np.asarray(blas.dtrsm(1.0, upper, basis, side=1))
    return basis
