"""WLDM agrees with published figures and with a histogram a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import local_difference as oracle
from oracles.check_frame import as_printed, check_frame

from deepir.catalogue import load_detector
from deepir.classical import wldm
from deepir.classical.local_difference import bright_wldm, local_difference, local_entropy

TURNS = (np.flipud, np.fliplr, np.transpose, np.rot90)

images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
few_levels = images.map(lambda image: image // 64)
some = settings(max_examples=30)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * np.abs(wanted).max())


def test_map_has_the_published_figures():
    values = wldm(check_frame())
    figures = [values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0]]
    published = "12851.7906 48.17084431 12851.7906 4341.618967 92.88030085"
    assert figures == [as_printed(text) for text in published.split()]
    assert np.unravel_index(values.argmax(), values.shape) == (60, 85)
    assert (values > 0).sum() == 20480


def test_reference_mode_is_the_published_map():
    found = load_detector("wldm", mode="reference").saliency(check_frame())
    np.testing.assert_array_equal(found, wldm(check_frame()))


@some
@given(st.one_of(images, few_levels), st.integers(2, 5), st.sampled_from([3, 5, 7]))
def test_wldm_is_that_of_plain_histograms(image, scales, side):
    close(wldm(image, scales=scales, side=side), oracle.wldm(image, scales, side))


def test_a_frame_of_several_bands_has_no_seams():
    image = np.random.default_rng(3).integers(0, 9, (1100, 31))
    rows = slice(1024, 1100)  # the second band begins at row 1057
    np.testing.assert_array_equal(wldm(image)[1050:1070], wldm(image[rows])[26:46])


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("shape", [(24, 31), (5, 4), (1, 12), (7, 1)])
def test_turning_the_frame_turns_the_map(turn, shape):
    image = np.random.default_rng(0).integers(0, 6, shape)
    close(wldm(turn(image)), turn(wldm(image)))


def test_a_constant_more_within_the_scale_changes_nothing():
    image = np.random.default_rng(1).integers(0, 200, (20, 20))
    np.testing.assert_allclose(wldm(image + 55), wldm(image), rtol=1e-9)


@pytest.mark.parametrize("factor", [2, 7])
def test_levels_further_apart_count_by_their_square(factor):
    image = np.random.default_rng(1).integers(0, 30, (20, 20))
    np.testing.assert_allclose(wldm(factor * image), factor**2 * wldm(image), rtol=1e-9)


@pytest.mark.parametrize("level", [0, 7, 255, 0.1, -4.0, 16383])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (40, 23)])
def test_a_constant_frame_gives_zeros(level, shape):
    assert not wldm(np.full(shape, level)).any()


def test_a_target_of_one_pixel_counts_the_more_the_brighter():
    image = np.random.default_rng(2).integers(90, 95, (30, 30))
    peaks = []
    for level in (120, 180, 255):
        image[14, 15] = level
        values = wldm(image)
        assert np.unravel_index(values.argmax(), values.shape) == (14, 15)
        peaks.append(values.max())
    assert sorted(set(peaks)) == peaks


@pytest.mark.parametrize("at", [(0, 0), (0, 12), (19, 24), (10, 24)])
def test_a_target_on_the_border_is_seen(at):
    image = np.full((20, 25), 60)
    image[at] = 90
    assert wldm(image)[at] > 0


def test_saturated_targets_respond():
    image = np.random.default_rng(4).integers(90, 95, (30, 30))
    image[12:16, 12:16] = 255
    row, column = np.argwhere(wldm(image) == wldm(image).max())[0]
    assert 11 <= row <= 16
    assert 11 <= column <= 16


def test_deep_frames_are_brought_to_256_levels():
    image = np.random.default_rng(5).integers(0, 256, (20, 20))
    image[0, :2] = 0, 255
    np.testing.assert_array_equal(wldm(image * 64 + 300), wldm(image))
    np.testing.assert_array_equal(wldm(image / 255), wldm(image))


def test_the_difference_carries_no_amplitude():
    noise = np.random.default_rng(6).integers(0, 256, (60, 60))
    ratio = local_difference(noise)
    assert 0 <= ratio.min() <= ratio.max() <= 1
    assert (ratio == 1).mean() > 0.4  # in pure noise
    np.testing.assert_allclose(local_difference(noise // 8 * 2), local_difference(noise // 8))


def test_an_entropy_sees_no_pixel_outside_its_window():
    image = np.full((21, 21), 100)
    image[10, 10] = 200
    rows, columns = np.nonzero(local_entropy(image))
    assert {rows.min(), rows.max(), columns.min(), columns.max()} == {8, 12}


@some
@given(images, st.integers(2, 4))
def test_our_map_is_the_root_times_the_amplitude(image, scales):
    wanted = np.sqrt(oracle.wldm(image, scales, 5))
    for row, column in np.ndindex(image.shape):
        smallest, widest = (oracle.around(image, row, column, k).mean() for k in (1, scales))
        wanted[row, column] *= max(smallest - widest, 0)
    found = bright_wldm(image, scales=scales) ** 2  # a root magnifies rounding near 0
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_our_map_sees_bright_spots_alone():
    image = np.random.default_rng(7).integers(98, 103, (30, 60))
    image[14:17, 14:17] += 60
    image[14:17, 44:47] -= 60
    ours, published = bright_wldm(image), wldm(image)
    assert ours[15, 45] == 0
    assert ours[15, 15] == ours.max() > 3 * ours[:, 30:].max()
    assert published[15, 45] > published[15, 15] / 2


@pytest.mark.parametrize("side", [1, 2, 4, 17, -3])
def test_a_side_that_does_not_fit_is_told(side):
    with pytest.raises(ValueError, match=f"odd, from 3 to 15, got {side}"):
        wldm(np.eye(5), side=side)


def test_one_scale_has_no_difference():
    with pytest.raises(ValueError, match="at least 2 scales, got 1"):
        wldm(np.eye(5), scales=1)


def test_frames_are_left_as_they_are():
    image = check_frame()
    wldm(image)
    np.testing.assert_array_equal(image, check_frame())
