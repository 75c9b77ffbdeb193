"""Laws that every detector of the catalogue keeps; a new entry is tested without a new line.

Networks without weights in this installation are left out; a tiny one stands in for them.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from tiny_networks import peak_boxes

from deepir import classical
from deepir.catalogue import CATALOGUE, is_ready, load_detector
from deepir.errors import FrameError

READ_OUTS = ("peak", "published")
MAPS = sorted(classical.CATALOGUE)
TINY = "tiny network"


def variants(name):
    """Option sets of one entry: each mode that it has, each read-out."""
    modes = (
        ("default", "reference") if "mode" in inspect.signature(CATALOGUE[name]).parameters else ()
    )
    return [{"mode": mode} for mode in modes] or [{}]


READY = tuple(filter(is_ready, CATALOGUE))


def builds(names=READY, *, without=()):
    """Every entry of these names in each of its modes, but for some (name, mode)."""
    return [
        pytest.param((name, options), id="-".join((name, *options.values())))
        for name in sorted(names)
        for options in variants(name)
        if (name, *options.values()) not in without
    ]


ONE_PATCH = {("ipi", "reference"), ("nipps", "reference")}
"""Their patches of 50 pixels are larger than our frames, so that nothing is left to compare with.

Published as they are; they have tests of their own below, on a frame of several patches.
"""


def only(names):
    """Run a test for these entries alone: their definition has the symmetry."""
    return pytest.mark.parametrize("build", builds(names), indirect=True)


def looking():
    """Run a test for all but those to which our frames are one patch."""
    able = [*builds(without=ONE_PATCH), pytest.param((TINY, {}), id=TINY)]
    return pytest.mark.parametrize("build", able, indirect=True)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.onnx"
    path.write_bytes(peak_boxes(twins=True, shift=0.25))
    return path


@pytest.fixture(params=[*builds(), pytest.param((TINY, {}), id=TINY)])
def build(request):
    """Builds one entry in one of its modes; further options may be given."""
    name, options = request.param
    if name == TINY:
        weights = request.getfixturevalue("tiny_weights")
        name, options = "oscar_nano", {"weights": weights, "engine": "onnxruntime"}

    def make(**more):
        return load_detector(name, **options, **more)

    return make


@pytest.fixture(params=READ_OUTS)
def detector(build, request):
    return build(read_out=request.param)


def scene(shape=(37, 53), top=255):
    """Noise on a slope with a bright target of 3x3 pixels around its middle."""
    rng = np.random.default_rng(sum(shape))
    frame = rng.normal(0.2, 0.01, shape) + np.linspace(0, 0.1, shape[1])
    row, column = shape[0] // 2, shape[1] // 2
    frame[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] += 0.3
    frame[row, column] += 0.2
    return (frame * top).round()


def holed(value):
    frame = scene().astype(np.float32)
    frame[::5, 3] = value
    frame[17:20, 10:14] = value
    frame[18, 27] = value  # on the target: what fills it is bright
    return frame


def one_finite_pixel():
    frame = np.full((6, 7), np.nan)
    frame[2, 3] = 5
    return frame


EIGHT_BIT = scene().astype(np.uint8)
READ_ONLY = EIGHT_BIT.copy()
READ_ONLY.setflags(write=False)
FLAT = {
    "zeros": np.zeros((20, 31), np.uint8),
    "saturated": np.full((20, 31), 255, np.uint8),
    "saturated 14-bit": np.full((33, 20), 16383, np.uint16),
    "constant real": np.full((15, 70), 0.1),
    "constant negative": np.full((9, 9), -7.3, np.float32),
    "one pixel": np.array([[9]], np.uint8),
    "one finite pixel": one_finite_pixel(),
}
FRAMES = {
    **FLAT,
    "8-bit": EIGHT_BIT,
    "14-bit": scene(top=16383).astype(np.uint16),
    "big-endian": scene(top=16383).astype(">u2"),
    "signed": (scene() - 128).astype(np.int8),
    "int64": scene().astype(np.int64) * 1000,
    "half": scene().astype(np.float16),
    "single": scene().astype(np.float32) / 255,
    "double": -scene(),
    "long double": scene().astype(np.longdouble),
    "wide single": scene().astype(np.float32) * np.float32(1e36),
    "bool": scene() > 100,
    "row": scene((1, 40)),
    "column": scene((40, 1)).astype(np.uint8),
    "two pixels": np.array([[3, 200]], np.uint8),
    "tiny": scene((2, 3)),
    "NaN": holed(np.nan),
    "infinite": holed(np.inf),
    "minus infinite": holed(-np.inf),
    "read-only": READ_ONLY,
    "view": np.repeat(np.repeat(EIGHT_BIT, 2, 0), 3, 1)[::-2, ::3],
    "Fortran": np.asfortranarray(EIGHT_BIT),
    "checkerboard": np.indices((21, 22)).sum(0) % 2 * np.uint8(255),
    "half saturated": np.where(scene() > 60, 255, 0).astype(np.uint8),
}


@pytest.fixture(params=FRAMES)
def frame(request):
    return FRAMES[request.param]


def same(one, other):
    """Whether two detections are equal to the last bit."""
    return all(
        np.array_equal(getattr(one, part), getattr(other, part))
        for part in ("points", "scores", "boxes")
    )


def candidates(detector, image):
    return detector.read(detector.respond(image))


def test_any_frame_gives_sorted_points_inside(detector, frame):
    before = frame.copy()
    found = candidates(detector, frame)
    height, width = frame.shape
    centres = detector.read_out == "published" and not detector.has_map
    last = (width, height) if centres else (width - 1, height - 1)
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores > detector.floor).all()
    assert ((found.points >= 0) & (found.points <= last)).all()
    assert ((found.boxes >= 0) & (found.boxes <= (width, height, width, height))).all()
    assert len(found) <= detector.top_k
    np.testing.assert_array_equal(frame, before)


@only(MAPS)
def test_any_frame_gives_a_finite_map(detector, frame):
    response = detector.respond(frame)
    saliency = detector.saliency(frame)
    np.testing.assert_array_equal(response.saliency, saliency)
    assert saliency.shape == frame.shape
    assert saliency.dtype == np.float64
    assert np.isfinite(saliency).all()


def test_who_has_a_map_responds_with_one(detector):
    response = detector.respond(EIGHT_BIT)
    assert (response.saliency is not None) == detector.has_map
    assert (detector.predicted_mask(response) is not None) == detector.has_map
    assert response.image.shape == EIGHT_BIT.shape


def test_detect_returns_the_candidates_that_reach_the_threshold(detector, frame):
    found = candidates(detector, frame)
    assert same(detector.detect(frame), found.above(detector.operating))


@looking()
def test_the_same_frame_gives_the_same_bits(detector):
    first, second = (candidates(detector, EIGHT_BIT) for _ in range(2))
    assert len(first)
    assert same(first, second)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [("8-bit", np.float64), ("8-bit", np.uint16), ("14-bit", np.float32), ("bool", np.uint8)],
)
def test_only_the_values_of_a_frame_matter_not_its_dtype(detector, narrow, wide):
    image = FRAMES[narrow]
    one, other = (candidates(detector, frame) for frame in (image, image.astype(wide)))
    if detector.has_map:
        assert same(one, other)
    else:  # networks see single precision, which integers and fractions reach in other ways
        np.testing.assert_array_equal(one.points, other.points)
        np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-4)


@pytest.mark.parametrize("memory", ["read-only", "Fortran"])
def test_only_the_values_of_a_frame_matter_not_its_memory(detector, memory):
    assert same(candidates(detector, FRAMES[memory]), candidates(detector, EIGHT_BIT))


@pytest.mark.parametrize("flat", FLAT)
def test_a_flat_frame_holds_no_target(detector, flat):
    assert len(candidates(detector, FLAT[flat])) == 0


@looking()
def test_an_obvious_target_comes_first(build):
    found = candidates(build(), EIGHT_BIT)
    assert found.points[0].tolist() == [26, 18]
    assert found.scores[0] > build().operating


@pytest.mark.parametrize("name", sorted(ONE_PATCH))
def test_a_frame_of_several_patches_shows_its_target_and_the_same_bits(name):
    detector = load_detector(name[0], mode=name[1])
    image = scene((100, 100))
    image[::9, 3] = np.nan
    first, second = (candidates(detector, image) for _ in range(2))
    assert first.points[0].tolist() == [50, 50]
    assert same(first, second)


@looking()
@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_holes_are_no_targets_and_hide_none(build, hole):
    image = holed(hole)
    found = candidates(build(), image)
    columns, rows = found.points.astype(int).T
    assert found.points[0].tolist() == [26, 18]
    assert np.isfinite(image[rows, columns]).all()


@only(MAPS)
@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_holes_are_in_no_mask(build, hole):
    image = holed(hole)
    assert not build().predicted_mask(build().respond(image))[~np.isfinite(image)].any()


@only(MAPS)
def test_the_mask_holds_what_is_believed(detector):
    response = detector.respond(EIGHT_BIT)
    mask = detector.predicted_mask(response)
    assert mask.dtype == bool
    assert mask.shape == EIGHT_BIT.shape
    assert mask.any() == (len(detector.detect(EIGHT_BIT)) > 0)


def test_a_threshold_below_the_floor_returns_every_candidate(build):
    every = candidates(build(), EIGHT_BIT)
    assert same(build(threshold=-1e300).detect(EIGHT_BIT), every)
    assert len(build(threshold=1e300).detect(EIGHT_BIT)) == 0


def test_top_k_keeps_the_best(build):
    every, few = candidates(build(), EIGHT_BIT), candidates(build(top_k=2), EIGHT_BIT)
    assert few.scores.tolist() == every.scores[:2].tolist()


@only(MAPS)
def test_read_outs_share_the_filter(build):
    peak, published = (build(read_out=kind).saliency(EIGHT_BIT) for kind in READ_OUTS)
    np.testing.assert_array_equal(peak, published)


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 5, 3)), np.zeros(4), np.zeros((0, 5)), np.zeros((2, 2), complex), [[np.nan]]],
    ids=["colour", "line", "empty", "complex", "no finite pixel"],
)
def test_what_is_no_frame_is_refused(detector, image):
    with pytest.raises(FrameError):
        detector.detect(image)


SYMMETRIC = {"lcm", "max_mean", "max_median", "mpcm", "top_hat"}
SCALE_POWER = {"lcm": 1, "max_mean": 1, "max_median": 1, "mpcm": 2, "top_hat": 1}
OFFSET_FREE = {"max_mean", "max_median", "mpcm", "top_hat"}
EDGES = ((37, 53), (64, 33), (5, 4), (1, 30), (3, 1))


def close(result, wanted):
    np.testing.assert_allclose(result, wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())


@only(SYMMETRIC)
@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose, np.rot90])
def test_turning_the_frame_turns_the_map(build, turn):
    for shape in EDGES:
        close(build().saliency(turn(scene(shape))), turn(build().saliency(scene(shape))))


@only(SCALE_POWER)
@pytest.mark.parametrize("gain", [1 / 64, 4, 64])  # exact ones: a root magnifies rounding near 0
def test_gain_only_scales_the_map(build, gain):
    def unit(saliency):
        return saliency / np.abs(saliency).max()

    close(unit(build().saliency(gain * scene())), unit(build().saliency(scene())))


@pytest.mark.parametrize(("name", "power"), SCALE_POWER.items())
@pytest.mark.parametrize("gain", [0.01, 3, 64])
def test_gain_scales_the_published_map_by_its_power(name, power, gain):
    detector = load_detector(name, mode="reference")
    close(detector.saliency(gain * scene()), gain**power * detector.saliency(scene()))


@only(OFFSET_FREE)
@pytest.mark.parametrize("offset", [-400, 7.25, 1e4])
def test_a_constant_more_leaves_the_map_alone(build, offset):
    close(build().saliency(scene() + offset), build().saliency(scene()))
