"""LCM and MPCM agree with published figures and with nine cells cut out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import contrast as oracle
from oracles.check_frame import as_printed, check_frame

from deepir.catalogue import load_detector
from deepir.classical import lcm, mpcm
from deepir.errors import UsageError

PUBLISHED = {  # maximum, mean, value at both targets and in the corner
    "lcm": "324.070186 93.63447125 319.6597633 161.8817518 94.33797909",
    "mpcm symmetric 357": "2803.333333 0.7984114485 2803.333333 475.1234568 11.2345679",
    "mpcm symmetric 3579": "2803.333333 0.8126369382 2803.333333 475.1234568 11.2345679",
    "mpcm signed": "2803.333333 -21.06214918 2803.333333 475.1234568 -17.98765432",
    "mpcm clipped": "2803.333333 0.7910963269 2803.333333 475.1234568 0",
}
THREE = (3, 5, 7)
MAPS = {
    "lcm": lambda f: lcm(f),
    "mpcm symmetric 357": lambda f: mpcm(f, cells=THREE, border="symmetric").clip(min=0),
    "mpcm symmetric 3579": lambda f: mpcm(f, border="symmetric").clip(min=0),
    "mpcm signed": lambda f: mpcm(f),
    "mpcm clipped": lambda f: mpcm(f).clip(min=0),
}


def figures(values):
    return [values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0]]


@pytest.mark.parametrize("name", PUBLISHED)
def test_map_has_the_published_figures(name):
    wanted = [as_printed(text) for text in PUBLISHED[name].split()]
    assert figures(MAPS[name](check_frame())) == wanted


@pytest.mark.parametrize(("name", "known_as"), [("lcm", "lcm"), ("mpcm", "mpcm signed")])
def test_reference_mode_is_the_published_map(name, known_as):
    saliency = load_detector(name, mode="reference").saliency(check_frame())
    np.testing.assert_array_equal(saliency, MAPS[known_as](check_frame()))


def test_published_maps_peak_where_published():
    assert np.unravel_index(lcm(check_frame()).argmax(), (128, 160)) == (60, 84)
    assert np.unravel_index(mpcm(check_frame()).argmax(), (128, 160)) == (60, 85)


def test_published_count_of_positive_pixels():
    values = mpcm(check_frame())
    assert 446 <= (values > 1e-9 * values.max()).sum() <= 451
    assert (lcm(check_frame()) > 0).sum() == 20480


images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
cell_lists = st.lists(st.sampled_from([1, 3, 5, 7, 9, 11]), min_size=1, max_size=3)
borders = st.sampled_from(["symmetric", "replicate"])
some = settings(max_examples=30)


@some
@given(images, cell_lists, borders)
def test_lcm_is_that_of_nine_cells_cut_out(image, cells, border):
    wanted = oracle.lcm(image, cells, border)
    np.testing.assert_allclose(lcm(image, cells=cells, border=border), wanted, rtol=1e-9)


@some
@given(images, cell_lists, borders, st.sampled_from(["both", "bright", "dark"]))
def test_mpcm_is_that_of_nine_cells_cut_out(image, cells, border, polarity):
    wanted = oracle.mpcm(image, cells, border, polarity)
    found = mpcm(image, cells=cells, border=border, polarity=polarity)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("function", [lcm, mpcm])
def test_a_frame_of_several_bands_has_no_seams(function):
    image = np.random.default_rng(2).integers(0, 255, (75, 13))
    wanted = getattr(oracle, function.__name__)(
        image, (5, 3), "replicate", *(["both"] if function is mpcm else [])
    )
    np.testing.assert_allclose(
        function(image, cells=(5, 3), border="replicate"), wanted, rtol=1e-9, atol=1e-9
    )


@given(images)
def test_polarities_split_the_positive_part(image):
    negative = 255.0 - image
    both = mpcm(image)
    bright, dark = (mpcm(image, polarity=kind) for kind in ("bright", "dark"))
    np.testing.assert_allclose(both, mpcm(negative), atol=1e-9)
    np.testing.assert_allclose(dark, mpcm(negative, polarity="bright"), atol=1e-9)
    assert (np.maximum(bright, dark) <= np.maximum(both, 0) + 1e-9).all()


@pytest.mark.parametrize(("polarity", "seen"), [("both", 2), ("bright", 1), ("dark", 1)])
def test_a_polarity_sees_its_targets_only(polarity, seen):
    image = np.full((20, 40), 100.0)
    image[9:12, 9:12] += 30
    image[9:12, 29:32] -= 30
    values = mpcm(image, cells=(3,), polarity=polarity)
    responses = [values[10, 10], values[10, 30]]
    assert sum(response == pytest.approx(900) for response in responses) == seen
    assert sum(responses) == pytest.approx(900 * seen)


@pytest.mark.parametrize("level", [0.0, 7.0, 0.1, 16383.0])
def test_a_constant_frame_gives_itself_by_lcm_and_zero_by_mpcm(level):
    image = np.full((40, 23), level)
    np.testing.assert_allclose(lcm(image), image, rtol=1e-12)
    assert not mpcm(image).any()


def test_black_frames_divide_by_nothing():
    image = np.zeros((9, 9))
    image[4, 4] = 3
    assert np.isfinite(lcm(image)).all()


@pytest.mark.parametrize("function", [lcm, mpcm])
def test_order_and_repetition_of_cells_do_not_matter(function):
    image = check_frame()[:40, :40]
    np.testing.assert_array_equal(
        function(image, cells=[7, 3, 3, 5]), function(image, cells=(3, 5, 7))
    )


@pytest.mark.parametrize("function", [lcm, mpcm])
@pytest.mark.parametrize("cells", [(), (2,), (3, 4), (0,), (-3,)])
def test_cells_are_odd_and_some(function, cells):
    with pytest.raises(ValueError, match=r"odd .*\("):
        function(np.zeros((5, 5)), cells=cells)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"border": "symetric"}, "'symetric': did you mean 'symmetric'"),
        ({"polarity": "drak"}, "'drak': did you mean 'dark'"),
    ],
)
def test_unknown_choices_are_refused_with_the_nearest(options, message):
    with pytest.raises(UsageError, match=message):
        mpcm(np.zeros((5, 5)), **options)


def test_lcm_raises_a_negative_frame_to_zero():
    frame = np.random.default_rng(0).normal(20, 3, (24, 30))
    np.testing.assert_allclose(lcm(frame - 200), lcm(frame - frame.min()), rtol=1e-9)


def test_a_speck_in_the_black_does_not_hide_a_target():
    frame = np.random.default_rng(1).normal(100, 1, (80, 90)).clip(0)
    frame[:, :30] = 0
    frame[40, 5] = 5.0
    frame[38:41, 60:63] += 60
    found = load_detector("lcm").detect(frame)
    assert np.hypot(*(found.points - (61, 39)).T).min() < 3
