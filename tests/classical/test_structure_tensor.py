"""The structure tensor is that of its text, on any frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import patch_tensor as oracle
from oracles.check_frame import check_frame

from deepir.classical.low_rank.structure_tensor import (
    corner_prior,
    edge_strength,
    structure_eigenvalues,
)

images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
sigmas = st.floats(0.5, 9.0)


@settings(max_examples=40, deadline=None)
@given(images, sigmas, sigmas)
def test_eigenvalues_are_those_of_explicit_windows(image, before, after):
    found = structure_eigenvalues(image, before=before, after=after)
    wanted = oracle.eigenvalues(image, before, after)
    size = max(wanted[0].max(), 1.0)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * size)


def test_weights_are_those_of_the_check_frame():
    frame = check_frame()
    large, small = oracle.eigenvalues(frame, 1.2, 2.0)
    np.testing.assert_allclose(edge_strength(frame), oracle.unit(large - small), atol=1e-12)
    large, small = oracle.eigenvalues(frame, 2.0, 9.0)
    wanted = oracle.unit(large * small / (large + small) * large)
    np.testing.assert_allclose(corner_prior(frame), wanted, atol=1e-12)


@pytest.mark.parametrize("weight", [edge_strength, corner_prior])
@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose, np.rot90])
def test_turning_the_frame_turns_the_weight(weight, turn):
    frame = check_frame()
    np.testing.assert_allclose(weight(turn(frame)), turn(weight(frame)), atol=1e-12)


@pytest.mark.parametrize("weight", [edge_strength, corner_prior])
def test_gain_and_offset_do_not_matter(weight):
    frame = check_frame().astype(float)
    np.testing.assert_allclose(weight(7 * frame - 3000), weight(frame), atol=1e-10)


@pytest.mark.parametrize("weight", [edge_strength, corner_prior])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (8, 9)])
@pytest.mark.parametrize("level", [0.0, 0.1, -7.3, 16383.0])
def test_a_flat_frame_weighs_nothing(weight, shape, level):
    np.testing.assert_array_equal(weight(np.full(shape, level)), np.zeros(shape))


def test_flat_regions_have_no_part_in_the_scale_of_the_prior():
    frame = check_frame()
    flat = frame.copy()
    flat[:, :40] = flat[0, 40]
    prior = corner_prior(flat)
    assert (prior[:, :35] == 0).all()
    assert (prior.min(), prior.max()) == (0.0, 1.0)
