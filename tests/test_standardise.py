"""What a network sees: the definition, whatever the sensor's gain, offset, depth and frame size."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from oracles.contrast_channels import plain_channels

from deepir.standardise import CLIP, SCALE, SMALLEST, WORTH_A_THREAD, network_input, standardised

DTYPES = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.int64, np.float32, np.float64)
SHAPES = ((1, 1), (1, 2), (2, 1), (1, 4), (4, 1), (1, 40), (40, 1), (2, 3), (3, 5), (33, 47))


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    """OpenCV may use so many threads."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(request.param)
    yield request.param
    cv2.setNumThreads(before)


def scene(shape, seed=0, highest=100):
    """Sloping noise with a bright dot, whole levels from 0."""
    generator = np.random.default_rng(seed)
    height, width = shape
    slope = np.add.outer(np.arange(height), np.arange(width)) * 20 / sum(shape)
    frame = slope + generator.normal(20, 3, shape)
    frame[height // 2, width // 2] += 40
    return frame.clip(0, highest).round()


@pytest.mark.parametrize("shape", [*SHAPES, (60, 52), (103, 20)])
def test_channels_are_those_of_a_plain_computation(shape):
    frame = scene(shape)
    for kind in (np.uint8, np.uint16, np.float32):
        found, wanted = standardised(frame.astype(kind)), plain_channels(frame.astype(kind))
        assert (found.shape, found.dtype) == ((2, *shape), np.float32)
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_real_dtype_is_taken(dtype):
    frame = scene((40, 50)).astype(dtype)
    np.testing.assert_allclose(standardised(frame), plain_channels(frame), atol=1e-5)


def test_booleans_are_levels_0_and_1():
    frame = scene((50, 50)) > 20
    assert standardised(frame).tolist() == standardised(frame.astype(np.uint8)).tolist()


def test_a_noisy_background_of_16_bits_keeps_its_noise():
    """Two ground levels 50,000 apart, noise of 2: squares of 5e8 beside a variance of 4."""
    frame = np.random.default_rng(0).normal(5000, 2, (40, 240)).round()
    frame[:, 120:] += 50_000
    found = standardised(frame.astype(np.uint16))
    np.testing.assert_allclose(found, plain_channels(frame.astype(np.uint16)), atol=1e-5)
    assert found[0, :, :90].std() > 0.2


@pytest.mark.parametrize(
    ("dtype", "gain", "offset"),
    [
        (np.uint8, 1, 100),
        (np.uint16, 1, 10_000),
        (np.uint16, 1, 65_000),
        (np.int16, 1, -30_000),
        (np.int32, 1, 2_000_000_000),
        (np.int64, 1, 2**52),
        (np.float32, 1, 1e6),
        (np.float32, 1024, -3e6),
        (np.float32, 2.0**-60, 0),
        (np.float32, 2.0**100, 0),
        (np.float64, 1, 1e9),
        (np.float64, 7.3, -123.4),
        (np.float64, 1e90, 1e91),
        (np.float64, 1e-200, 1e-199),
    ],
)
def test_gain_and_offset_cancel(dtype, gain, offset):
    """Integers have a step, which no gain changes; so of theirs only the offset cancels."""
    frame = scene((90, 120)).astype(dtype)
    other = frame * dtype(gain) + dtype(offset)
    assert other.dtype == dtype
    np.testing.assert_allclose(standardised(other), standardised(frame), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_turning_the_frame_turns_the_channels(dtype):
    """Sides of 4 n + 1 pixels: then every fourth pixel is every fourth from the other end too."""
    frame = scene((65, 81)).astype(dtype)
    channels = standardised(frame)
    assert standardised(frame[::-1]).tolist() == channels[:, ::-1].tolist()
    assert standardised(frame[:, ::-1]).tolist() == channels[:, :, ::-1].tolist()
    assert standardised(frame.T).tolist() == channels.transpose(0, 2, 1).tolist()


@pytest.mark.parametrize("level", [0, 7, 1000, 65_535])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (40, 50), (120, 130)])
def test_a_constant_frame_gives_zeros(level, shape):
    for dtype in (np.uint16, np.int32, np.float32, np.float64):
        assert not standardised(np.full(shape, level, dtype)).any()
    assert not standardised(np.full(shape, 1e100)).any()


def test_steps_of_one_level_are_no_signal():
    """A frame of two neighbouring grey levels deviates by half a level, no more than rounding."""
    frame = np.full((80, 80), 100, np.uint8)
    frame[40, 40] = 101
    assert standardised(frame)[0].max() == pytest.approx(0.5 / (1 / 12**0.5 + 1 / 31), rel=0.01)
    assert standardised(frame.astype(np.float32))[0].max() == SCALE * CLIP[1]


def test_values_are_clipped():
    frame = scene((80, 80)).astype(np.uint16)
    frame[10, 10], frame[60, 60] = 60_000, 0
    channels = standardised(frame)
    assert channels.max() == SCALE * CLIP[1]
    assert channels.min() >= SCALE * CLIP[0]


def test_frames_may_be_views_that_are_read_only():
    frame = np.asfortranarray(scene((80, 90)).astype(np.uint8))[::-1, ::2]
    frame.setflags(write=False)
    before = frame.copy()
    assert standardised(frame).tolist() == standardised(before).tolist()
    assert frame.tolist() == before.tolist()


def test_threads_change_nothing(threads):
    """A frame large enough for two channels side by side, in strips; several callers at a time."""
    frames = [scene((320, 420), seed).astype(kind) for seed, kind in enumerate(DTYPES[:3] * 2)]
    assert frames[0].size > WORTH_A_THREAD
    cv2.setNumThreads(1)
    wanted = [standardised(frame) for frame in frames]
    cv2.setNumThreads(threads)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(standardised, frames))
    assert all((one == other).all() for one, other in zip(found, wanted, strict=True))


def test_strips_leave_no_seam(monkeypatch):
    frame = scene((300, 420)).astype(np.uint8)
    whole = standardised(frame)
    for pixels in (1, 1000, 10_000):
        monkeypatch.setattr("deepir.standardise.STRIP", pixels)
        assert (standardised(frame) == whole).all()


def test_sums_beyond_32_bits_are_exact(monkeypatch):
    frame = scene((200, 220)).astype(np.uint8)
    channels = standardised(frame)
    monkeypatch.setattr("deepir.standardise.LARGEST_SUM", 0)
    np.testing.assert_array_equal(standardised(frame), channels)


class TestNetworkInput:
    def test_a_large_frame_is_its_channels(self):
        frame = scene((40, 64)).astype(np.uint16)
        batch = network_input(frame)
        assert batch.shape == (1, 2, 40, 64)
        assert batch.flags.c_contiguous
        np.testing.assert_array_equal(batch[0], standardised(frame))

    @pytest.mark.parametrize("shape", [(1, 1), (5, 60), (60, 5), (31, 31)])
    def test_a_small_frame_gets_zeros(self, shape):
        height, width = shape
        batch = network_input(scene(shape))
        assert batch.shape == (1, 2, max(height, SMALLEST), max(width, SMALLEST))
        np.testing.assert_array_equal(batch[0, :, :height, :width], standardised(scene(shape)))
        assert not batch[0, :, height:].any()
        assert not batch[0, :, :, width:].any()

    def test_memory_may_be_used_again(self):
        one, other = scene((40, 64)), scene((50, 40))
        wanted = network_input(one)
        first = network_input(one, reuse=True)
        np.testing.assert_array_equal(first, wanted)
        second = network_input(other, reuse=True)
        np.testing.assert_array_equal(second, network_input(other))
        assert np.shares_memory(first, second)
        assert not np.shares_memory(second, network_input(other))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_computes_by_itself():
    frame = scene((320, 420)).astype(np.uint8)
    assert frame.size > WORTH_A_THREAD
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        wanted = standardised(frame)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            found = pool.apply_async(standardised, [frame]).get(timeout=30)
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(found, wanted)
