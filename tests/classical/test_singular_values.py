"""Thresholds on singular values are those of a singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import low_rank as oracle

from deepir.classical.low_rank.singular_values import largest_pairs, pairs_above, psvt, svt

sides = st.integers(1, 12)


def random_matrix(rows, columns, seed, rank=None):
    generator = np.random.default_rng(seed)
    if rank is None:
        return generator.normal(0, 10, (rows, columns))
    return generator.normal(0, 3, (rows, rank)) @ generator.normal(0, 3, (rank, columns))


@given(sides, sides, st.integers(0, 99), st.floats(0, 40), st.booleans())
def test_svt_is_that_of_the_full_decomposition(rows, columns, seed, threshold, few):
    matrix = random_matrix(rows, columns, seed)
    wanted, rank = oracle.psvt(matrix, threshold, 0)
    found = svt(matrix, threshold, few=few)
    np.testing.assert_allclose(found.matrix, wanted, atol=1e-10)
    assert found.rank == rank


@pytest.mark.parametrize("shape", [(9, 6), (6, 9), (7, 7)])
@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("threshold", [0.5, 8.0, 1e3])
def test_psvt_protects_any_number(shape, few, threshold):
    matrix = random_matrix(*shape, seed=3)
    for protected in range(max(shape) + 2):
        wanted, rank = oracle.psvt(matrix, threshold, protected)
        found = psvt(matrix, threshold, protected, few=few)
        np.testing.assert_allclose(found.matrix, wanted, atol=1e-10)
        assert found.rank == rank


@pytest.mark.parametrize("few", [False, True])
def test_a_low_rank_matrix_keeps_its_rank(few):
    matrix = random_matrix(40, 30, seed=5, rank=4)
    found = psvt(matrix, 1e-3, 2, few=few)
    assert found.rank == 4
    np.testing.assert_allclose(found.matrix, oracle.psvt(matrix, 1e-3, 2)[0], atol=1e-9)


@given(sides, sides, st.integers(0, 99), st.floats(0, 40), st.integers(0, 5))
def test_a_turned_matrix_gives_the_turned_result(rows, columns, seed, threshold, protected):
    matrix = random_matrix(rows, columns, seed)
    turned = psvt(matrix.T.copy(), threshold, protected)
    np.testing.assert_allclose(turned.matrix.T, psvt(matrix, threshold, protected).matrix)


@given(st.permutations(range(8)), st.permutations(range(5)), st.floats(0, 40))
def test_rows_and_columns_may_stand_in_any_order(rows, columns, threshold):
    matrix = random_matrix(8, 5, seed=1)
    mixed = svt(matrix[rows][:, columns], threshold).matrix
    wanted = svt(matrix, threshold).matrix[rows][:, columns]
    np.testing.assert_allclose(mixed, wanted, atol=1e-10)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (4, 3)])
def test_nothing_comes_back_as_nothing(shape):
    found = psvt(np.zeros(shape), 0.0, 2)
    assert found.matrix.shape == shape
    assert found.rank == 0
    assert not found.matrix.any()


@pytest.mark.parametrize("scale", [7e-6, 7.0])
def test_nearly_equal_eigenvalues_are_picked_too(scale):
    for seed in range(30):  # LAPACK fails for about one in four of them
        basis = np.linalg.qr(random_matrix(70, 60, seed))[0]
        squared = scale**2 * basis.T @ basis
        for squares, vectors in (pairs_above(squared, 0.5 * scale**2), largest_pairs(squared, 60)):
            np.testing.assert_allclose(squares, np.full(60, scale**2))
            np.testing.assert_allclose(vectors.T @ vectors, np.eye(60), atol=1e-10)
        assert largest_pairs(squared, 3)[1].shape == (60, 3)
        assert pairs_above(squared, np.inf)[1].shape == (60, 0)
