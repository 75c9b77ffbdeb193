"""Products by SciPy's library are those of NumPy, however the matrices lie in memory."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.classical.low_rank.products import gram, product

KINDS = [np.float32, np.float64]


def laid_out(matrix):
    """The same numbers in rows, in columns, and with gaps."""
    wide = np.zeros((len(matrix), 2 * matrix.shape[1]), matrix.dtype)
    wide[:, ::2] = matrix
    return [matrix.copy(), np.asfortranarray(matrix), wide[:, ::2], np.flipud(matrix[::-1].copy())]


def numbers(shape, kind, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inner", [1, 5, 300])
def test_products_are_those_of_numpy(kind, inner):
    left, right = numbers((7, inner), kind), numbers((inner, 4), kind, seed=1)
    wanted = left.astype(float) @ right
    for one in laid_out(left):
        for other in laid_out(right):
            found = product(one, other)
            assert found.dtype == kind
            np.testing.assert_allclose(found, wanted, atol=1e-12 if kind == np.float64 else 1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_products_are_written_where_they_shall_be(kind):
    left, right = numbers((7, 5), kind), numbers((5, 4), kind, seed=1)
    for out in laid_out(np.full((7, 4), np.nan, kind)):
        assert product(left, right, out) is out
        np.testing.assert_allclose(out, left @ right, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (20, 700), (700, 20), (300, 257), (5, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_gram_matrices_are_symmetric_and_whole(shape, kind):
    matrix = numbers(shape, kind)
    wanted = matrix.T.astype(float) @ matrix
    for one in laid_out(matrix):
        found = gram(one)
        assert found.dtype == kind
        assert (found == found.T).all()
        np.testing.assert_allclose(found, wanted, atol=1e-11 if kind == np.float64 else 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_add_up_is_zero(kind):
    out = np.full((3, 4), np.nan, kind)
    assert not product(np.zeros((3, 0), kind), np.zeros((0, 4), kind), out).any()
    assert product(np.zeros((0, 3), kind), np.zeros((3, 4), kind)).shape == (0, 4)
    assert not gram(np.zeros((0, 3), kind)).any()
    assert gram(np.zeros((3, 0), kind)).shape == (0, 0)
