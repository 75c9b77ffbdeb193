"""Clutter has the spectrum that was asked for, its documented range, and any shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.simulate.clutter import SCENES, power_law


def spectral_slope(field):
    """Exponent of the amplitude spectrum, fitted over the middle octaves."""
    amplitude = np.abs(np.fft.fft2(field))
    radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, field.shape), indexing="ij"))
    middle = (radius > 0.02) & (radius < 0.4)
    return -np.polyfit(np.log(radius[middle]), np.log(amplitude[middle]), 1)[0]


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.5, 2.0])
@pytest.mark.parametrize("shape", [(128, 160), (101, 97)])
def test_spectrum_falls_as_asked(exponent, shape):
    field = power_law(shape, np.random.default_rng(3), exponent=exponent)
    assert spectral_slope(field) == pytest.approx(exponent, abs=0.08)
    assert field.mean() == pytest.approx(0, abs=1e-9)
    assert field.std() == pytest.approx(1)


def test_stretch_draws_structures_out_along_x():
    field = power_law((128, 128), np.random.default_rng(0), exponent=1.5, stretch=4)
    assert np.diff(field, axis=0).std() > 2 * np.diff(field, axis=1).std()


@settings(max_examples=40)
@given(
    kind=st.sampled_from(sorted(SCENES)),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_any_shape_gives_finite_numbers(kind, height, width, seed):
    field = SCENES[kind]((height, width), np.random.default_rng(seed))
    assert field.shape == (height, width)
    assert field.dtype == np.float64
    assert np.isfinite(field).all()


@pytest.mark.parametrize("kind", sorted(SCENES))
def test_percentiles_are_zero_and_one(kind):
    for seed in range(5):
        field = SCENES[kind]((96, 120), np.random.default_rng(seed))
        np.testing.assert_allclose(np.percentile(field, [1, 99]), [0, 1], atol=1e-9)


@pytest.mark.parametrize("kind", sorted(SCENES))
def test_one_pixel_is_zero(kind):
    assert SCENES[kind]((1, 1), np.random.default_rng(0)).tolist() == [[0.0]]


@pytest.mark.parametrize("kind", sorted(SCENES))
def test_scenes_are_pure_functions_of_the_generator(kind):
    first, second, other = (
        SCENES[kind]((50, 60), np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0.1


def test_sea_is_rougher_across_than_along_its_waves():
    """Crests lie parallel to the horizon in the lower half of the frame."""
    ratios = []
    for seed in range(6):
        water = SCENES["sea"]((200, 240), np.random.default_rng(seed))[120:]
        ratios.append(np.diff(water, axis=0).std() / np.diff(water, axis=1).std())
    assert np.median(ratios) > 1.2


def test_terrain_has_edges_that_gaussian_clutter_lacks():
    """Steps make the gradient's tails heavier than a Gaussian's (kurtosis 3)."""
    steps = np.diff(SCENES["terrain"]((200, 240), np.random.default_rng(1)), axis=1).ravel()
    assert np.mean(steps**4) / np.mean(steps**2) ** 2 > 4
