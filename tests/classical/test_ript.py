"""RIPT agrees with published figures and with its text, and keeps its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import patch_tensor as oracle
from oracles.check_frame import as_printed, check_frame

from deepir.catalogue import load_detector
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.ript import ript, ript_as_released
from deepir.classical.low_rank.unfoldings import taken
from deepir.errors import FrameError, UsageError

SMALL = {"side": 8, "step": 4}
"""Patches so small that frames of a few thousand pixels have more of them than they have pixels."""


def scene(seed=0, shape=(60, 72), top=200.0):
    """Whole grey levels: a slope, waves, noise, and three targets of which one is on the border."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    frame = 60 + 0.4 * columns + 20 * np.sin(rows / 9) + rng.normal(0, 2, shape)
    for row, column in ((shape[0] // 3, shape[1] // 2), (shape[0] - 1, 5), (8, shape[1] - 9)):
        frame[row, column] += 60
        frame[row, max(column - 1, 0)] += 30
    return np.clip(frame, 0, top).round()


def figures(values):
    return [values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0]]


@pytest.fixture(scope="module")
def published():
    return ript(check_frame())


def test_target_has_the_published_figures(published):
    printed = "52.17971304 0.02511881921 52.17971304 38.302159 0"
    assert figures(published.target) == [as_printed(text) for text in printed.split()]
    assert np.unravel_index(published.target.argmax(), (128, 160)) == (60, 85)
    assert np.count_nonzero(published.target) == 21


def test_solver_ends_as_published(published):
    assert (published.iterations, published.nonzeros, published.stop) == (3, 179, "support rule")
    assert published.details["crit"] == pytest.approx(1.94828e-3, rel=1e-6)


def test_reference_mode_is_the_published_map(published):
    detector = load_detector("ript", mode="reference")
    response = detector.respond(check_frame())
    np.testing.assert_allclose(response.saliency, published.target, rtol=1e-12, atol=1e-12)
    names = {"iterations": 3, "nonzeros": 179, "stop": "support rule", "rank": published.rank}
    assert {name: response.diagnostics[name] for name in names} == names


def test_a_detector_leaves_the_background_out_and_the_target_as_it_is():
    response = load_detector("ript", mode="reference", **SMALL).respond(scene())
    found = ript(scene(), **SMALL)
    np.testing.assert_array_equal(response.saliency, found.target)
    assert response.diagnostics == found.saliency().diagnostics


@pytest.mark.parametrize("shape", [(128, 160), (31, 30), (47, 36), (12, 50), (9, 4)])
def test_small_frames_are_those_of_the_text(shape):
    frame = check_frame()[: shape[0], -shape[1] :]
    missing = [(0, max(30 - length, 0)) for length in shape]
    agree(ript(frame), frame, missing, side=30, step=10)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 99), st.sampled_from([(60, 72), (45, 53), (30, 90), (24, 24)]))
def test_many_patches_are_those_of_the_text(seed, shape):
    frame = scene(seed, shape)
    agree(ript(frame, **SMALL), frame, [(0, 0), (0, 0)], **SMALL)


def agree(found, frame, missing, *, side, step):
    """Maps, counts and the criterion are those of full decompositions."""
    # The oracle knows no frames below a patch; weights are those of the frame itself.
    inside = tuple(slice(0, length) for length in frame.shape)
    grown = np.pad(frame, missing, mode="edge")
    weights = np.pad(oracle.edge_weights(frame, 1.0), missing, mode="edge")
    target, background, iterations, positive, crit = oracle.ript(grown, side, step, weights=weights)
    assert (found.iterations, found.nonzeros) == (iterations, positive)
    assert found.details["crit"] == pytest.approx(crit, rel=1e-5)
    for part, wanted in ((found.target, target), (found.background, background)):
        wanted = oracle.put_mean(wanted, grown.shape, step)[inside]
        np.testing.assert_allclose(part, wanted, rtol=0, atol=1e-7)


def test_no_target_at_all_ends_at_once():
    rows, columns = np.indices((60, 72))
    found = ript(2 * rows + columns, **SMALL)
    assert (found.iterations, found.stop, found.nonzeros) == (2, "support rule", 0)
    assert not found.target.any()


def test_a_weak_lambda_is_solved_patch_by_patch():
    frame = scene()
    found = ript(frame, **SMALL, factor=0.05, max_iter=4)
    target, background, iterations, positive, crit = oracle.ript(frame, 8, 4, factor=0.05, cap=4)
    assert (found.iterations, found.stop) == (iterations, "max_iter")
    assert abs(found.nonzeros - positive) <= 2  # of many thousands, most of them rounding
    assert found.details["crit"] == pytest.approx(crit, rel=1e-6)
    for part, wanted in ((found.target, target), (found.background, background)):
        np.testing.assert_allclose(part, oracle.put_mean(wanted, frame.shape, 4), atol=1e-7)


def test_the_released_fold_lets_later_patches_overwrite():
    frame = scene(3, (40, 50))
    target = oracle.ript(frame, 8, 4)[0]
    found = ript_as_released(frame, **SMALL).target
    np.testing.assert_allclose(found, oracle.put_last(target, frame.shape, 4), atol=1e-7)
    assert not np.allclose(found, ript(frame, **SMALL).target)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose, np.rot90])
def test_turning_a_frame_that_steps_fit_turns_the_maps(turn):
    # Turning permutes the patches and the numbers in each.
    frame = scene(1, (60, 72))  # 60 - 8 and 72 - 8 are multiples of 4
    plain, turned = ript(frame, **SMALL), ript(turn(frame), **SMALL)
    np.testing.assert_allclose(turned.target, turn(plain.target), atol=1e-8)
    np.testing.assert_allclose(turned.background, turn(plain.background), atol=1e-8)


@pytest.mark.parametrize(("gain", "offset"), [(64.0, 1000.0), (0.013, -3.0), (1e30, 0.0)])
def test_levels_off_the_grey_scale_come_back_in_their_own_unit(gain, offset):
    frame = scene(2) + 0.5  # fractions: stretched like any deep frame
    plain, deep = ript(frame, **SMALL), ript(gain * frame + offset, **SMALL)
    np.testing.assert_allclose(deep.target, gain * plain.target, atol=1e-6 * gain)
    np.testing.assert_allclose(deep.background, gain * plain.background + offset, atol=1e-6 * gain)


def test_whole_levels_up_to_255_are_not_stretched():
    frame = scene(2)
    half = ript(frame // 2, **SMALL)
    target = oracle.put_mean(oracle.ript(frame // 2, 8, 4)[0], frame.shape, 4)
    np.testing.assert_allclose(half.target, target, atol=1e-7)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 9), (45, 45)])
@pytest.mark.parametrize("level", [0, 255, 16383, -0.1])
def test_a_flat_frame_is_all_background(shape, level):
    found = ript(np.full(shape, level))
    assert (found.stop, found.iterations) == ("constant frame", 0)
    assert not found.target.any()
    np.testing.assert_array_equal(found.background, np.full(shape, level))


@pytest.mark.parametrize("spot", [(0, 0), (0, 31), (59, 71), (33, 71), (30, 36)])
def test_one_bright_pixel_is_the_target_wherever_it_is(spot):
    rows, columns = np.indices((60, 72))
    frame = 80 + 15 * np.sin(rows / 8) + 10 * np.cos(columns / 11)
    frame = frame.round()
    frame[spot] += 90
    target = ript(frame).target
    assert np.unravel_index(target.argmax(), target.shape) == spot
    assert target[spot] > 10
    assert np.count_nonzero(target > 0.1 * target[spot]) == 1


def test_target_and_background_make_up_the_frame(published):
    rest = check_frame() - published.target - published.background
    assert np.linalg.norm(rest) < 0.01 * np.linalg.norm(check_frame())
    assert (published.target >= 0).all()


def test_the_same_frame_gives_the_same_bits():
    first, second = (ript(scene(), **SMALL).target for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_more_threads_change_nothing_but_rounding():
    one, two = (ript(scene(), **SMALL, resources=Resources(threads=n)) for n in (1, 2))
    assert (one.iterations, one.nonzeros) == (two.iterations, two.nonzeros)
    np.testing.assert_allclose(one.target, two.target, rtol=0, atol=1e-8)


def test_limits_are_reported_with_what_is_there_so_far():
    capped = ript(scene(), **SMALL, max_iter=1)
    assert (capped.iterations, capped.stop) == (1, "max_iter")
    target, background, *_ = oracle.ript(scene(), 8, 4, cap=1)
    for part, wanted in ((capped.target, target), (capped.background, background)):
        np.testing.assert_allclose(part, oracle.put_mean(wanted, (60, 72), 4), atol=1e-7)
    late = ript(scene(), **SMALL, time_limit=1e-9)
    assert (late.iterations, late.stop) == (1, "time_limit")
    detector = load_detector("ript", max_iter=1)
    assert detector.respond(scene()).diagnostics["stop"] == "max_iter"


def test_holes_are_filled_from_beside_them():
    frame = scene().astype(float)
    frame[10, 12] = frame[10, 11]
    holed = frame.copy()
    holed[10, 12] = np.nan
    np.testing.assert_array_equal(ript(holed, **SMALL).target, ript(frame, **SMALL).target)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("factor", 0, "above 0, got 0"),
        ("edge", -1, "got -1"),
        ("side", 0, "got 0 and 10"),
        ("step", -3, "got 30 and -3"),
        ("max_iter", 0, "got 0"),
        ("time_limit", 0, "got 0"),
    ],
)
def test_options_without_sense_are_refused(option, value, said):
    for build in (lambda **given: ript(scene(), **given), lambda **given: detector(**given)):
        with pytest.raises(UsageError, match=said):
            build(**{option: value})


def detector(**given):
    return load_detector("ript", **given)


def test_a_frame_beyond_memory_is_refused_with_what_it_needs():
    with pytest.raises(FrameError, match=r"72x60 needs 0\.0 GB"):
        ript(scene(), resources=Resources(memory_gb=1e-3))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 6))
def test_what_a_threshold_takes_is_that_of_a_decomposition(seed, rows, columns, threshold):
    matrix = np.random.default_rng(seed).normal(size=(rows, columns))
    kept, rank = oracle.svt(matrix, threshold)
    for expected in (None, 0):
        found = taken(matrix.T @ matrix, threshold, expected=expected)
        np.testing.assert_allclose(matrix - matrix @ found.share, kept, atol=1e-9)
        np.testing.assert_allclose(found.gram, (matrix - kept).T @ (matrix - kept), atol=1e-8)
        assert found.rank == rank
