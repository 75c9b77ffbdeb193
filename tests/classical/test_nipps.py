"""NIPPS has the published figures, and is what its text says by full decompositions."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from oracles import low_rank as oracle
from oracles.check_frame import check_frame
from oracles.scenes import smooth_scene

from deepir.catalogue import load_detector
from deepir.classical.low_rank import leading
from deepir.classical.low_rank.nipps import _run, _Solver, nipps
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.separation import Budget
from deepir.errors import FrameError, UsageError
from deepir.frames import read_image

SMALL = {"side": 12, "step": 4}


@cache
def published():
    return nipps(check_frame())


def assert_same(found, wanted, share=1e-7, background=1e-4):
    assert (found.iterations, found.stop) == (wanted.iterations, wanted.stop)
    assert found.rank == wanted.rank
    assert found.details["protected"] == wanted.details["protected"]
    np.testing.assert_allclose(found.target, wanted.target, atol=share * wanted.target.max())
    np.testing.assert_allclose(found.background, wanted.background, atol=background)


def assert_is_oracle(found, image, share=1e-7, **options):
    target, background, told = oracle.nipps(image, **options)
    assert (found.iterations, found.stop) == (len(told["ranks"]), told["stop"])
    assert (found.rank, found.nonzeros) == (told["ranks"][-1], told["cards"][-1])
    assert found.details["protected"] == told["protected"]
    assert found.details["crit"] == pytest.approx(told["crits"][-1], rel=1e-3)
    np.testing.assert_allclose(found.target, target, atol=share * target.max())
    np.testing.assert_allclose(found.background, background, atol=1e-4)


def test_map_has_the_published_figures():
    values = published().target
    figures = (values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0])
    wanted = (23.65639503, 0.005781297343, 4.371867231, 23.65639503, 0)
    assert figures == pytest.approx(wanted, rel=1e-9, abs=0)
    assert np.unravel_index(values.argmax(), values.shape) == (100, 30)
    assert (values > 0).sum() == 25


def test_solver_tells_the_published_figures():
    found = published()
    assert (found.iterations, found.stop, found.nonzeros) == (29, "tolerance", 138)
    assert found.details["protected"] == 30
    assert found.details["crit"] < 1e-7


def test_target_and_background_add_up_to_the_frame():
    found = published()
    np.testing.assert_allclose(found.target + found.background, check_frame(), atol=1e-4)
    assert (found.target >= 0).all()


@pytest.mark.parametrize("grid", ["plain", "flush"])
@pytest.mark.parametrize("shape", [(44, 52), (41, 39)])
def test_a_frame_is_split_as_the_text_says(shape, grid):
    image = smooth_scene(shape, seed=shape[0])
    assert_is_oracle(nipps(image, grid=grid, **SMALL), image, kind=grid, **SMALL)


@pytest.fixture
def eager(monkeypatch):
    """The ways of large frames for small ones."""
    monkeypatch.setattr(leading, "SMALL", 20)
    monkeypatch.setattr(leading, "_DIRECT", 0)
    monkeypatch.setattr(leading, "_FEW", 6)


def test_the_ways_of_large_frames_change_nothing(eager):
    image = smooth_scene((60, 70))
    wanted = oracle.nipps(image, **SMALL)[2]["ranks"]
    assert wanted[0] * 6 < min(144, len(wanted) * 1000)  # few at first, all in the end
    assert_is_oracle(nipps(image, **SMALL), image, share=1e-6, **SMALL)


def test_a_real_frame_is_split_as_the_text_says(eager, shared):
    image = read_image(shared("data", "sirst-v2", "mixed", "Misc_66.png"))[100:150, 60:120]
    assert_is_oracle(nipps(image, **SMALL), image, share=1e-6, **SMALL)


def test_patches_may_stand_in_any_order():
    # Values near the last protected one amplify rounding: plain decompositions differ by 2e-7 here.
    rows = np.random.default_rng(0).permutation(60)
    data = smooth_scene((60, 50))
    plain, mixed = _Solver(data, None), _Solver(data[rows], None)
    assert _run(plain, Budget(50))[0] == _run(mixed, Budget(50))[0]
    for one, other in zip(plain.finish(), mixed.finish(), strict=True):
        np.testing.assert_allclose(one[rows], other, atol=1e-6)


@pytest.mark.parametrize("gain", [64.0, 0.013, 1e6])
def test_target_and_background_grow_with_the_frame(gain):
    found, wanted = nipps(gain * smooth_scene(), **SMALL), nipps(smooth_scene(), **SMALL)
    assert (found.iterations, found.rank) == (wanted.iterations, wanted.rank)
    np.testing.assert_allclose(found.target, gain * wanted.target, atol=1e-6 * gain)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.rot90, np.transpose])
def test_flips_and_turns_commute_where_the_grid_does(turn):
    image = smooth_scene((44, 52))
    found, wanted = nipps(turn(image), **SMALL), nipps(image, **SMALL)
    np.testing.assert_allclose(found.target, turn(wanted.target), atol=1e-6)


@pytest.mark.parametrize("mode", ["default", "reference"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (7, 5), (40, 33), (50, 60), (61, 150)])
def test_small_frames_have_a_finite_map(shape, mode):
    detector = load_detector("nipps", mode=mode)
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    assert np.isfinite(detector.saliency(image)).all()


@pytest.mark.parametrize("shape", [(1, 1), (30, 40), (64, 70)])
@pytest.mark.parametrize("level", [0, 255, 16383])
def test_a_constant_frame_has_no_target(shape, level):
    found = nipps(np.full(shape, level))
    assert found.stop == "constant frame"
    assert not found.target.any()
    np.testing.assert_array_equal(found.background, level)
    assert load_detector("nipps").detect(np.full(shape, level, np.uint16)).points.size == 0


def test_black_but_one_pixel():
    image = np.zeros((44, 52))
    image[20, 30] = 9
    assert np.isfinite(nipps(image, **SMALL).target).all()


@pytest.mark.parametrize("place", [(0, 0), (0, 52), (45, 52), (45, 30)])
def test_a_target_in_the_last_row_is_found(place):
    image = smooth_scene((46, 53), targets=(place,), height=80)
    peak = nipps(image, most_protected=2, **SMALL).target.argmax()
    assert np.hypot(*np.subtract(np.unravel_index(peak, image.shape), place)) < 1.5


def test_a_target_of_one_pixel_is_found():
    image = smooth_scene(targets=())
    image[23, 37] += 90
    found = nipps(image, most_protected=2, **SMALL).target
    assert np.unravel_index(found.argmax(), found.shape) == (23, 37)


def test_protecting_fewer_values_leaves_more_to_the_target():
    image = smooth_scene(height=90)
    many, few = (nipps(image, most_protected=n, **SMALL) for n in (None, 1))
    assert few.details["protected"] == 1 < many.details["protected"]
    assert few.target.max() > many.target.max()


def test_a_saturated_frame_of_14_bits_is_as_good_as_another():
    image = np.clip(100 * smooth_scene(), 0, 16383).astype(np.uint16)
    image[:6, 40:] = 16383
    found = nipps(image, **SMALL).target
    assert np.isfinite(found).all()
    assert found[24:27, 30:33].max() == found[10:, :35].max() > 0


def test_holes_are_filled():
    image = smooth_scene()
    image[10:12, 10:12] = np.nan
    image[30, 40] = -np.inf
    assert np.isfinite(nipps(image, **SMALL).target).all()


def test_runs_give_the_same_bytes_and_threads_nearly():
    image = smooth_scene()
    one, again = nipps(image, **SMALL), nipps(image, **SMALL)
    np.testing.assert_array_equal(one.target, again.target)
    assert_same(nipps(image, resources=Resources(threads=2), **SMALL), one, share=1e-9)


@pytest.mark.parametrize("limit", [1, 7])
def test_a_limit_of_iterations_is_told(limit):
    found = nipps(smooth_scene(), max_iter=limit, **SMALL)
    assert (found.stop, found.iterations) == ("max_iter", limit)


def test_a_limit_of_time_is_told():
    found = nipps(smooth_scene(), time_limit=1e-9, **SMALL)
    assert (found.stop, found.iterations) == ("time_limit", 1)


def test_a_frame_beyond_memory_is_refused_with_what_it_needs():
    with pytest.raises(FrameError, match=r"640x512 needs 0\.\d GB .* allowed are 0\.1"):
        nipps(np.eye(512, 640), resources=Resources(memory_gb=0.1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": "flash"}, "'flash': did you mean 'flush'"),
        ({"most_protected": 0}, "at least 1, or None, got 0"),
        ({"side": 0}, "at least 1 pixel, got 0"),
        ({"max_iter": 0}, "at least 1, got 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        nipps(np.eye(5), **options)


def test_reference_mode_is_the_published_map():
    saliency = load_detector("nipps", mode="reference").saliency(check_frame())
    np.testing.assert_array_equal(saliency, published().target)


@pytest.mark.parametrize(("given", "most"), [({}, 2), ({"most_protected": 4}, 4)])
def test_default_mode_protects_few(given, most):
    wanted = nipps(check_frame(), most_protected=most).target
    found = load_detector("nipps", **given).respond(check_frame())
    np.testing.assert_array_equal(found.saliency, wanted)
    assert found.diagnostics["protected"] == most


def test_protecting_few_keeps_the_brighter_target_above_the_other():
    target = load_detector("nipps").saliency(check_frame())
    assert target[60, 85] == target.max() > 2 * published().target[60, 85]


def test_a_detector_tells_how_the_solver_ended():
    told = load_detector("nipps", mode="reference").respond(check_frame()).diagnostics
    assert (told["iterations"], told["stop"], told["protected"]) == (29, "tolerance", 30)
