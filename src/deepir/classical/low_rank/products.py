"""Products of large matrices by SciPy's linear algebra, which the decompositions use as well.

NumPy and SciPy each bring a library with threads of its own. Those of one keep their core for a
while after a product, so that the other's wait: by turns they took 1.5 times as long on two threads
as these functions, and nearly as long as on one.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

Reals = TypeVar("Reals", np.float32, np.float64)

_DOUBLE, _SINGLE = np.dtype(np.float64), np.dtype(np.float32)
_GEMM = {_DOUBLE: blas.dgemm, _SINGLE: blas.sgemm}
_SYRK = {_DOUBLE: blas.dsyrk, _SINGLE: blas.ssyrk}
_MIRRORED = 256  # rows and columns at once


def product(
    left: NDArray[Reals], right: NDArray[Reals], out: NDArray[Reals] | None = None
) -> NDArray[Reals]:
    """``left @ right`` of two matrices of one kind, single or double; ``out`` as `numpy.matmul`.

    Whatever is neither in rows nor in columns in memory is copied. Of an empty matrix: zeros.

    >>> product(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]])[:, ::-1]).tolist()
    [[2.0, 1.0], [4.0, 3.0]]
    """
    shape = left.shape[0], right.shape[1]
    result = np.empty(shape, left.dtype) if out is None else out
    if not left.size or not right.size:
        result[...] = 0
        return result
    if result.flags.f_contiguous:
        _multiply(left, right, result)
    else:
        _multiply(right.T, left.T, result.T)
    return result


def gram(matrix: NDArray[Reals]) -> NDArray[Reals]:
    """``matrix.T @ matrix``, of which only one half is computed.

    >>> gram(np.array([[1.0, 2.0], [0.0, 1.0]])).tolist()
    [[1.0, 2.0], [2.0, 5.0]]
    """
    size = matrix.shape[1]
    if not matrix.size:
        return np.zeros((size, size), matrix.dtype)
    turned, is_turned = _in_columns(matrix)
    turned_half: Any = _SYRK[matrix.dtype](1.0, turned, trans=not is_turned, lower=0)
    half = turned_half.T  # the lower one
    for start in range(0, size, _MIRRORED):
        end = min(start + _MIRRORED, size)
        half[start:end, end:] = half[end:, start:end].T
        square = half[start:end, start:end]
        square += np.tril(square, -1).T
    return np.asarray(half)


def _multiply(left: NDArray[Any], right: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the product to ``out``, which lies in columns."""
    first, first_turned = _in_columns(left)
    second, second_turned = _in_columns(right)
    written = _GEMM[out.dtype](
        1.0,
        first,
        second,
        c=out,
        trans_a=first_turned,
        trans_b=second_turned,
        overwrite_c=1,
    )
    if not np.may_share_memory(written, out):
        out[...] = written


def _in_columns(matrix: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """The matrix or its transpose, whichever lies in columns, and whether it is the transpose."""
    if matrix.flags.f_contiguous:
        return matrix, False
    return np.ascontiguousarray(matrix).T, True
