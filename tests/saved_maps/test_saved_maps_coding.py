"""A map comes back from its file: exactly, or in a PNG to a share of its distance."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deepir.errors import FrameError
from deepir.readout import robust_spread, robust_z, unit_range
from deepir.saved_maps.coding import (
    KEYWORD,
    TOP_LEVEL,
    Curve,
    Steps,
    encoded,
    read_levels,
    scale_for,
)

RNG = np.random.default_rng(0)
HEAVY = RNG.standard_t(1.2, (40, 50))  # a few pixels a thousand times as large as the others
MAPS = {
    "noise": RNG.normal(0, 3, (40, 50)),
    "heavy": HEAVY,
    "heavier": HEAVY**3,
    "far": 1e4 + RNG.normal(0, 1, (40, 50)),
    "clipped": np.maximum(HEAVY, 0),
    "sparse": np.where(RNG.random((40, 50)) > 0.98, RNG.random((40, 50)), 0),
    "negative": -np.abs(HEAVY) - 1,
    "constant": np.full((40, 50), 0.1),
    "zero": np.zeros((40, 50)),
    "rounding": 0.1 + 1e-17 * RNG.integers(0, 2, (40, 50)),
    "tiny": 1e-300 * RNG.random((40, 50)),
    "one": np.array([[0.3]]),
    "two": np.array([[-0.3, 7.7]]),
}


@pytest.fixture
def back(tmp_path):
    """Write a map and read it."""

    def call(values, form):
        path = tmp_path / f"map.{form}"
        path.write_bytes(encoded(values, form))
        return read_levels(path, values.shape)

    return call


@pytest.mark.parametrize("values", MAPS.values(), ids=MAPS)
def test_npy_is_exact(back, values):
    found = back(values, "npy")
    assert found.dtype == np.float64
    assert np.array_equal(found, values)


@pytest.mark.parametrize("values", MAPS.values(), ids=MAPS)
def test_png_keeps_a_share_of_the_distance_from_the_median(back, values):
    found = back(values, "png")
    centre, spread = robust_spread(values)
    spread = spread or np.abs(values - centre).max()
    allowed = 4e-4 * (np.abs(values - centre) + spread)
    assert found.dtype == np.float64
    assert (np.abs(found - values) <= allowed + 1e-300).all()
    assert np.array_equal(np.sign(found), np.sign(values))


@pytest.mark.parametrize("name", ["noise", "heavy", "heavier", "far", "clipped"])
def test_scores_of_a_png_are_close(back, name):
    values = MAPS[name]
    found = back(values, "png")
    assert robust_z(found) == pytest.approx(robust_z(values), rel=1e-3, abs=1e-3)
    assert unit_range(found) == pytest.approx(unit_range(values), abs=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
def test_whole_numbers_are_exact_in_a_png(back, dtype):
    limits = np.iinfo(dtype)
    values = RNG.integers(limits.min, limits.max, (40, 50), endpoint=True).astype(np.float64)
    assert np.array_equal(back(values, "png"), values)


def test_equal_values_stay_equal_and_order_stays(back):
    values = np.round(HEAVY, 1)
    found = back(values, "png")
    order = np.argsort(values, axis=None, kind="stable")
    assert (np.diff(found.ravel()[order]) >= 0).all()
    assert len(np.unique(found)) <= len(np.unique(values))


@given(
    arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(-1e100, 1e100, allow_subnormal=False),
    )
)
def test_any_finite_map_has_levels_and_signs(values):
    scale = scale_for(values)
    found = scale.values(scale.levels(values))
    assert np.isfinite(found).all()
    assert np.array_equal(np.sign(found), np.sign(values))


def test_a_png_is_a_picture_of_16_bits_that_any_program_opens(tmp_path):
    path = tmp_path / "map.png"
    path.write_bytes(encoded(HEAVY, "png"))
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert (image.dtype, image.shape) == (np.uint16, HEAVY.shape)
    assert image.max() >= TOP_LEVEL - 5


def chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


@pytest.fixture
def with_scale(tmp_path):
    """PNG of two levels with some text as its scale."""

    def call(text):
        plain = cv2.imencode(".png", np.array([[0, 300]], np.uint16))[1].tobytes()
        path = tmp_path / "a.png"
        path.write_bytes(plain[:33] + chunk(b"tEXt", KEYWORD + b"\0" + text) + plain[33:])
        return path

    return call


def test_even_steps_of_another_program_are_read(with_scale):
    path = with_scale(b'{"offset": -5, "step": 0.5}')
    assert read_levels(path, (1, 2)).tolist() == [[-5.0, 145.0]]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b'{"offset": 1}',
        b'{"offset": "x", "step": 1}',
        b'{"offset": NaN, "step": 1}',
        b'{"median": 0, "spread": 1, "zero": 1}',
        b'{"offset": 0, "step": 1, "more": 2}',
        b'{"median": null, "spread": 1, "zero": 1, "step": 1}',
        b"\xff\xfe",
        b'{"offset": 1' + b"0" * 400 + b', "step": 1}',
    ],
)
def test_a_damaged_scale_is_refused(with_scale, text):
    with pytest.raises(FrameError, match=r"scale in the PNG .*a\.png"):
        read_levels(with_scale(text), (1, 2))


def test_levels_without_a_scale_stay_what_they_are(tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.array([[0, 300]], np.uint16))
    assert read_levels(path, (1, 2)).tolist() == [[0, 300]]


@pytest.mark.parametrize("form", ["npy", "png"])
@pytest.mark.parametrize("kept", [0, 5, 60, -1])
def test_a_cut_off_file_is_refused(tmp_path, form, kept):
    path = tmp_path / f"map.{form}"
    path.write_bytes(encoded(HEAVY, form)[:kept])
    with pytest.raises(FrameError, match=f"map.{form}"):
        read_levels(path, HEAVY.shape)


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((3, 4)), r"shape \(3, 4\), its frame \(3, 5\)"),
        (np.zeros((1, 3, 5)), r"shape \(1, 3, 5\)"),
        (np.zeros(15), r"shape \(15,\)"),
        (np.zeros((3, 5), complex), "complex"),
        (np.full((3, 5), "a"), "<U1"),
        (np.full((3, 5), None), "[Pp]ython objects|object"),
    ],
    ids=["rows", "stack", "flat", "complex", "text", "objects"],
)
def test_other_arrays_are_refused(tmp_path, array, word):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(FrameError, match=word):
        read_levels(tmp_path / "a.npy", (3, 5))


def test_scales_say_how_levels_are_spaced():
    assert scale_for(np.array([[1.0, 4.0]])) == Steps(1.0, 1.0)
    assert isinstance(scale_for(np.array([[1.0, 4e9]])), Curve)
    assert isinstance(scale_for(np.array([[1.0, 4.5]])), Curve)
