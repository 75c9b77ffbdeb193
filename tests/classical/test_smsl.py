"""SMSL is its own text solved exactly; nothing is published that it could be compared with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import patch_tensor as oracle
from oracles.check_frame import check_frame

from deepir.catalogue import load_detector
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.smsl import noise_deviation, orthonormal_sweep, smsl
from deepir.errors import FrameError, UsageError


def scene(seed=0, shape=(70, 95)):
    """Waves, noise, and two targets."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    frame = 80 + 20 * np.sin(rows / 9) + 15 * np.cos(columns / 13) + rng.normal(0, 1.5, shape)
    frame[shape[0] // 3, shape[1] // 2] += 70
    frame[-2, 4:6] += 50
    return frame


def as_written(frame, *, step=30, noise="deviation", seed=None):
    """What the oracle makes of a frame with the settings of the text."""
    columns = oracle.cut(frame, 30, step).reshape(900, -1)
    least = min(columns.shape)
    deviation = noise_deviation(frame)
    weight = 1 / np.sqrt(least)
    stiff = 1 / deviation**2 if noise == "variance" else weight / (3 * deviation)
    start = np.linalg.svd(columns, full_matrices=False)[2]
    if seed is not None:
        start = np.random.default_rng(seed).standard_normal(start.shape)
    return oracle.smsl(columns, start, weight, stiff)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("noise", ["deviation", "variance"])
@pytest.mark.parametrize(
    ("shape", "step"), [((128, 160), 30), ((95, 30), 30), ((31, 61), 10), ((50, 64), 5)]
)
def test_any_frame_is_that_of_the_text(shape, step, noise, seed):
    frame = check_frame()[: shape[0], : shape[1]].astype(float)
    given_ = {"step": step, "noise": noise, "seed": seed}
    found = smsl(frame, **given_)
    target, background, iterations, atoms, crit = as_written(frame, **given_)
    assert (found.iterations, found.rank, found.stop) == (iterations, atoms, "tolerance")
    assert found.details["crit"] == pytest.approx(crit, rel=1e-4)
    assert abs(found.nonzeros - np.count_nonzero(target)) <= 2
    for part, wanted in ((found.target, target), (found.background, background)):
        wanted = oracle.put_mean(wanted.reshape(30, 30, -1), shape, step)
        np.testing.assert_allclose(part, wanted, rtol=0, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(
    *(st.integers(0, 999), st.integers(1, 12), st.integers(1, 9)),
    st.just(0.0) | st.floats(1e-6, 3),  # the plain text divides by it
)
def test_a_sweep_over_all_atoms_at_once_is_that_atom_by_atom(seed, numbers, count, threshold):
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(numbers, count))
    atoms = int(rng.integers(1, min(numbers, count) + 1))
    dictionary, coefficients = None, rng.normal(size=(atoms, count))
    before = np.zeros((numbers, atoms))
    rate = 1 / threshold if threshold > 0 else np.inf
    for _ in range(3):
        wanted = oracle.rosl_sweep(columns, before, coefficients, rate)
        found = orthonormal_sweep(columns, dictionary, coefficients, threshold)
        np.testing.assert_allclose(found[1], wanted[1], atol=1e-8)
        np.testing.assert_allclose(found[0] @ found[1], wanted[0] @ wanted[1], atol=1e-8)
        used = np.linalg.norm(wanted[1], axis=1) > 1e-9
        before, coefficients = (part[used] for part in (wanted[0].T, wanted[1]))
        before = dictionary = np.ascontiguousarray(before.T)
        columns = columns + 0.1 * rng.normal(size=columns.shape)


def test_atoms_stay_orthonormal():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(40, 25))
    new, _ = orthonormal_sweep(columns, None, rng.normal(size=(25, 25)), 0.5)
    np.testing.assert_allclose(new.T @ new, np.eye(25), atol=1e-12)


def test_no_atom_left_leaves_everything_to_the_target():
    found = smsl(scene(), factor=1e-5)
    assert (found.rank, found.stop) == (0, "tolerance")
    assert not found.background.any()


def test_a_seed_decides_what_is_random():
    first, again, other = (smsl(scene(), seed=seed).target for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_a_seed_nothing_is_random():
    np.testing.assert_array_equal(smsl(scene()).target, smsl(scene()).target)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose, np.rot90])
def test_turning_a_frame_that_steps_fit_turns_the_maps(turn):
    # Turning permutes the patches and the numbers in each.
    frame = scene(1, (60, 90))
    plain, turned = smsl(frame), smsl(turn(frame))
    np.testing.assert_allclose(turned.target, turn(plain.target), atol=1e-7)
    np.testing.assert_allclose(turned.background, turn(plain.background), atol=1e-7)


@pytest.mark.parametrize("gain", [64.0, 0.013, 1e-90, 1e90])
def test_the_target_scales_with_the_frame(gain):
    plain, scaled = smsl(scene()), smsl(gain * scene())
    assert scaled.iterations == plain.iterations
    np.testing.assert_allclose(scaled.target, gain * plain.target, atol=1e-7 * gain)
    np.testing.assert_allclose(scaled.background, gain * plain.background, atol=1e-7 * gain)


def test_noise_is_measured_in_grey_levels():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3, (200, 200))
    assert noise_deviation(100 + noise) == pytest.approx(3, rel=0.02)
    rows, columns = np.indices((200, 200))
    assert noise_deviation(3 * rows - 2 * columns) == 0
    assert noise_deviation(noise + rows * 3 + columns) == pytest.approx(3, rel=0.02)
    assert noise_deviation(np.eye(2)) == 0
    sparse = np.zeros((50, 50))
    sparse[25, 25] = 90
    assert 0 < noise_deviation(sparse) < 1


def test_a_frame_without_noise_has_no_noise_term():
    rows, columns = np.indices((70, 95))
    frame = (rows + 2 * columns).astype(float)
    found = smsl(frame)
    assert found.details["noise"] == 0
    rest = frame - found.target - found.background
    assert np.abs(rest).max() < 1e-4 * frame.max()


def test_modes_differ_by_the_start_and_the_weight_of_the_noise():
    for mode, wanted in {
        "default": smsl(scene()),
        "reference": smsl(scene(), noise="variance", seed=0),
    }.items():
        response = load_detector("smsl", mode=mode).respond(scene())
        np.testing.assert_array_equal(response.saliency, wanted.target)
        assert response.diagnostics["iterations"] == wanted.iterations
        given_ = {"noise": "variance", "seed": 3}
        both = load_detector("smsl", mode=mode, **given_).respond(scene())
        np.testing.assert_array_equal(both.saliency, smsl(scene(), **given_).target)


@pytest.mark.parametrize("spot", [(0, 0), (0, 31), (149, 179), (75, 90)])
def test_one_bright_pixel_is_the_target_wherever_it_is(spot):
    rows, columns = np.indices((150, 180))
    frame = 80 + 15 * np.sin(rows / 8) + 10 * np.cos(columns / 11)
    frame[spot] += 90
    target = smsl(frame).target
    assert np.unravel_index(target.argmax(), target.shape) == spot
    assert target[spot] > 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 9), (45, 45)])
@pytest.mark.parametrize("level", [0, 255, 16383, -0.1])
def test_a_flat_frame_is_all_background(shape, level):
    found = smsl(np.full(shape, level))
    assert (found.stop, found.iterations) == ("constant frame", 0)
    assert not found.target.any()
    np.testing.assert_array_equal(found.background, np.full(shape, level))


def test_more_threads_change_nothing_but_rounding():
    one, two = (smsl(scene(), resources=Resources(threads=n)) for n in (1, 2))
    assert one.iterations == two.iterations
    np.testing.assert_allclose(one.target, two.target, rtol=0, atol=1e-7)


def test_limits_are_reported_with_what_is_there_so_far():
    capped = smsl(scene(), max_iter=2)
    assert (capped.iterations, capped.stop) == (2, "max_iter")
    late = smsl(scene(), time_limit=1e-9)
    assert (late.iterations, late.stop) == (1, "time_limit")


def test_holes_are_filled_from_beside_them():
    frame = scene().astype(float)
    frame[10, 12] = frame[10, 11]
    holed = frame.copy()
    holed[10, 12] = np.nan
    np.testing.assert_array_equal(smsl(holed).target, smsl(frame).target)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("factor", 0, "above 0, got 0"),
        ("step", 0, "got 30 and 0"),
        ("noise", "none", "unknown noise 'none'"),
        ("max_iter", 0, "got 0"),
        ("time_limit", -1, "got -1"),
    ],
)
def test_options_without_sense_are_refused(option, value, said):
    with pytest.raises(UsageError, match=said):
        smsl(scene(), **{option: value})
    with pytest.raises(UsageError, match=said):
        load_detector("smsl", **{option: value})


def test_a_frame_beyond_memory_is_refused_with_what_it_needs():
    with pytest.raises(FrameError, match=r"95x70 needs 0\.0 GB"):
        smsl(scene(), resources=Resources(memory_gb=1e-4))
