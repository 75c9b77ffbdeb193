"""FKRW agrees with published figures stage by stage, and with one dense system a candidate."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import facet_walker as oracle
from oracles.check_frame import as_printed, check_frame

from deepir.catalogue import load_detector
from deepir.classical import fkrw
from deepir.classical.facet_walker import (
    coefficients,
    contrasts,
    facet_response,
    facet_walk,
    smoothed,
    walked_facet,
)
from deepir.classical.local_walk import walks_around
from deepir.errors import UsageError

PUBLISHED = {  # each map over its maximum: maximum, mean, value at both targets and in the corner
    "facet": "0.9999997092 0.000607267431 0.9985739896 0.4108923812 0",
    "coefficient": "0.9999999869 0.0006295787798 0.3120977818 0.9999999869 0",
    "contrast": "0.9999999568 0.0002370401979 0.9999999568 0.1432731551 0",
    "final": "0.9999999995 0.0002375944416 0.9985742795 0.1886263542 0",
}
PEAK = {"facet": (59, 84), "coefficient": (99, 29), "contrast": (59, 84), "final": (59, 84)}
POSITIVE = {"facet": 28, "coefficient": 25, "contrast": 14, "final": 14}
TURNS = (np.flipud, np.fliplr, np.transpose, np.rot90)
CENTRE = (np.array([5]), np.array([5]))


def scene(shape=(30, 34), level=90.0, target=None, *, seed=0, rise=70.0, reach=1):
    """Noise without two equal pixels, and a square target."""
    frame = np.random.default_rng(seed).normal(level, 2.0, shape)
    row, column = target or (shape[0] // 2, shape[1] // 2)
    frame[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] += (
        rise
    )
    return frame


@pytest.fixture(scope="module")
def stages():
    walk = facet_walk(check_frame())
    return {
        "facet": np.where(walk.chosen, walk.facet, 0),
        "coefficient": walk.coefficient,
        "contrast": walk.contrast,
        "final": walk.fused(),
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_stage_has_the_published_figures(stages, name):
    values = stages[name] / (stages[name].max() + 1e-6)
    figures = [values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0]]
    assert figures == [as_printed(text) for text in PUBLISHED[name].split()]
    assert np.unravel_index(values.argmax(), values.shape) == PEAK[name]
    assert (values > 0).sum() == POSITIVE[name]


def test_reference_mode_is_the_published_map_with_its_diagnostics(stages):
    found = load_detector("fkrw", mode="reference").respond(check_frame())
    raw = stages["final"]
    np.testing.assert_array_equal(found.saliency, raw / (raw.max() + 1e-6))
    assert found.diagnostics == {"candidates": 28, "solves": 13, "raw_peak": raw.max()}


def test_default_mode_tells_the_same_diagnostics():
    found = load_detector("fkrw").respond(check_frame())
    assert set(found.diagnostics) == {"candidates", "solves", "raw_peak"}
    assert found.saliency[60, 85] == found.saliency.max()


def same_as_oracle(image, **options):
    found = facet_walk(image, **options)
    white = options.pop("seeds", "ring") == "ring and white"
    wanted = oracle.stages(image, options.get("deviations", 4.0), seeds=white)
    assert found.diagnostics()["candidates"] == len(wanted.chosen)
    assert found.solves == wanted.solves
    for name in ("facet", "coefficient", "contrast"):
        one, other = getattr(found, name), getattr(wanted, name)
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9 * np.abs(other).max())
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("deviations", [0.5, 2.0])
def test_stages_are_those_of_the_plain_text(seed, deviations):
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 16, 2)
    image = rng.integers(0, 256, shape).astype(np.uint8)
    same_as_oracle(image, deviations=deviations)


@pytest.mark.parametrize("seeds", ["ring", "ring and white"])
@pytest.mark.parametrize("seed", range(4))
def test_white_pixels_end_walks_only_where_asked(seed, seeds):
    rng = np.random.default_rng(seed)
    image = np.where(rng.random((14, 15)) < 0.5, 255, rng.integers(100, 255, (14, 15)))
    found = same_as_oracle(image, deviations=0.5, seeds=seeds)
    assert (found.smooth == 1).any()


def test_more_candidates_than_a_block_are_solved_one_after_the_other():
    image = np.random.default_rng(0).normal(100, 1, (25, 26)).round(2) * 2
    found = same_as_oracle(image.astype(np.uint8), deviations=-99.0)
    assert found.chosen.all()
    assert 100 < found.solves < found.chosen.size


def test_no_walk_is_left_where_all_of_a_block_is_claimed():
    levels = np.zeros((11, 11))
    levels[3:8, 3:8] = 1.0
    rows, columns = (axis.ravel() for axis in np.mgrid[4:7, 4:7])
    order = np.argsort((rows - 5) ** 2 + (columns - 5) ** 2, kind="stable")
    places = np.tile(rows[order], 40), np.tile(columns[order], 40)
    assert len(walks_around(levels, places, beta=200.0, white=np.inf).rows) == 1


def test_a_region_that_fills_the_window_has_no_ring_and_no_contrast():
    levels = np.zeros((11, 11))
    levels[1:10, 1:10] = 1.0
    walks = walks_around(levels, CENTRE, beta=200.0, white=np.inf)
    assert walks.regions.sum() == 81
    assert contrasts(walks).tolist() == [0.0]
    assert coefficients(walks)[0] > 1


def test_a_region_of_the_centre_alone_says_nothing():
    levels = np.zeros((11, 11))
    levels[5, 5] = 1.0
    walks = walks_around(levels, CENTRE, beta=200.0, white=np.inf)
    assert walks.regions.sum() == 1
    assert coefficients(walks).tolist() == contrasts(walks).tolist() == [0.0]


def test_a_blob_in_the_black_has_a_finite_contrast():
    image = np.zeros((24, 24), np.uint8)
    image[11:14, 11:14] = 200
    walk = facet_walk(image)
    assert walk.contrast.max() > 1e50
    assert np.isfinite(walk.fused()).all()
    assert np.isfinite(fkrw(image).values).all()


def test_chances_lie_between_the_ring_and_the_centre():
    levels = scene((40, 40)) / 255
    places = np.array([8, 20, 0]), np.array([30, 20, 39])
    walks = walks_around(levels, places, beta=200.0, white=np.inf)
    assert (walks.chances[:, 5, 5] == 1).all()
    assert (walks.chances[:, 0] == 0).all()
    assert walks.chances.min() >= 0
    assert walks.chances.max() <= 1 + 1e-12


def test_the_facet_kernel_is_minus_35_times_a_laplacian():
    row, column = np.mgrid[0:12, 0:13] / 10
    response = facet_response(3 * row**2 - 5 * column**2 + 7 * row * column + column)
    np.testing.assert_allclose(response[2:-2, 2:-2], -35 * (6 - 10) / 100, rtol=1e-9)


@pytest.mark.parametrize("turn", TURNS)
def test_turning_the_frame_turns_our_map(turn):
    for shape in ((30, 34), (23, 27)):
        image = scene(shape)
        one, other = walked_facet(turn(image)).values, turn(walked_facet(image).values)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
        assert other.any()


@pytest.mark.parametrize("flip", [0, 1])
def test_the_even_window_moves_by_a_pixel_when_the_frame_is_flipped(flip):
    image = scene()
    means, flipped = smoothed(image), smoothed(np.flip(image, flip))
    inner = tuple(slice(None, -1) if axis == flip else slice(None) for axis in (0, 1))
    np.testing.assert_allclose(flipped[inner], np.flip(means[inner], flip), rtol=1e-12)


@pytest.mark.parametrize("measure", [fkrw, walked_facet])
def test_the_unit_of_deep_frames_does_not_matter(measure):
    image = scene()
    wanted = measure(image).values
    assert wanted.any()
    for gain, offset in ((64.0, 1000.0), (1e-3, -7.0)):
        found = measure(gain * image + offset).values
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9 * wanted.max())


@pytest.mark.parametrize("measure", [fkrw, walked_facet])
@pytest.mark.parametrize("level", [0, 7, 255, 0.1, -4.0, 16383])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (40, 23)])
def test_a_constant_frame_gives_zeros(measure, level, shape):
    found = measure(np.full(shape, level))
    assert not found.values.any()
    assert found.diagnostics == {"candidates": 0, "solves": 0, "raw_peak": 0.0}


@pytest.mark.parametrize("measure", [fkrw, walked_facet])
@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2, 3), (1, 40), (7, 1), (2, 2), (5, 5)])
def test_tiny_frames_give_finite_maps(measure, shape):
    image = np.random.default_rng(1).integers(0, 256, shape)
    values = measure(image).values
    assert values.shape == shape
    assert np.isfinite(values).all()


@pytest.mark.parametrize("target", [(0, 0), (0, 17), (29, 33), (15, 33)])
def test_a_target_on_the_border_is_seen(target):
    values = walked_facet(scene(target=target, reach=2)).values
    peak = np.unravel_index(values.argmax(), values.shape)
    assert np.abs(np.subtract(peak, target)).max() <= 2
    assert values.max() > 1


@pytest.mark.parametrize("measure", [fkrw, walked_facet])
def test_single_hot_pixels_are_removed_as_published(measure):
    image = scene(rise=0.0).round()
    hot = image.copy()
    hot[15, 17] = 255
    assert smoothed(hot).max() == pytest.approx(smoothed(image).max(), abs=0.02)
    assert measure(hot).values[13:18, 15:20].max() <= measure(image).values.max()


def test_white_targets_vanish_where_white_pixels_end_walks():
    image = scene(rise=0.0).round()
    image[13:18, 15:20] = 255
    published, ring = fkrw(image), fkrw(image, seeds="ring")
    assert published.values[12:19, 14:21].max() == 0
    assert ring.values[14:17, 16:19].min() > 0
    assert load_detector("fkrw").detect(image).points[0].tolist() == [17, 15]
    assert load_detector("fkrw", mode="reference").saliency(image)[15, 17] == 0


def test_the_same_frame_gives_the_same_bits():
    first, second = (walked_facet(scene()).values for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_unknown_seeds_are_refused():
    with pytest.raises(UsageError, match="'rings': did you mean 'ring'"):
        fkrw(np.eye(5), seeds="rings")


def test_frames_are_left_as_they_are():
    image = check_frame().astype(float)
    fkrw(image)
    np.testing.assert_array_equal(image, check_frame())
