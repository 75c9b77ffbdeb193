"""Patches are cut out and put together as a loop over them would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.classical.low_rank.patches import (
    as_columns,
    coverage,
    fold_last,
    fold_mean,
    fold_median,
    patch_grid,
    unfold,
    unfold_tensor,
)
from deepir.errors import UsageError

KINDS = ("plain", "flush")
FOLDS = (fold_mean, fold_median, fold_last)


@st.composite
def grids(draw):
    """A grid of either kind, also with gaps and larger than the frame."""
    sides = st.integers(1, 9)
    shape = draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    kind = draw(st.sampled_from(["plain", "flush"]))
    return patch_grid(shape, side=draw(sides), step=draw(sides), kind=kind)


def layers(columns, grid):
    """Each patch alone on an empty frame (K, H, W), NaN where it is not."""
    stack = np.full((grid.count, *grid.extended), np.nan)
    for index, (rows, across) in enumerate(grid.corners()):
        stack[index][rows, across] = columns[:, index].reshape(grid.side, grid.side)
    height, width = grid.shape
    return stack[:, :height, :width]


def frame_for(grid, seed=0):
    return np.random.default_rng(seed).normal(size=grid.shape)


def values_for(grid, seed, share=1.0):
    rng = np.random.default_rng(seed)
    shape = grid.pixels, grid.count
    return rng.normal(size=shape) * (rng.random(shape) < share)


few = settings(max_examples=60, deadline=None)


@few
@given(grids())
def test_starts_are_those_of_the_text(grid):
    for length, starts in zip(grid.extended, (grid.rows, grid.columns), strict=True):
        last = length - grid.side
        assert list(starts) == sorted(set(starts))
        assert starts[0] == 0
        assert starts[-1] <= last
        assert all(start % grid.step == 0 for start in starts[:-1])


def test_a_plain_grid_stops_and_a_flush_one_covers():
    plain, flush = (patch_grid((128, 160), side=50, step=10, kind=kind) for kind in KINDS)
    assert (plain.count, flush.count) == (96, 108)
    assert np.count_nonzero(coverage(plain)) == 120 * 160
    assert coverage(flush).min() == 1


@few
@given(grids())
def test_unfolding_cuts_every_patch_out(grid):
    frame = frame_for(grid)
    missing = [(0, long - short) for long, short in zip(grid.extended, grid.shape, strict=True)]
    extended = np.pad(frame, missing, mode="edge")
    wanted = [extended[rows, across].ravel() for rows, across in grid.corners()]
    np.testing.assert_array_equal(unfold(frame, grid), np.transpose(wanted))


@few
@given(grids())
def test_tensor_and_columns_are_views_of_the_same_blocks(grid):
    frame = frame_for(grid)
    tensor = unfold_tensor(frame, grid)
    assert tensor.shape == (grid.side, grid.side, grid.count)
    np.testing.assert_array_equal(as_columns(tensor), unfold(frame, grid))
    assert np.shares_memory(as_columns(tensor), tensor)
    assert np.moveaxis(tensor, 2, 0).flags.c_contiguous


def test_patches_run_down_the_columns_first():
    grid = patch_grid((4, 6), side=2, step=2, kind="flush")
    corners = unfold(np.arange(24).reshape(4, 6), grid)[0]
    assert corners.tolist() == [0, 12, 2, 14, 4, 16]


@few
@given(grids(), st.sampled_from(FOLDS))
def test_folding_undoes_unfolding(grid, fold):
    frame = frame_for(grid)
    wanted = np.where(coverage(grid) > 0, frame, 0)
    np.testing.assert_allclose(fold(unfold(frame, grid), grid), wanted, rtol=1e-14, atol=1e-14)


@few
@given(grids(), st.integers(0, 9), st.sampled_from([0.0, 0.2, 0.6, 1.0]))
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:All-NaN slice")
def test_folds_are_those_of_single_layers(grid, seed, share):
    values = values_for(grid, seed, share)
    stack = layers(values, grid)
    held = np.isfinite(stack)
    np.testing.assert_array_equal(coverage(grid), held.sum(axis=0))
    for fold, over in ((fold_mean, np.nanmean), (fold_median, np.nanmedian)):
        wanted = np.nan_to_num(over(stack, axis=0))
        np.testing.assert_allclose(fold(values, grid), wanted, rtol=1e-12, atol=1e-15)
    last = grid.count - 1 - held[::-1].argmax(axis=0)
    wanted = np.take_along_axis(stack, last[None], axis=0)[0]
    np.testing.assert_array_equal(fold_last(values, grid), np.nan_to_num(wanted))


def test_a_median_needs_half_of_the_patches():
    grid = patch_grid((1, 5), side=1, step=1, kind="plain")
    assert fold_median(np.array([[0.0, 3.0, 0.0, -2.0, 0.0]]), grid).tolist() == [[0, 3, 0, -2, 0]]
    overlapping = patch_grid((1, 4), side=2, step=1, kind="flush")
    values = np.zeros((4, 3))
    values[1, 0] = 6.0  # of the two patches that hold pixel 1 one says 6, the other 0
    assert fold_median(values, overlapping).tolist() == [[0, 3, 0, 0]]


def test_a_frame_smaller_than_a_patch_is_extended_and_cut_again():
    grid = patch_grid((2, 3), side=5, step=2, kind="plain")
    assert (grid.extended, grid.count) == ((5, 5), 1)
    frame = np.arange(6.0).reshape(2, 3)
    patch = unfold(frame, grid).reshape(5, 5)
    assert patch[:, 4].tolist() == [2, 5, 5, 5, 5]
    np.testing.assert_array_equal(fold_mean(unfold(frame, grid), grid), frame)


def test_memory_of_the_patches_is_told():
    grid = patch_grid((64, 80), side=30, step=10, kind="flush")
    assert unfold(np.zeros((64, 80)), grid).nbytes == grid.nbytes


@pytest.mark.parametrize(("side", "step"), [(0, 1), (3, 0), (-2, 4)])
def test_side_and_step_are_positive(side, step):
    with pytest.raises(UsageError, match=f"got {side} and {step}$"):
        patch_grid((9, 9), side=side, step=step, kind="plain")


def test_an_unknown_grid_is_named():
    with pytest.raises(UsageError, match="unknown grid 'flash': did you mean 'flush'"):
        patch_grid((9, 9), side=3, step=1, kind="flash")


def test_what_does_not_fit_the_grid_is_refused():
    grid = patch_grid((9, 9), side=3, step=1, kind="plain")
    with pytest.raises(ValueError, match=r"for a frame of \(9, 9\), got one of \(9, 8\)"):
        unfold(np.zeros((9, 8)), grid)
    for fold in FOLDS:
        with pytest.raises(ValueError, match=r"shape \(9, 49\), got \(9, 48\)"):
            fold(np.zeros((9, 48)), grid)
