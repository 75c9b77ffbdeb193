"""The camera adds what its settings say, and nothing where they say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.simulate.sensor import Camera, draw_camera, expose, fixed_pattern, shading

STILL = Camera(bits=14, pedestal=6000, span=1000, noise=0, columns=0, shading=0, blur=0, defects=0)


def shoot(camera, contrast=None, seed=0):
    field = np.full((120, 150), 0.5) if contrast is None else contrast
    return expose(field, camera, np.random.default_rng(seed))


def test_perfect_camera_only_scales():
    contrast = np.linspace(0, 1, 60).reshape(6, 10)
    shot = shoot(STILL, contrast)
    np.testing.assert_array_equal(shot.image, np.rint(6000 + 1000 * contrast))
    assert shot.image.dtype == np.uint16
    assert not shot.defects.any()


@pytest.mark.parametrize(("bits", "dtype", "ceiling"), [(8, np.uint8, 255), (14, np.uint16, 16383)])
def test_levels_are_clipped_to_the_depth(bits, dtype, ceiling):
    shot = shoot(STILL._replace(bits=bits), np.array([[-1e6, 1e6]]))
    assert shot.image.dtype == dtype
    assert shot.image.tolist() == [[0, ceiling]]


def test_noise_has_its_spread_and_no_memory():
    image = shoot(STILL._replace(noise=6.0)).image.astype(float)
    assert image.std() == pytest.approx(6, rel=0.03)
    assert abs(np.corrcoef(image[:, 1:].ravel(), image[:, :-1].ravel())[0, 1]) < 0.03


def test_fixed_pattern_is_a_sum_of_columns_and_rows():
    offsets = fixed_pattern((300, 400), 2.0, np.random.default_rng(0))
    assert offsets.mean(axis=0).std() == pytest.approx(2, rel=0.1)
    assert offsets.mean(axis=1).std() == pytest.approx(1, rel=0.1)
    remainder = offsets - offsets.mean(axis=0) - offsets.mean(axis=1)[:, None]
    assert np.ptp(remainder) == pytest.approx(0, abs=1e-9)


def test_shading_is_smooth_and_bounded():
    for seed in range(30):
        field = shading((80, 90), np.random.default_rng(seed))
        assert np.abs(field).max() <= 1
        assert np.abs(np.diff(field, axis=0)).max() < 0.05
    assert np.isfinite(shading((1, 1), np.random.default_rng(0))).all()


def test_defects_are_single_hot_or_dead_pixels():
    shot = shoot(STILL._replace(defects=0.01))
    assert shot.defects.mean() == pytest.approx(0.01, rel=0.3)
    stuck = shot.image[shot.defects]
    assert set(shot.image[~shot.defects]) == {6500}
    assert ((stuck == 0) | (stuck >= 7200)).all()
    assert (stuck == 0).mean() == pytest.approx(0.2, abs=0.12)


def test_blur_softens_points():
    contrast = np.zeros((21, 21))
    contrast[10, 10] = 1
    image = shoot(STILL._replace(blur=0.8), contrast).image.astype(float) - 6000
    assert 150 < image.max() < 350
    assert image.sum() == pytest.approx(1000, abs=20)


@pytest.mark.parametrize("seed", range(8))
def test_drawn_cameras_are_plausible(seed):
    eight, raw = (draw_camera(bits, np.random.default_rng(seed)) for bits in (8, 14))
    assert 0 < eight.pedestal < eight.pedestal + eight.span < eight.ceiling == 255
    assert 4000 <= raw.pedestal < raw.pedestal + raw.span < raw.ceiling == 16383
    for camera in (eight, raw):
        assert 10**-5.5 <= camera.defects <= 10**-4.5
        assert camera.columns < camera.noise < camera.span / 20
