"""PSTNN agrees with published figures and with its text, and keeps its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import patch_tensor as oracle
from oracles.check_frame import as_printed, check_frame

from deepir.catalogue import load_detector
from deepir.classical.low_rank.pstnn import lowered_slices, pstnn
from deepir.classical.low_rank.resources import Resources
from deepir.errors import FrameError, UsageError

SMALL = {"side": 8, "step": 8}


def scene(seed=0, shape=(45, 61)):
    """Whole grey levels: waves, noise, and two targets."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    frame = 80 + 20 * np.sin(rows / 9) + 0.3 * columns + rng.normal(0, 1.5, shape)
    frame[shape[0] // 3, shape[1] // 2] += 70
    frame[-2, 4:6] += 50
    return frame.round()


@pytest.fixture(scope="module")
def published():
    return pstnn(check_frame())


def test_target_has_the_published_figures(published):
    target = published.target
    found = [target.max(), target.mean(), target[60, 85], target[100, 30], target[0, 0]]
    printed = "99.3456592 0.0572174108 99.3456592 43.31157778 0"
    assert found == [as_printed(text) for text in printed.split()]
    assert np.unravel_index(target.argmax(), target.shape) == (60, 85)
    assert np.count_nonzero(target) == 22


def test_solver_ends_as_published(published):
    assert (published.iterations, published.nonzeros, published.stop) == (3, 24, "support rule")
    assert published.details["protected"] == 1
    assert published.details["crit"] == pytest.approx(0.0235224, rel=1e-6)


def test_reference_mode_is_the_published_map(published):
    response = load_detector("pstnn", mode="reference").respond(check_frame())
    np.testing.assert_array_equal(response.saliency, published.target)
    names = {"iterations": 3, "nonzeros": 24, "stop": "support rule", "protected": 1}
    assert {name: response.diagnostics[name] for name in names} == names


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.sampled_from([(45, 61), (24, 17), (8, 9), (33, 32), (16, 8)]))
def test_any_frame_is_that_of_the_text(seed, shape):
    frame = scene(seed, shape)
    # Without a target it goes on for 90 steps, which magnify rounding.
    found = pstnn(frame, **SMALL, max_iter=10)
    target, background, iterations, positive, err, n = oracle.pstnn(frame, 8, 8, cap=10)
    assert (found.iterations, found.nonzeros) == (iterations, positive)
    assert found.details["protected"] == n
    assert found.details["crit"] == pytest.approx(err, rel=1e-6)
    for part, wanted in ((found.target, target), (found.background, background)):
        np.testing.assert_allclose(part, oracle.put_mean(wanted, shape, 8), rtol=0, atol=1e-8)


def test_protected_values_are_counted_in_either_matrix():
    frame = scene()
    patches = oracle.cut(frame, 8, 8)
    values = np.linalg.svd(oracle.unfold(patches, 0), compute_uv=False)
    wanted = max(1, np.count_nonzero(values >= 0.1 * values[0]))
    assert pstnn(frame, **SMALL, mixed=False).details["protected"] == wanted
    rng = np.random.default_rng(1)
    rough = rng.integers(0, 256, (45, 61))
    counts = [pstnn(rough, **SMALL, mixed=mixed).details["protected"] for mixed in (False, True)]
    assert counts[0] == 8
    assert counts[1] > 8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.integers(1, 9), st.integers(0, 3), st.floats(0, 5))
def test_slices_are_lowered_as_by_a_whole_transform(seed, count, protected, threshold):
    blocks = np.random.default_rng(seed).normal(size=(count, 4, 4))
    whole = np.fft.fft(blocks, axis=0)
    lowered, ranks = zip(*(oracle.svt(one, threshold, protected) for one in whole), strict=True)
    found, rank = lowered_slices(blocks, threshold, protected)
    np.testing.assert_allclose(found, np.fft.ifft(lowered, axis=0).real, atol=1e-12)
    assert rank == max(ranks)


def test_where_the_frame_is_flat_the_target_stays_zero():
    frame = scene()
    frame[:, :20] = 80
    with np.errstate(all="raise"):
        found = pstnn(frame, **SMALL)
    assert not found.target[:, :18].any()
    assert found.target.any()


def test_order_of_patches_matters():
    frame = scene()
    turned = pstnn(frame.T, **SMALL).target.T
    assert not np.allclose(turned, pstnn(frame, **SMALL).target, atol=1e-3)


@pytest.mark.parametrize(("gain", "offset"), [(64.0, 1000.0), (0.013, -3.0), (1e30, 0.0)])
def test_levels_off_the_grey_scale_come_back_in_their_own_unit(gain, offset):
    frame = scene(2) + 0.5  # fractions: stretched like any deep frame
    plain, deep = pstnn(frame, **SMALL), pstnn(gain * frame + offset, **SMALL)
    np.testing.assert_allclose(deep.target, gain * plain.target, atol=1e-6 * gain)
    np.testing.assert_allclose(deep.background, gain * plain.background + offset, atol=1e-6 * gain)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 9), (45, 45)])
@pytest.mark.parametrize("level", [0, 255, 16383, -0.1])
def test_a_flat_frame_is_all_background(shape, level):
    found = pstnn(np.full(shape, level))
    assert (found.stop, found.iterations) == ("constant frame", 0)
    assert not found.target.any()
    np.testing.assert_array_equal(found.background, np.full(shape, level))


@pytest.mark.parametrize("spot", [(0, 0), (0, 31), (59, 71), (30, 36)])
def test_one_bright_pixel_is_the_target_wherever_it_is(spot):
    rows, columns = np.indices((60, 72))
    frame = (80 + 15 * np.sin(rows / 8) + 10 * np.cos(columns / 11)).round()
    frame[spot] += 90
    target = pstnn(frame).target
    assert np.unravel_index(target.argmax(), target.shape) == spot
    assert target[spot] > 10


def test_more_threads_change_nothing_but_rounding():
    one, two = (pstnn(scene(), resources=Resources(threads=n)) for n in (1, 2))
    assert (one.iterations, one.nonzeros) == (two.iterations, two.nonzeros)
    np.testing.assert_allclose(one.target, two.target, rtol=0, atol=1e-9)


def test_the_same_frame_gives_the_same_bits():
    np.testing.assert_array_equal(pstnn(scene()).target, pstnn(scene()).target)


def test_limits_are_reported_with_what_is_there_so_far():
    capped = pstnn(scene(), **SMALL, max_iter=1)
    assert (capped.iterations, capped.stop) == (1, "max_iter")
    target = oracle.pstnn(scene(), 8, 8, cap=1)[0]
    np.testing.assert_allclose(capped.target, oracle.put_mean(target, (45, 61), 8), atol=1e-9)
    late = pstnn(scene(), **SMALL, time_limit=1e-9)
    assert (late.iterations, late.stop) == (1, "time_limit")


def test_holes_are_filled_from_beside_them():
    frame = scene().astype(float)
    frame[10, 12] = frame[10, 11]
    holed = frame.copy()
    holed[10, 12] = np.nan
    np.testing.assert_array_equal(pstnn(holed, **SMALL).target, pstnn(frame, **SMALL).target)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("factor", -2, "above 0, got -2"),
        ("side", 0, "got 0 and 40"),
        ("step", -3, "got 40 and -3"),
        ("max_iter", 0, "got 0"),
        ("time_limit", 0, "got 0"),
    ],
)
def test_options_without_sense_are_refused(option, value, said):
    for build in (pstnn, detector):
        given_frame = (scene(),) if build is pstnn else ()
        with pytest.raises(UsageError, match=said):
            build(*given_frame, **{option: value})


def detector(**given):
    return load_detector("pstnn", **given)


def test_a_frame_beyond_memory_is_refused_with_what_it_needs():
    with pytest.raises(FrameError, match=r"61x45 needs 0\.0 GB"):
        pstnn(scene(), resources=Resources(memory_gb=1e-4))
