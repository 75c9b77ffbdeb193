"""Thresholds on singular values, without a singular value decomposition.

The eigenvalues of the small Gram matrix are the squares of the singular values, and its
eigenvectors carry the result over: of an m x n matrix only an n x n problem is solved. In double
precision that gives a singular value s with an error of about eps * s_1^2 / (2 s), s_1 the
largest one; in single precision nothing here would be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from deepir.classical.low_rank.products import Reals, gram, product

Floats = NDArray[np.float64]

_eigh: Any = partial(scipy.linalg.eigh, check_finite=False)


@dataclass(frozen=True, eq=False)
class Shrunk:
    """A matrix (m, n) whose singular values were lowered, and how many of them stayed above 0."""

    matrix: Floats
    rank: int


@dataclass(frozen=True, eq=False)
class Parts:
    """Some singular values (r,) of a matrix (m, n), largest first, and its parts that have them.

    ``vectors`` (min(m, n), r) are those of the shorter side, ``images`` (max(m, n), r) the matrix
    times them: the vectors of the other side times the values.
    """

    values: Floats
    vectors: Floats
    images: Floats

    def first(self, count: int) -> Parts:
        """The parts of the ``count`` largest values."""
        return Parts(self.values[:count], self.vectors[:, :count], self.images[:, :count])

    def write(self, weights: Floats, out: Floats) -> None:
        """Add up the parts, each times its weight (r,), in a matrix of the original's shape."""
        product(self.images * weights, self.vectors.T, tall(out))


def svt(matrix: Floats, threshold: float, *, few: bool = False) -> Shrunk:
    """Lower all singular values by a threshold, those below it to 0.

    ``matrix`` (m, n) float64; ``threshold`` at least 0, in its unit. With ``few`` only eigenvectors
    above the threshold are computed, which is faster up to about an eighth of them; the result is
    the same to rounding. An empty matrix comes back with rank 0.

    Cai, Candès, Shen, "A singular value thresholding algorithm for matrix completion", SIAM J.
    Optimization 20(4), 2010, equation 2.2.

    >>> svt(np.diag([5.0, 3.0, 1.0]), 2.0).matrix.diagonal().round(9).tolist()
    [3.0, 1.0, 0.0]
    """
    return psvt(matrix, threshold, 0, few=few)


def psvt(matrix: Floats, threshold: float, protected: int, *, few: bool = False) -> Shrunk:
    """Lower singular values by a threshold, except the ``protected`` largest.

    ``matrix`` (m, n) float64; ``protected`` from 0 up, more than min(m, n) counts as that. ``rank``
    counts protected values too, where they are not 0. ``few`` as in `svt`; protected values below
    the threshold need all eigenvectors and get them.

    Oh et al., "Partial sum minimization of singular values in robust PCA", IEEE TPAMI 38(4), 2016,
    equation 6.

    >>> psvt(np.diag([5.0, 3.0, 1.0]), 2.0, 1).matrix.diagonal().round(9).tolist()
    [5.0, 1.0, 0.0]
    """
    if not matrix.size:
        return Shrunk(matrix.copy(), 0)
    squares = small_gram(matrix)
    values, vectors = _pairs(squares, threshold if few else None)
    if len(values) < min(protected, len(squares)):
        values, vectors = _pairs(squares, None)
    share = kept_share(values, threshold, protected)
    above = share > 0
    return Shrunk(weighted(matrix, vectors[:, above], share[above]), int(above.sum()))


def tall(matrix: NDArray[Reals]) -> NDArray[Reals]:
    """The matrix, turned where it has fewer rows than columns; a view."""
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T


def small_gram(matrix: NDArray[Reals]) -> NDArray[Reals]:
    """The Gram matrix of the shorter side: of the rows of a wide matrix, the columns of others.

    >>> small_gram(np.array([[1.0, 2.0, 3.0]])).tolist()
    [[14.0]]
    """
    return gram(tall(matrix))


def weighted(matrix: Floats, vectors: Floats, weights: Floats) -> Floats:
    """Parts of a matrix (m, n) by singular vectors, each times a weight, added up.

    ``vectors`` (min(m, n), r) are those of the shorter side, as `small_gram` has them as
    eigenvectors; ``weights`` (r,).
    """
    upright = tall(matrix)
    rows, columns = upright.shape
    if len(weights) * (2 * rows - columns) < rows * columns:
        total = ((upright @ vectors) * weights) @ vectors.T
    else:
        total = upright @ ((vectors * weights) @ vectors.T)
    return total if upright.shape == matrix.shape else total.T


def kept_share(values: Floats, threshold: float, protected: int) -> Floats:
    """Share of each singular value (n,), largest first, that a threshold leaves.

    >>> kept_share(np.array([4.0, 2.0, 1.0, 0.0]), 1.0, 1).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    share = np.zeros_like(values)
    above = values > threshold
    share[above] = 1 - threshold / values[above]
    share[:protected] = values[:protected] > 0
    return share


def pairs_above(squared: NDArray[Reals], level: float) -> tuple[NDArray[Reals], NDArray[Reals]]:
    """Eigenvalues above a level, ascending, and vectors (n, r), of a symmetric matrix (n, n).

    They are picked. Where many are nearly equal LAPACK may fail to; then all are computed.

    >>> pairs_above(np.diag([1.0, 3.0, 2.0]), 1.5)[0].tolist()
    [2.0, 3.0]
    """
    if level == np.inf:
        return squared[0, :0], squared[:, :0]
    try:
        squares, vectors = _eigh(squared, driver="evr", subset_by_value=(level, np.inf))
    except np.linalg.LinAlgError:
        squares, vectors = _eigh(squared, driver="evd")
    first = int(np.searchsorted(squares, level, side="right"))
    return squares[first:], vectors[:, first:]


def largest_pairs(squared: NDArray[Reals], count: int) -> tuple[NDArray[Reals], NDArray[Reals]]:
    """The ``count`` largest eigenvalues, at least one, ascending, and vectors, as `pairs_above`.

    >>> largest_pairs(np.diag([1.0, 3.0, 2.0]), 2)[0].tolist()
    [2.0, 3.0]
    """
    size = len(squared)
    count = min(count, size)
    try:
        squares, vectors = _eigh(squared, driver="evr", subset_by_index=(size - count, size - 1))
    except np.linalg.LinAlgError:
        squares = squared[0, :0]
    if len(squares) < count:  # which is how it mostly fails
        squares, vectors = _eigh(squared, driver="evd")
    return squares[-count:], vectors[:, -count:]


def _pairs(squared: Floats, threshold: float | None) -> tuple[Floats, Floats]:
    """Singular values, largest first, and vectors (n, r): all, or those above a threshold."""
    if threshold is None:
        squares, vectors = _eigh(squared, driver="evd")
    else:
        squares, vectors = pairs_above(squared, threshold**2)
    return np.sqrt(np.maximum(squares[::-1], 0)), vectors[:, ::-1]
