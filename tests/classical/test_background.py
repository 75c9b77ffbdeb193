"""Top-hat, max-mean and max-median agree with published figures and with plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles.check_frame import as_printed, check_frame
from oracles.lines import above_lines
from scipy import ndimage

from deepir.catalogue import load_detector
from deepir.classical import max_mean, max_median, white_top_hat

PUBLISHED = {  # maximum, mean, value at both targets and in the corner; positive pixels
    "max_mean": ("30.8 -1.084765625 30.8 19.2 -5.6", 5704),
    "max_median": ("20 -1.304101563 20 15 -8", 2494),
    "top_hat": ("85 2.636914062 85 39 0", 14644),
}
FILTERS = {
    "max_mean": lambda image, side: max_mean(image, length=side),
    "max_median": lambda image, side: max_median(image, length=side),
    "top_hat": lambda image, side: white_top_hat(image, size=side),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_reference_mode_has_the_published_figures(name):
    values = load_detector(name, mode="reference").saliency(check_frame())
    text, positive = PUBLISHED[name]
    found = [values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0]]
    assert found == [as_printed(figure) for figure in text.split()]
    assert (values > 1e-9).sum() == positive
    assert np.unravel_index(values.argmax(), values.shape) == (60, 85)


@pytest.mark.parametrize("name", FILTERS)
def test_the_published_window_is_the_default_of_the_function(name):
    functions = {"max_mean": max_mean, "max_median": max_median, "top_hat": white_top_hat}
    np.testing.assert_array_equal(functions[name](check_frame()), FILTERS[name](check_frame(), 5))


def plain_map(name, image, side):
    """Write the same filter plainly; SciPy's own line filters misread frames of two pixels."""
    if name == "top_hat":
        return ndimage.white_tophat(image, size=side)
    return above_lines(image, side, np.mean if name == "max_mean" else np.median)


images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=60)
@given(images, st.sampled_from([3, 5, 7, 9, 15, 21]))
def test_filter_is_that_of_a_plain_loop(name, image, side):
    wanted = plain_map(name, image.astype(np.float64), side)
    np.testing.assert_allclose(FILTERS[name](image, side), wanted, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("name", FILTERS)
def test_a_frame_of_several_bands_has_no_seams(name):
    image = np.random.default_rng(3).normal(size=(100, 17))
    np.testing.assert_allclose(
        FILTERS[name](image, 7), plain_map(name, image, 7), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("level", [0.0, 0.1, -7.3, 16383.0])
def test_a_constant_frame_gives_zeros(name, level):
    assert not FILTERS[name](np.full((40, 23), level), 9).any()


@pytest.mark.parametrize("side", [3, 5, 9])
def test_the_top_hat_removes_what_holds_the_square(side):
    image = np.zeros((30, 30))
    image[5 : 5 + side, 5 : 5 + side] = 9
    image[20, 20] = 4
    above = white_top_hat(image, size=side)
    assert not above[:15, :15].any()
    assert above[20, 20] == 4
    assert above.min() == 0


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("side", [4, 2, 1, 0, -3])
def test_a_window_is_odd_and_wider_than_a_pixel(name, side):
    with pytest.raises(ValueError, match=f"got {side}"):
        FILTERS[name](np.zeros((5, 5)), side)


@pytest.mark.parametrize(
    "line",
    [np.eye(21), np.eye(21)[::-1], np.eye(21)[[10] * 21], np.eye(21)[[10] * 21].T],
    ids=["falling", "rising", "upright", "level"],
)
def test_a_line_along_a_direction_is_background(line):
    image = 50 * line
    for values in (max_mean(image), max_median(image)):
        assert values[10, 10] == 0
