"""Leading singular values from the last ones are those of a full decomposition, none missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import low_rank as oracle

from deepir.classical.low_rank import leading
from deepir.classical.low_rank.krylov import Krylov, orthonormal
from deepir.classical.low_rank.leading import Leading, _picked, decomposed
from deepir.classical.low_rank.remainder import Remainder
from deepir.classical.low_rank.singular_values import Parts, tall

VALUES = np.array([900.0, 300, 100, 40, 15, 6, 2])


@pytest.fixture
def eager(monkeypatch):
    """Warm starts and single precision for matrices that are small enough for a test."""
    monkeypatch.setattr(leading, "SMALL", 20)
    monkeypatch.setattr(leading, "_DIRECT", 0)
    monkeypatch.setattr(leading, "_FEW", 8)


def smooth(values, shape=(150, 120), seed=0, noise=0.02, turn=0.0):
    """Matrix with given largest values over noise; ``turn`` moves its vectors a little."""
    generator = np.random.default_rng(seed)
    left, right = (
        np.linalg.qr(generator.normal(0, 1, (side, len(values))) + turn * (k + 1))[0]
        for k, side in enumerate(shape)
    )
    return (left * values) @ right.T + noise * generator.normal(0, 1, shape)


def lowered(parts, matrix, threshold):
    out = np.empty_like(matrix)
    parts.write(1 - threshold / parts.values, out)
    return out


def assert_lowers(parts, matrix, threshold):
    wanted, rank = oracle.psvt(matrix, threshold, 0)
    assert len(parts.values) == rank
    found = lowered(parts, matrix, threshold)
    np.testing.assert_allclose(found, wanted, atol=3e-8 * np.linalg.norm(matrix, 2))


@pytest.mark.parametrize("shape", [(150, 120), (120, 150), (120, 120)])
def test_one_call_after_the_other_lowers_as_a_full_decomposition(eager, shape):
    ways = Leading()
    for k, threshold in enumerate([200, 150, 90, 50, 20, 10, 4, 3, 1.0, 0.4, 0.35, 0.3, 0.2, 0.1]):
        matrix = smooth(VALUES, shape, turn=1e-3 * k)
        assert_lowers(ways.above(matrix, threshold), matrix, threshold)


@pytest.mark.parametrize("value", [11.0, 60.0, 5000.0])
def test_a_new_value_in_a_direction_never_seen_is_found(eager, value):
    matrix = smooth(VALUES, noise=0)
    ways = Leading()
    for _ in range(2):
        ways.above(matrix, 10.0)
    u, _, vt = np.linalg.svd(matrix)
    matrix = matrix + value * np.outer(u[:, 50], vt[50])
    assert_lowers(ways.above(matrix, 10.0), matrix, 10.0)


def test_a_bound_that_fails_names_the_directions_that_were_missed():
    matrix = smooth(VALUES, noise=0)
    directions = np.linalg.svd(matrix)[2][:5].T
    parts = Parts(VALUES[:2], directions[:, :2], matrix @ directions[:, :2])
    remainder = Remainder()
    assert remainder.bound(matrix, parts, 10.0) is None
    missed = remainder.missed.T @ directions
    np.testing.assert_allclose(np.linalg.norm(missed, axis=0)[2:], 1, atol=1e-3)
    space = Krylov(matrix, directions[:, :2])
    space.grow(2, remainder.missed)
    np.testing.assert_allclose(space.parts.values, VALUES[:2])  # no wider than it began


def test_a_space_that_has_all_there_is_stays_orthonormal():
    matrix = smooth(VALUES, noise=0)
    space = Krylov(matrix, np.linalg.qr(np.random.default_rng(0).normal(0, 1, (120, 20)))[0])
    for _ in range(12):
        assert space.converge(10.0, 0) == 5
        space.grow(5)
    np.testing.assert_allclose(space.parts.values[:7], VALUES)
    vectors = space.parts.vectors
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(20), atol=1e-9)


@pytest.mark.parametrize("width", [8, 16, 30, 40])
def test_a_space_never_gets_wider_than_the_matrix(width):
    matrix = smooth(np.geomspace(100, 1, 30), (50, 40))
    space = Krylov(matrix, np.linalg.qr(np.random.default_rng(0).normal(size=(40, width)))[0])
    for _ in range(8):
        space.grow(width, np.ones((40, 8)))
        vectors = space.parts.vectors
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(width), atol=1e-10)
    np.testing.assert_allclose(space.parts.values[:5], np.linalg.svd(matrix)[1][:5])


@pytest.mark.parametrize("share", [1.0, 0.1, 1e-2, 1e-4, 1e-9, 0.0])
def test_nearly_dependent_vectors_have_an_orthonormal_basis(share):
    vectors = np.random.default_rng(0).normal(0, 1, (50, 12))
    vectors[:, 6:] = vectors[:, :6] @ np.ones((6, 6)) + share * vectors[:, 6:]
    basis = orthonormal(vectors)
    np.testing.assert_allclose(basis.T @ basis, np.eye(12), atol=1e-13)
    np.testing.assert_allclose(basis @ (basis.T @ vectors), vectors, atol=1e-12)


def test_no_vectors_have_no_basis():
    assert orthonormal(np.zeros((5, 0))).shape == (5, 0)


@pytest.mark.parametrize("share", [0.9, 0.999, 1 - 1e-6, 1 + 1e-6, 1.001])
def test_a_value_close_to_the_threshold_counts_on_its_side(eager, share):
    values = np.array([100.0, 10 * share, 1])
    matrix = smooth(values, noise=0)
    ways = Leading()
    for _ in range(3):
        found = ways.above(matrix, 10.0)
        assert len(found.values) == 1 + (share > 1)
        assert_lowers(found, matrix, 10.0)


def test_few_values_are_found_without_a_decomposition(eager, monkeypatch):
    ways, matrix = Leading(), smooth(VALUES)
    ways.above(matrix, 10.0)
    monkeypatch.setattr(leading, "_at_once", None)
    monkeypatch.setattr(leading, "_with_more", None)
    for k in range(4):
        matrix = smooth(VALUES, turn=1e-4 * k)
        assert_lowers(ways.above(matrix, 10.0), matrix, 10.0)


def test_more_values_are_found_in_single_precision(eager, monkeypatch):
    values = np.concatenate([[5000.0, 700], np.geomspace(30, 3, 28)])
    ways, matrix = Leading(), smooth(values)
    ways.above(matrix, 2.0)
    monkeypatch.setattr(leading, "_at_once", None)
    matrix = smooth(values, turn=1e-3)
    assert_lowers(ways.above(matrix, 2.0), matrix, 2.0)


@pytest.mark.parametrize("threshold", [50.0, 150.0, 200.0])
def test_a_high_threshold_is_as_precise_as_a_low_one(eager, threshold):
    ways = Leading()
    for k in range(3):
        matrix = smooth(np.geomspace(1000, 100, 40), turn=1e-3 * k)
        assert_lowers(ways.above(matrix, threshold), matrix, threshold)


def test_nothing_is_above_infinity_whatever_was_found_last(eager):
    ways, matrix = Leading(), smooth(np.concatenate([[5000.0, 700], np.geomspace(30, 3, 16)]))
    assert len(ways.above(matrix, 2.0).values) == 18
    assert len(ways.above(matrix, np.inf).values) == 0


@pytest.mark.parametrize("threshold", [np.inf, 1000, 50.0, 0.5])
@pytest.mark.parametrize("least", [1, 4, 7])
def test_the_largest_come_in_any_case(eager, threshold, least):
    ways = Leading()
    for k in range(3):
        matrix = smooth(VALUES, turn=1e-3 * k)
        wanted = np.linalg.svd(matrix, compute_uv=False)
        found = ways.above(matrix, threshold, least=least)
        count = max(least, int((wanted > threshold).sum()))
        np.testing.assert_allclose(found.values, wanted[:count], rtol=1e-9)


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("level", [np.inf, 4.5, 2.0, 0.5])
@pytest.mark.parametrize("least", [0, 1, 3, 5, 9])
def test_eigenvalues_above_a_level_or_the_largest_are_picked(level, least, asked):
    gram = np.diag([4.0, 1.0, 5.0, 3.0, 2.0])
    squares, vectors = _picked(gram, level, least, asked=asked and least > 0)
    count = max(min(least, 5), sum(value > level for value in range(1, 6)))
    np.testing.assert_allclose(squares, range(6 - count, 6))
    np.testing.assert_allclose(gram @ vectors, vectors * squares, atol=1e-12)


def test_more_than_there_are_gives_all():
    matrix = smooth(VALUES[:3], (5, 3))
    found = Leading().above(matrix, np.inf, least=9)
    np.testing.assert_allclose(found.values, np.linalg.svd(matrix, compute_uv=False))


@pytest.mark.parametrize("most", [0, 256])
def test_all_values_and_vectors(monkeypatch, most):
    monkeypatch.setattr(leading, "_DIRECT", most)
    matrix = smooth(VALUES, (9, 7))
    values, vectors = decomposed(matrix)
    np.testing.assert_allclose(values, np.linalg.svd(matrix, compute_uv=False), rtol=1e-9)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(7), atol=1e-12)


@pytest.mark.parametrize("shape", [(40, 30), (30, 40)])
def test_small_values_of_small_matrices_are_those_of_the_matrix_itself(shape):
    values = 10.0 ** np.arange(0, -10, -1)
    matrix = smooth(values, shape, noise=0)
    found = Leading().above(matrix, 1e-8).values
    np.testing.assert_allclose(found, values[: len(found)], rtol=1e-6)
    assert len(found) in {8, 9}


def parts_of(matrix, count, seed=0, off=0.0):
    """Leading parts, with vectors that are a little off."""
    upright = tall(matrix)
    vectors = np.linalg.svd(upright)[2].T[:, :count]
    noise = np.random.default_rng(seed).normal(0, off, vectors.shape) if off else 0
    vectors = np.linalg.qr(vectors + noise)[0]
    images = upright @ vectors
    return Parts(np.linalg.norm(images, axis=0), vectors, images)


@given(st.integers(0, 40), st.sampled_from([0.0, 1e-3, 0.1]), st.floats(0.5, 40), st.booleans())
def test_a_bound_of_the_remainder_is_one(seed, off, level, wide):
    known = Remainder()
    for scale in (1.0, 2.0, 3.0):
        matrix = scale * smooth(VALUES, (30, 40) if wide else (40, 30), seed, turn=1e-3 * scale)
        parts = parts_of(matrix, 3, seed, off)
        norm = np.linalg.norm(tall(matrix) - parts.images @ parts.vectors.T, 2)
        bound = known.bound(matrix, parts, scale * level)
        if bound is None:
            assert norm > 0.999 * scale * level
        else:
            assert norm <= bound * (1 + 1e-6)
            assert bound < scale * level


@pytest.mark.parametrize("off", [0.0, 1e-6, 1e-2, 0.3])
def test_completeness_is_claimed_only_where_it_holds(off):
    matrix = smooth(VALUES, (40, 30), noise=0)
    values = np.linalg.svd(matrix, compute_uv=False)
    for count, level in [(2, 200.0), (2, 101.0), (1, 200.0), (3, 50.0), (3, 39.0), (2, 90.0)]:
        parts = parts_of(matrix, 6, off=off)
        space = Krylov(matrix, parts.vectors)
        bound = Remainder().bound(matrix, space.parts, level)
        if bound is not None and space.complete(count, level, bound):
            assert (values > level).sum() <= count
        elif off == 0:
            assert (values > level).sum() > count
