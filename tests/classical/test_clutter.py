"""Contrast over the clutter around is that of plain windows, and knows no gain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepir.classical.clutter import local_deviation, over_clutter

images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
NOISE = np.random.default_rng(6).normal(100, 8, (40, 50))
CONTRAST = NOISE - 100


@given(images, st.sampled_from([1, 3, 5, 21]))
def test_deviation_is_that_of_plain_windows(image, side):
    padded = np.pad(image.astype(float), side // 2, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    variance = local_deviation(image, side=side) ** 2
    np.testing.assert_allclose(variance, windows.var(axis=(2, 3)), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("gain", [0.01, 4, 1000])
@pytest.mark.parametrize("offset", [0, -50, 1e4])
def test_gain_and_offset_of_the_frame_do_not_matter(gain, offset):
    np.testing.assert_allclose(
        over_clutter(gain * CONTRAST, gain * NOISE + offset),
        over_clutter(CONTRAST, NOISE),
        rtol=1e-6,
    )


def test_the_same_contrast_weighs_less_in_more_clutter():
    image = NOISE.copy()
    image[:, 25:] = 100 + 5 * (image[:, 25:] - 100)
    weighed = over_clutter(np.ones(image.shape), image, side=9)
    assert weighed[:, :10].min() > 2 * weighed[:, 40:].max()


def test_signs_are_kept():
    np.testing.assert_array_equal(np.sign(over_clutter(CONTRAST, NOISE)), np.sign(CONTRAST))


@pytest.mark.parametrize("level", [0.0, 7.0, 0.1])
def test_a_constant_frame_has_no_contrast(level):
    flat = np.full((12, 9), level)
    assert not over_clutter(np.zeros(flat.shape), flat).any()
