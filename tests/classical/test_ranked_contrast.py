"""RLCM and TLLCM agree with published figures and with nine sorted cells a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import ranked_contrast as oracle
from oracles.check_frame import as_printed, check_frame

from deepir.catalogue import load_detector
from deepir.classical import rlcm, tllcm
from deepir.errors import UsageError

PUBLISHED = {  # maximum, mean, value at both targets and in the corner
    "rlcm": "94.47852761 0.3301428398 79.81321839 7.5 0",
    "tllcm": "102.3428731 0.04362965811 102.3428731 28.57855839 0",
}
PEAK = {"rlcm": (62, 83), "tllcm": (60, 85)}
POSITIVE = {"rlcm": 628, "tllcm": 246}
BOTH = {"rlcm": rlcm, "tllcm": tllcm}
TURNS = (np.flipud, np.fliplr, np.transpose, np.rot90)

images = st.one_of(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)),
    hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)),
    hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.floats(0, 9)
    ),
).filter(lambda image: image.max() > image.min())
borders = st.sampled_from(["zero", "symmetric", "replicate"])
counts = st.integers(1, 30)
some = settings(max_examples=40)


@pytest.fixture(params=BOTH)
def measure(request):
    return BOTH[request.param]


@pytest.mark.parametrize("name", BOTH)
def test_map_has_the_published_figures(name):
    values = BOTH[name](check_frame())
    figures = [values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0]]
    assert figures == [as_printed(text) for text in PUBLISHED[name].split()]
    assert np.unravel_index(values.argmax(), values.shape) == PEAK[name]
    assert (values > 0).sum() == POSITIVE[name]


@pytest.mark.parametrize("name", BOTH)
def test_reference_mode_is_the_published_map(name):
    found = load_detector(name, mode="reference").saliency(check_frame())
    np.testing.assert_array_equal(found, BOTH[name](check_frame()))


@some
@given(
    images,
    st.lists(st.tuples(counts, counts), min_size=1, max_size=3),
    st.sampled_from([1, 3, 5, 7, 9]),
    borders,
)
def test_rlcm_is_that_of_sorted_cells(image, pairs, cell, border):
    found = rlcm(image, pairs=pairs, cell=cell, border=border)
    wanted = oracle.rlcm(image, pairs, cell, border)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * image.max())


@some
@given(images, st.lists(st.sampled_from([1, 3, 5, 7, 9]), min_size=1, max_size=3), counts, borders)
def test_tllcm_is_that_of_sorted_cells(image, cells, largest, border):
    found = tllcm(image, cells=cells, largest=largest, border=border)
    wanted = oracle.tllcm(image, cells, largest, border)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * image.max())


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float64])
@pytest.mark.parametrize("side", [3, 5, 7, 9, 11, 13])
def test_any_number_of_levels_of_any_cell_is_averaged(kind, side):
    rng = np.random.default_rng(side)
    image = rng.integers(1, 200, (side, 3 * side)).astype(kind)
    image += kind(0.5 * (kind is np.float64))
    centre = np.sort(image[:, side : 2 * side], axis=None)[::-1]
    beside = np.sort(image[:, :side], axis=None)[::-1]
    image[:, 2 * side :] = 0
    for count in {1, 2, 4, 9, 16, side, side**2}:
        level, other = centre[:count].mean(), beside[:count].mean()
        found = rlcm(image, pairs=[(count, count)], cell=side, border="zero")
        wanted = max(level / other * level - level, 0)
        assert found[side // 2, side + side // 2] == pytest.approx(wanted, rel=1e-12)


def test_a_frame_of_several_bands_has_no_seams(measure):
    image = np.random.default_rng(2).integers(0, 255, (2200, 31))
    whole = measure(image)
    for cut in (1000, 1400):
        part = measure(image[cut : cut + 800])
        np.testing.assert_array_equal(whole[cut + 50 : cut + 750], part[50:750])


def test_turning_the_frame_turns_the_map(measure):
    for shape in ((24, 31), (5, 4), (1, 12), (7, 1)):
        image = np.random.default_rng(0).integers(0, 60, shape)
        for turn in TURNS:
            np.testing.assert_array_equal(measure(turn(image)), turn(measure(image)))


@pytest.mark.parametrize("gain", [0.01, 3, 64])
def test_gain_scales_the_map(measure, gain):
    image = np.random.default_rng(0).integers(1, 256, (30, 31))
    np.testing.assert_allclose(measure(gain * image), gain * measure(image), rtol=1e-9, atol=1e-9)


def test_depth_does_not_matter(measure):
    image = np.random.default_rng(0).integers(1, 256, (30, 31))
    for unit in (64, 1 / 64):  # 16 bits; fractions
        np.testing.assert_array_equal(measure(image * unit) / unit, measure(image))


@pytest.mark.parametrize("level", [0, 7, 255, 0.1, -4.0, 16383])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (40, 23)])
def test_a_constant_frame_gives_zeros(measure, level, shape):
    assert not measure(np.full(shape, level)).any()


def test_a_negative_frame_is_raised_to_zero(measure):
    image = np.random.default_rng(0).integers(0, 200, (24, 30))
    np.testing.assert_array_equal(measure(image - 200), measure(image - image.min()))


def test_black_frames_divide_by_nothing(measure):
    image = np.zeros((30, 30))
    image[15, 15] = 3
    values = measure(image)
    assert np.isfinite(values).all()
    assert values[15, 15] > 0
    assert measure(image, black=0.5)[15, 15] < 1e5


@pytest.mark.parametrize("at", [(0, 0), (0, 12), (29, 34), (10, 34)])
@pytest.mark.parametrize("border", ["zero", "symmetric"])
def test_a_target_of_one_pixel_is_seen_on_the_border_too(at, border):
    image = np.full((30, 35), 60)
    image[at] = 250
    values = tllcm(image, border=border)
    assert np.unravel_index(values.argmax(), values.shape) == at


def test_saturated_targets_respond(measure):
    image = np.random.default_rng(4).integers(90, 95, (40, 40))
    image[18:22, 18:22] = 255
    values = measure(image)
    assert values[19:21, 19:21].min() > 50
    assert values[:8, :8].max() < 10


def test_a_replicated_target_in_the_corner_fills_its_own_surroundings():
    image = np.full((30, 35), 60)
    image[0, 0] = 250
    assert tllcm(image, border="replicate")[0, 0] == 0


@pytest.mark.parametrize("cell", [0, 2, 4, -3])
def test_cells_are_odd(cell):
    with pytest.raises(ValueError, match=f"odd and positive, in pixels, got .*{cell}"):
        rlcm(np.eye(5), cell=cell)
    with pytest.raises(ValueError, match=f"odd and positive, in pixels, got .*{cell}"):
        tllcm(np.eye(5), cells=(3, cell))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rlcm(np.eye(5), pairs=()), r"at least one side .* and \[\]"),
        (lambda: rlcm(np.eye(5), pairs=((0, 3),)), r"levels is averaged, got \[0, 3\]"),
        (lambda: tllcm(np.eye(5), cells=()), r"at least one side .* got \(\)"),
        (lambda: tllcm(np.eye(5), largest=0), r"levels is averaged, got \[0\]"),
    ],
)
def test_what_leaves_nothing_to_compare_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_borders_are_refused_with_the_nearest(measure):
    with pytest.raises(UsageError, match="'zeros': did you mean 'zero'"):
        measure(np.eye(5), border="zeros")


def test_frames_are_left_as_they_are(measure):
    image = check_frame()
    measure(image)
    np.testing.assert_array_equal(image, check_frame())
