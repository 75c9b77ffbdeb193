"""Simulated frames are exact, deterministic and independent of one another."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.boxes import components, mask_from_boxes
from deepir.errors import UsageError
from deepir.scr import local_scr
from deepir.simulate import SimulatedFrames, simulate_scene
from deepir.structures import Sample

KINDS = ["cloud", "sea", "terrain"]


def digest(sample):
    content = (sample.image.tobytes(), sample.boxes.tobytes(), sample.mask.tobytes(), sample.id)
    return hashlib.sha256(repr(content).encode()).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [8, 14])
def test_same_seed_same_bytes(kind, bits):
    first, second, other = (
        digest(simulate_scene(seed=seed, clutter=kind, bits=bits, shape=(90, 120)))
        for seed in (11, 11, 12)
    )
    assert first == second != other


def test_same_bytes_in_another_process():
    script = (
        "import numpy, hashlib; from deepir.simulate import simulate_scene;"
        "numpy.random.seed(5); numpy.random.random(7);"
        "s = simulate_scene(seed=3, shape=(70, 80), targets=2);"
        "c = (s.image.tobytes(), s.boxes.tobytes(), s.mask.tobytes(), s.id);"
        "print(hashlib.sha256(repr(c).encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(simulate_scene(seed=3, shape=(70, 80), targets=2))


def test_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state that must not change
    simulate_scene(shape=(40, 50))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_frames_do_not_depend_on_the_count():
    few, many = (SimulatedFrames(count, seed=4, shape=(50, 60)) for count in (3, 7))
    assert [digest(one) for one in few] == [digest(many[number]) for number in range(3)]
    assert few.ids == many.ids[:3]
    assert len({digest(one) for one in many}) == 7


def test_seeds_and_numbers_are_not_confused():
    streams = [SimulatedFrames(2, seed=seed, shape=(30, 40), clutter="sea") for seed in (0, 1)]
    assert len({frame.image.tobytes() for frames in streams for frame in frames}) == 4


def test_frames_are_a_sequence():
    frames = SimulatedFrames(4, shape=(30, 40))
    assert len(frames) == len(list(frames)) == 4
    assert [frame.id for frame in frames] == frames.ids
    assert all(isinstance(frame, Sample) for frame in frames)
    assert digest(frames[-1]) == digest(frames[3])
    with pytest.raises(IndexError, match="no frame 4 among 4 simulated ones"):
        frames[4]
    assert list(SimulatedFrames(0)) == SimulatedFrames(0).ids == []


def test_mixed_picks_every_kind():
    kinds = {name.split("_")[0] for name in SimulatedFrames(40).ids}
    assert kinds == set(KINDS)
    assert simulate_scene(seed=7, shape=(20, 20), clutter="sea").id == "sea_000007"


def test_targets_leave_the_background_as_it_is():
    none, three = (simulate_scene(seed=5, shape=(120, 150), targets=count) for count in (0, 3))
    assert none.boxes.shape == (0, 4)
    assert none.mask is not None
    assert not none.mask.any()
    assert len(three.boxes) == 3
    changed = none.image != three.image
    assert changed.any()
    assert (three.image >= none.image).all()
    far = mask_from_boxes(three.boxes + np.array([-9, -9, 9, 9]), changed.shape)
    assert far[changed].all()


@settings(max_examples=25)
@given(seed=st.integers(0, 5000), kind=st.sampled_from(KINDS), bits=st.sampled_from([8, 14]))
def test_truth_is_exact(seed, kind, bits):
    scene = simulate_scene(
        seed=seed, clutter=kind, bits=bits, targets=2, scr=(5, 5), shape=(120, 140)
    )
    found = components(scene.mask)
    assert sorted(found.boxes.tolist()) == sorted(scene.boxes.tolist())
    for number, box in enumerate(found.boxes):
        own = found.labels == number + 1
        got = local_scr(scene.image, box, boxes=scene.boxes, mask=own)
        assert got == pytest.approx(5, rel=0.1)


def test_counts_left_to_the_seed():
    counts = [len(frame.boxes) for frame in SimulatedFrames(80, seed=1, shape=(64, 80))]
    assert set(counts) == {0, 1, 2, 3}
    assert 0.1 < np.mean(np.equal(counts, 0)) < 0.4


@pytest.mark.parametrize("kind", KINDS)
def test_fourteen_bits_stand_on_a_pedestal(kind):
    for seed in range(4):
        image = simulate_scene(seed=seed, clutter=kind, bits=14, shape=(80, 100)).image
        assert image.dtype == np.uint16
        assert image.max() <= 16383
        assert np.percentile(image, 1) > 3000
        assert np.ptp(np.percentile(image, [1, 99])) < 4000
        assert len(np.unique(image)) > 100


@pytest.mark.parametrize("kind", KINDS)
def test_eight_bits_use_their_range(kind):
    scene = simulate_scene(seed=2, clutter=kind)
    assert scene.image.dtype == np.uint8
    assert np.ptp(np.percentile(scene.image, [1, 99])) > 40


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 64), (64, 1), (2, 3), (7, 9)])
def test_tiny_frames_have_no_targets(kind, shape):
    scene = simulate_scene(clutter=kind, shape=shape, targets=3)
    assert scene.image.shape == shape
    assert len(scene.boxes) == 0
    assert not scene.mask.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 12}, "8 or 14 bits, got 12"),
        ({"shape": (0, 5)}, r"1 or more each, got \(0, 5\)"),
        ({"seed": -1}, "seed is 0 or more, got -1"),
        ({"targets": -2}, "0 or more, got -2"),
        ({"scr": (5, 2)}, r"low to high, got \(5, 2\)"),
    ],
)
def test_scenes_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        simulate_scene(**options)
    with pytest.raises(ValueError, match=message):
        SimulatedFrames(2, **options)


def test_unknown_clutter_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'cloud'"):
        simulate_scene(clutter="clouds")
    with pytest.raises(ValueError, match="count is 0 or more, got -1"):
        SimulatedFrames(-1)
