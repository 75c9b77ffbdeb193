"""IPI has the published figures, and is what its text says by full decompositions."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from oracles import low_rank as oracle
from oracles.check_frame import check_frame
from oracles.scenes import smooth_scene

from deepir.catalogue import load_detector
from deepir.classical.low_rank import layout, leading
from deepir.classical.low_rank.ipi import _Iterate, _run, _Solver, _Stops, ipi
from deepir.classical.low_rank.layout import layout_of
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.separation import Budget
from deepir.errors import FrameError, UsageError
from deepir.frames import read_image

SMALL = {"side": 12, "step": 4}
MAPS = {  # maximum, mean, values at both targets and in the corner, positive pixels
    "target": (0.6742379003, 0.0003238822084, 0.6742379003, 0.2534971462, 0, 31),
    "background": (0.9149318866, 0.4276084047, 0.2258286735, 0.3315257379, 0.5016953892, 19200),
}


@cache
def published():
    return ipi(check_frame())


def assert_same(found, wanted, share=1e-7):
    assert found.iterations == wanted.iterations
    assert (found.stop, found.rank) == (wanted.stop, wanted.rank)
    highest = np.abs(wanted.target).max()
    np.testing.assert_allclose(found.target, wanted.target, atol=share * highest)
    np.testing.assert_allclose(found.background, wanted.background, atol=1e-7)


def assert_is_oracle(found, image, share=1e-7, **options):
    target, background, told = oracle.ipi(image, **options)
    assert (found.iterations, found.stop) == (len(told["ranks"]), told["stop"])
    assert (found.rank, found.nonzeros) == (told["ranks"][-1], told["cards"][-1])
    assert found.details["crit"] == pytest.approx(told["crits"][-1], rel=1e-5)
    np.testing.assert_allclose(found.target, target, atol=share * np.abs(target).max())
    np.testing.assert_allclose(found.background, background, atol=1e-7)


@pytest.mark.parametrize("name", MAPS)
def test_maps_have_the_published_figures(name):
    values = getattr(published(), name)
    figures = (values.max(), values.mean(), values[60, 85], values[100, 30], values[0, 0])
    assert figures == pytest.approx(MAPS[name][:5], rel=1e-9, abs=1e-12)
    assert (values > 0).sum() == MAPS[name][5]


def test_maps_peak_where_published():
    assert np.unravel_index(published().target.argmax(), (128, 160)) == (60, 85)
    assert np.unravel_index(published().background.argmax(), (128, 160)) == (29, 151)


def test_solver_tells_the_published_figures():
    found = published()
    assert (found.iterations, found.rank, found.nonzeros) == (34, 32, 627)
    assert found.stop == "rank rule"
    assert found.details == {"crit": pytest.approx(9.1539e-4, rel=1e-5), "patches": 96}


@pytest.mark.parametrize("grid", ["plain", "flush"])
@pytest.mark.parametrize("shape", [(44, 52), (41, 39)])
def test_a_frame_is_split_as_the_text_says(shape, grid):
    image = smooth_scene(shape, seed=shape[0])
    assert_is_oracle(ipi(image, grid=grid, **SMALL), image, kind=grid, **SMALL)


@pytest.fixture
def eager(monkeypatch):
    """The ways of large frames for small ones."""
    monkeypatch.setattr(leading, "SMALL", 20)
    monkeypatch.setattr(leading, "_DIRECT", 0)
    monkeypatch.setattr(leading, "_FEW", 10)


@pytest.mark.parametrize("few", [10, 40])
def test_the_ways_of_large_frames_change_nothing(eager, monkeypatch, few):
    wanted = published()
    monkeypatch.setattr(leading, "_FEW", few)
    assert_same(ipi(check_frame()), wanted, share=1e-6)


def test_a_real_frame_is_split_as_the_text_says(eager, shared):
    image = read_image(shared("data", "sirst-v2", "mixed", "Misc_66.png"))[100:150, 60:120]
    assert_is_oracle(ipi(image, **SMALL), image, share=1e-6, **SMALL)


def test_patches_may_stand_in_any_order():
    rows = np.random.default_rng(0).permutation(60)
    data = smooth_scene((60, 50)) / 200
    plain, mixed = _Solver(data, 0.1), _Solver(data[rows], 0.1)
    assert _run(plain, _Stops(Budget(50)))[0] == _run(mixed, _Stops(Budget(50)))[0]
    for one, other in zip(plain.finish(), mixed.finish(), strict=True):
        np.testing.assert_allclose(one[rows], other, atol=1e-10)


@pytest.mark.parametrize(("gain", "offset"), [(64.0, 0.0), (0.01, 7.0), (1.0, -500.0)])
def test_gain_and_offset_of_the_frame_do_not_matter(gain, offset):
    assert_same(ipi(gain * smooth_scene() + offset, **SMALL), ipi(smooth_scene(), **SMALL))


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.rot90, np.transpose])
def test_flips_and_turns_commute_where_the_grid_does(turn):
    image = smooth_scene((44, 52))
    found, wanted = ipi(turn(image), **SMALL), ipi(image, **SMALL)
    np.testing.assert_allclose(found.target, turn(wanted.target), atol=1e-9)


@pytest.mark.parametrize("mode", ["default", "reference"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (7, 5), (40, 33), (50, 60), (61, 150)])
def test_small_frames_have_a_finite_map(shape, mode):
    detector = load_detector("ipi", mode=mode)
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    assert np.isfinite(detector.saliency(image)).all()


@pytest.mark.parametrize("shape", [(1, 1), (30, 40), (64, 70)])
@pytest.mark.parametrize("level", [0, 255, 16383])
def test_a_constant_frame_has_no_target(shape, level):
    found = ipi(np.full(shape, level))
    assert found.stop == "constant frame"
    assert not found.target.any()
    assert load_detector("ipi").detect(np.full(shape, level, np.uint16)).points.size == 0


def test_patches_that_are_all_alike_have_no_target():
    image = np.tile(np.arange(10.0), (80, 9))
    found = ipi(image)
    assert (found.stop, found.rank, found.iterations) == ("tolerance", 1, 0)
    assert not found.target.any()
    np.testing.assert_allclose(found.background, image / 9)


def test_a_small_frame_gets_small_patches_in_default_mode():
    image = smooth_scene((44, 48), targets=((20, 30),))
    peak = load_detector("ipi").saliency(image).argmax()
    assert np.unravel_index(peak, image.shape) == (20, 30)


@pytest.mark.parametrize("place", [(0, 0), (0, 52), (45, 52), (45, 30)])
def test_a_target_in_the_last_row_is_found_on_the_flush_grid(place):
    image = smooth_scene((46, 53), targets=(place,), height=80)
    peak = ipi(image, grid="flush", **SMALL).target.argmax()
    assert np.hypot(*np.subtract(np.unravel_index(peak, image.shape), place)) < 1.5


def test_the_plain_grid_leaves_its_end_empty():
    found = ipi(smooth_scene((47, 55)), **SMALL)
    for values in (found.target, found.background):
        assert not values[44:].any()
        assert not values[:, 52:].any()
    assert (found.background[:44, :52] != 0).mean() > 0.99


def test_a_target_of_one_pixel_is_found():
    image = smooth_scene(targets=())
    image[23, 37] += 90
    found = ipi(image, **SMALL).target
    assert np.unravel_index(found.argmax(), found.shape) == (23, 37)


def test_a_dark_target_is_negative():
    bright, dark = ipi(smooth_scene(), **SMALL), ipi(-smooth_scene(), **SMALL)
    assert bright.target[25, 31] > 0
    assert dark.target[25, 31] < 0


def test_a_saturated_frame_of_14_bits_is_as_good_as_another():
    image = np.clip(100 * smooth_scene(), 0, 16383).astype(np.uint16)
    image[:6, 40:] = 16383
    found = ipi(image, **SMALL).target
    assert np.isfinite(found).all()
    assert found[25, 31] == found[10:, :35].max() > 0


def test_holes_are_filled():
    image = smooth_scene()
    image[10:12, 10:12] = np.nan
    image[30, 40] = np.inf
    assert np.isfinite(ipi(image, **SMALL).target).all()


def test_runs_give_the_same_bytes_and_threads_nearly():
    one, again = ipi(smooth_scene(), **SMALL), ipi(smooth_scene(), **SMALL)
    np.testing.assert_array_equal(one.target, again.target)
    assert_same(ipi(smooth_scene(), resources=Resources(threads=2), **SMALL), one, share=1e-9)


@pytest.mark.parametrize("limit", [1, 7])
def test_a_limit_of_iterations_is_told(limit):
    found = ipi(smooth_scene(), max_iter=limit, **SMALL)
    assert (found.stop, found.iterations) == ("max_iter", limit)


def test_a_limit_of_time_is_told():
    found = ipi(smooth_scene(), time_limit=1e-9, **SMALL)
    assert (found.stop, found.iterations) == ("time_limit", 1)


def test_a_frame_beyond_memory_is_refused_with_what_it_needs():
    with pytest.raises(FrameError, match=r"640x512 needs 0\.\d GB .* allowed are 0\.1"):
        ipi(np.eye(512, 640), resources=Resources(memory_gb=0.1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": "plane"}, "'plane': did you mean 'plain'"),
        ({"weight": 0.0}, r"above 0, got 0\.0"),
        ({"side": 0}, "at least 1 pixel, got 0"),
        ({"max_iter": 0}, "at least 1, got 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        ipi(np.eye(5), **options)


def test_reference_mode_is_the_published_map():
    saliency = load_detector("ipi", mode="reference").saliency(check_frame())
    np.testing.assert_array_equal(saliency, published().target)


def test_default_mode_covers_the_frame():
    wanted = ipi(check_frame(), grid="flush").target
    np.testing.assert_array_equal(load_detector("ipi").saliency(check_frame()), wanted)


def test_the_approximation_takes_fewer_patches_of_larger_frames(monkeypatch):
    exact = ipi(check_frame(), grid="flush")
    found = load_detector("ipi", approximate="fast").saliency(check_frame())
    np.testing.assert_array_equal(found, exact.target)
    monkeypatch.setattr(layout, "FEW", 25)
    fewer = load_detector("ipi", approximate="fast").respond(check_frame())
    assert 16 <= fewer.diagnostics["patches"] <= 25 < exact.details["patches"]
    step = layout_of("fast", None, "flush", fitted=True).grid(check_frame().shape).step
    np.testing.assert_array_equal(
        fewer.saliency, ipi(check_frame(), grid="flush", step=step).target
    )
    with pytest.raises(UsageError, match="'fats': did you mean 'fast'"):
        load_detector("ipi", approximate="fats")


def test_a_detector_tells_how_the_solver_ended():
    told = load_detector("ipi", mode="reference").respond(check_frame()).diagnostics
    assert told["iterations"] == 34
    assert told["stop"] == "rank rule"


@pytest.mark.parametrize(("share", "at"), [(0.0, None), (0.01, 13), (0.0005, None)])
def test_a_rank_that_stays_ends_it_while_the_target_hardly_changes(share, at):
    stops = _Stops(Budget(40), share)
    for k in range(1, 40):
        nonzeros = 100_000 if k == 2 else 100_100 + k  # the rank is another one up to k = 2
        found = stops.reached(_Iterate(7 + (k > 1), nonzeros, 0.5), k, most=10)
        assert found == ("rank rule" if k == at else None)
        if found:
            return
    assert stops.reached(_Iterate(8, 100_000, 0.5), 40, most=10) == "rank rule"
    assert stops.reached(_Iterate(11, 0, 0.5), 40, most=10) == "rank rule"
    assert stops.reached(_Iterate(9, 0, 1e-6), 40, most=10) == "tolerance"
    assert stops.reached(_Iterate(10, 0, 0.5), 40, most=10) == "max_iter"


@pytest.mark.parametrize(("mode", "share"), [("default", 0.01), ("reference", 0.0)])
def test_default_mode_alone_counts_the_target_in_shares(monkeypatch, mode, share):
    given = []
    init = _Stops.__init__
    monkeypatch.setattr(
        _Stops, "__init__", lambda self, *rest: given.append(rest[1]) or init(self, *rest)
    )
    load_detector("ipi", mode=mode).saliency(np.eye(70, 90))
    assert set(given) == {share}
