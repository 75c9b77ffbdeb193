"""A planted target has the position, the shape and the local SCR that were asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deepir.boxes import components
from deepir.errors import DeepirError, FrameError
from deepir.scr import local_scr, ring_pixels
from deepir.simulate import PlantError, Target, plant
from deepir.simulate.target import stamp

SHAPE = (48, 61)


def clutter(seed=0, shape=SHAPE, spread=4.0):
    rng = np.random.default_rng(seed)
    return 100 + rng.normal(0, spread, shape) + rng.normal(0, spread / 4, shape).cumsum(axis=1)


def numbers(low, high):
    return st.floats(low, high, allow_nan=False)


targets = st.builds(
    Target,
    x=numbers(-0.5, SHAPE[1] - 0.5),
    y=numbers(-0.5, SHAPE[0] - 0.5),
    scr=numbers(0.5, 8),
    sigma=numbers(0.1, 2.5),
    size=st.just(0.0) | numbers(0, 9),
)


def plant_or_skip(image, target, **options):
    try:
        return plant(image, target, **options)
    except PlantError:
        assume(False)


def oracle(target, shape, fine=41):
    """Sub-pixel disc convolved with a sampled Gaussian by plain sums, normalised to its peak."""
    step = (np.arange(fine) + 0.5) / fine - 0.5
    y, x = (np.add.outer(np.arange(n), step).ravel() for n in shape)
    radius = max(target.size / 2, 1e-9)
    spots = (np.arange(-200, 200) + 0.5) / 200 * radius
    down, across = np.meshgrid(spots, spots, indexing="ij")
    down = down[np.hypot(down, across) <= radius]
    across = np.sqrt(radius**2 - np.unique(down) ** 2)
    total = np.zeros(shape)
    for row, half in zip(np.unique(down), across, strict=True):
        chord = (np.arange(-40, 40) + 0.5) / 40 * half
        part_y = np.exp(-(((y - target.y - row) / target.sigma) ** 2) / 2)
        part_x = np.exp(-(((x[:, None] - target.x - chord) / target.sigma) ** 2) / 2).mean(axis=1)
        total += half * np.outer(
            part_y.reshape(-1, fine).mean(axis=1), part_x.reshape(-1, fine).mean(axis=1)
        )
    return total / total.max()


@pytest.mark.parametrize(
    ("sigma", "size"), [(0.5, 0.0), (1.3, 0.0), (0.6, 3.0), (1.0, 6.5), (0.4, 7.0)]
)
def test_pattern_equals_plain_sums(sigma, size):
    target = Target(x=9.3, y=7.8, scr=5, sigma=sigma, size=size)
    mark = stamp(target, (17, 19))
    pattern = np.zeros((17, 19))
    pattern[mark.rows, mark.columns] = mark.values
    np.testing.assert_allclose(pattern, oracle(target, (17, 19)), atol=2e-3)


def test_disc_tends_to_the_point():
    point = stamp(Target(x=20.3, y=20.6, scr=5, sigma=0.9), (40, 40))
    disc = stamp(Target(x=20.3, y=20.6, scr=5, sigma=0.9, size=1e-4), (40, 40))
    np.testing.assert_allclose(disc.values[: len(point.values)], point.values, atol=1e-8)


@pytest.mark.parametrize("ratio", [0.5, 3.0, 40.0])
def test_disc_and_its_transpose_agree_to_the_promised_accuracy(ratio):
    """The disc is exact along x and a quadrature along y: their difference is the error."""
    disc = stamp(Target(x=30.21, y=30.47, scr=5, sigma=8 / ratio, size=16), (64, 64))
    turned = stamp(Target(x=30.47, y=30.21, scr=5, sigma=8 / ratio, size=16), (64, 64))
    np.testing.assert_allclose(disc.values, turned.values.T, atol=1e-9)


@settings(max_examples=60)
@given(target=targets, seed=st.integers(0, 50))
def test_scr_of_a_float_frame_is_exact(target, seed):
    image = clutter(seed)
    planted = plant_or_skip(image, target)
    got = local_scr(planted.image, planted.box, mask=planted.mask)
    assert got == pytest.approx(target.scr, abs=1e-6)
    assert (planted.image >= image).all()


@settings(max_examples=25)
@given(target=targets, seed=st.integers(0, 50))
def test_scr_leaves_other_targets_out_of_the_ring(target, seed):
    others = np.array([[3, 4, 9, 8], [30, 20, 34, 25], [55, 44, 61, 48]], dtype=np.float32)
    image = clutter(seed)
    image[4:8, 3:9] += 300
    planted = plant_or_skip(image, target, boxes=others)
    got = local_scr(planted.image, planted.box, boxes=others, mask=planted.mask)
    assert got == pytest.approx(target.scr, abs=1e-6)


@settings(max_examples=40)
@given(target=targets, seed=st.integers(0, 50), dtype=st.sampled_from(["u1", "u2", "i4", "f4"]))
def test_stored_frames_keep_depth_and_scr(target, seed, dtype):
    image = clutter(seed).round().astype(dtype)
    before = image.copy()
    planted = plant_or_skip(image, target)
    got = local_scr(planted.image, planted.box, mask=planted.mask)
    assert got == pytest.approx(target.scr, rel=0.1)
    assert planted.image.dtype == image.dtype
    np.testing.assert_array_equal(image, before)


@settings(max_examples=60)
@given(target=targets)
def test_box_is_tight_around_one_component(target):
    mark = stamp(target, SHAPE)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[mark.rows, mark.columns] = mark.core
    found = components(mask)
    np.testing.assert_array_equal(found.boxes, mark.box[None])
    assert mark.box.dtype == np.float32
    assert mark.values.max() == 1


@settings(max_examples=60)
@given(
    x=numbers(14, 26), y=numbers(14, 26), sigma=numbers(0.6, 1.5), size=st.just(0) | numbers(0, 5)
)
def test_centroid_on_a_constant_frame_is_the_position(x, y, sigma, size):
    image = np.full((41, 41), 7.0)
    planted = plant(image, Target(x=x, y=y, scr=10, sigma=sigma, size=size))
    light = planted.image - image
    rows, columns = np.indices(light.shape)
    assert (light * columns).sum() / light.sum() == pytest.approx(x, abs=1e-3)
    assert (light * rows).sum() / light.sum() == pytest.approx(y, abs=1e-3)


def flipped_x(image):
    return image[:, ::-1]


def flipped_y(image):
    return image[::-1]


def transposed(image):
    return image.T


@settings(max_examples=40)
@given(target=targets, seed=st.integers(0, 50))
@pytest.mark.parametrize("turn", [flipped_x, flipped_y, transposed])
def test_turning_commutes_with_planting(turn, target, seed):
    image = clutter(seed)
    moved = {
        flipped_x: replace(target, x=SHAPE[1] - 1 - target.x),
        flipped_y: replace(target, y=SHAPE[0] - 1 - target.y),
        transposed: replace(target, x=target.y, y=target.x),
    }[turn]
    planted = plant_or_skip(image, target)
    turned = plant(turn(image), moved)
    np.testing.assert_allclose(turned.image, turn(planted.image), rtol=1e-7)
    np.testing.assert_array_equal(turned.mask, turn(planted.mask))


def test_full_width_at_half_maximum():
    wide = stamp(Target(x=50, y=50, scr=5, sigma=4.0), (101, 101)).box
    assert wide.tolist() == [46, 46, 55, 55]  # 2.355 * 4 = 9.4 px
    disc = stamp(Target(x=50, y=50, scr=5, sigma=0.6, size=9), (101, 101)).box
    assert disc.tolist() == [46, 46, 55, 55]


@pytest.mark.parametrize("corner", [(-0.5, -0.5), (60.5, 47.5), (-0.5, 47.5)])
def test_targets_on_the_border_stay_in_the_frame(corner):
    planted = plant(clutter(), Target(*corner, scr=6, sigma=1.5))
    x0, y0, x1, y1 = planted.box.tolist()
    assert (x0 >= 0, y0 >= 0, x1 <= SHAPE[1], y1 <= SHAPE[0]) == (True,) * 4
    assert local_scr(planted.image, planted.box, mask=planted.mask) == pytest.approx(6)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f8"])
def test_constant_ring_counts_as_one_level(dtype):
    image = np.full((50, 50), 80, dtype=dtype)
    planted = plant(image, Target(x=25.2, y=24.7, scr=9))
    ring = ring_pixels(planted.image, planted.box, ())
    contrast = planted.image[planted.mask].mean() - ring.mean()
    assert contrast == pytest.approx(9, abs=1e-9 if dtype == "f8" else 0.9)


def test_one_row_and_one_column():
    row = clutter(shape=(1, 60))
    planted = plant(row, Target(x=20.4, y=0, scr=4))
    assert local_scr(planted.image, planted.box, mask=planted.mask) == pytest.approx(4)
    column = plant(row.T, Target(x=0, y=20.4, scr=4))
    np.testing.assert_allclose(column.image.T, planted.image)


def test_read_only_and_lists_are_accepted():
    image = clutter()
    image.flags.writeable = False
    assert plant(image, Target(x=20, y=20, scr=4)).image.flags.writeable
    assert plant(image.tolist(), Target(x=20, y=20, scr=4)).image.dtype == np.float64


@pytest.mark.parametrize(("x", "y"), [(-0.6, 3), (3, -0.51), (60.6, 3), (3, 47.7)])
def test_centre_outside_the_frame_is_refused(x, y):
    with pytest.raises(ValueError, match=r"lies outside a frame of 61x48 pixels"):
        plant(clutter(), Target(x=x, y=y, scr=4))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scr": 0}, "positive local SCR, got 0"),
        ({"scr": -2}, "positive local SCR, got -2"),
        ({"sigma": 0.05}, r"at least 0\.1 px, got 0\.05"),
        ({"size": -1}, "diameter in px, 0 or more, got -1"),
        ({"x": np.nan}, "finite numbers, got Target"),
        ({"scr": np.inf}, "finite numbers, got Target"),
    ],
)
def test_targets_that_cannot_be(fields, message):
    with pytest.raises(ValueError, match=message):
        Target(**{"x": 5, "y": 5, "scr": 5} | fields)


def test_background_that_is_bright_already():
    image = clutter()
    image[18:23, 18:23] += 200
    with pytest.raises(PlantError, match="is reached without a target") as caught:
        plant(image, Target(x=20, y=20, scr=3))
    assert isinstance(caught.value, DeepirError)


def test_dark_spots_are_filled_up_to_the_scr():
    image = clutter()
    image[18:23, 18:23] -= 90
    planted = plant(image, Target(x=20, y=20, scr=3))
    assert local_scr(planted.image, planted.box, mask=planted.mask) == pytest.approx(3)
    assert planted.image[planted.mask].mean() > image.mean()


def test_target_wider_than_its_ring_allows():
    with pytest.raises(PlantError, match="SCR of 60 cannot be reached with sigma 4"):
        plant(clutter(), Target(x=20, y=20, scr=60, sigma=4))


def test_saturation_is_refused_and_the_ceiling_kept():
    image = clutter(spread=20).clip(0, 255).astype(np.uint8)
    with pytest.raises(PlantError, match="levels of uint8 are too few"):
        plant(image, Target(x=30, y=24, scr=30))
    raw = (16000 + clutter(spread=40)).clip(0, 16383).astype(np.uint16)
    free = plant(raw, Target(x=30, y=24, scr=12))
    assert free.image.max() > 16383
    with pytest.raises(PlantError, match="levels of uint16 are too few"):
        plant(raw, Target(x=30, y=24, scr=12), ceiling=16383)


def test_levels_above_the_ceiling_are_left_alone():
    image = clutter().round().astype(np.uint16)
    image[20, 24] = 5000
    planted = plant(image, Target(x=20, y=20, scr=3), ceiling=4095)
    assert planted.image[20, 24] == 5000


def test_frames_without_readable_background():
    with pytest.raises(PlantError, match="no background pixel around Target"):
        plant([[5.0]], Target(x=0, y=0, scr=3))
    image = clutter()
    image[10, 10] = np.nan
    with pytest.raises(PlantError, match="are not finite numbers"):
        plant(image, Target(x=14, y=14, scr=3))
    assert plant(image, Target(x=50, y=40, scr=3)).box[0] > 40
    with pytest.raises(FrameError, match="two dimensions"):
        plant(np.zeros((3, 4, 5)), Target(x=0, y=0, scr=3))
