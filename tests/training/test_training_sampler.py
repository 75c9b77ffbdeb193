"""A crop is a function of seed, iteration and slot; its boxes lie on its targets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.structures import Sample
from deepir.training.sampler import CropSampler, FalseAlarm
from deepir.training.settings import Mixture

SIDE = 64
PLAIN = {"expose": 0, "worsen": 0, "paste": 0, "plant": 0, "plant_empty": 0}
NONE = np.zeros((0, 4), np.float32)


def assert_same(one, other):
    np.testing.assert_array_equal(one.channels, other.channels)
    np.testing.assert_array_equal(one.boxes, other.boxes)


def grey(image, boxes):
    """View that leaves a crop as it is."""
    return image[None].astype(np.float32), np.full(image.shape, 0.5, np.float32)


def plain_sampler(frames, seed=0, **mixture):
    return CropSampler(
        frames, size=SIDE, seed=seed, mixture=Mixture(**{**PLAIN, **mixture}), view=grey
    )


class TestRepeatable:
    def test_the_same_numbers_draw_the_same_crop(self, frames):
        one, other = (CropSampler(frames, size=SIDE, seed=3) for _ in range(2))
        expected = [one.draw(i, slot) for i in range(3) for slot in range(4)]
        for number in (11, 3, 3, 0, 7):
            assert_same(other.draw(*divmod(number, 4)), expected[number])

    def test_threads_change_nothing(self, frames):
        sampler = CropSampler(frames, size=SIDE, seed=3)
        places = [(i, slot) for i in range(3) for slot in range(4)]
        expected = [sampler.draw(*place) for place in places]
        with ThreadPoolExecutor(4) as threads:
            for one, other in zip(
                threads.map(lambda place: sampler.draw(*place), places), expected, strict=True
            ):
                assert_same(one, other)

    @pytest.mark.parametrize("place", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
    def test_other_numbers_draw_another_one(self, frames, place):
        seed, iteration, slot = place
        first = CropSampler(frames, size=SIDE, seed=0).draw(0, 0)
        other = CropSampler(frames, size=SIDE, seed=seed).draw(iteration, slot)
        assert not np.array_equal(first.channels, other.channels)

    def test_frames_are_not_changed(self, frames):
        before = [sample.image.copy() for sample in frames]
        sampler = CropSampler(frames, size=SIDE, seed=0)
        for slot in range(20):
            sampler.draw(0, slot)
        for sample, image in zip(frames, before, strict=True):
            np.testing.assert_array_equal(sample.image, image)


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(0, 10**6),
    st.sampled_from([np.uint8, np.uint16, np.float32, np.float64]),
)
@settings(max_examples=60)
def test_frames_of_any_size_and_depth_give_sound_crops(height, width, seed, dtype):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(width), rng.integers(height)
    image = rng.integers(0, 200, (height, width)).astype(dtype)
    frame = Sample(image, [[x, y, min(x + 3, width), min(y + 2, height)]])
    everything = Mixture(rescale=1, expose=1, worsen=1, paste=1, plant=1, plant_empty=1)
    drawn = CropSampler([frame], size=SIDE, seed=seed, mixture=everything).draw(0, 0)
    assert drawn.channels.shape == (2, SIDE, SIDE)
    assert drawn.channels.dtype == drawn.boxes.dtype == np.float32
    assert np.isfinite(drawn.channels).all()
    assert (drawn.boxes >= 0).all()
    assert (drawn.boxes <= SIDE).all()
    assert (drawn.boxes[:, 2:] > drawn.boxes[:, :2]).all()


@given(st.integers(0, 10**6))
@settings(max_examples=40)
def test_boxes_lie_on_their_targets_wherever_the_crop_lies(seed):
    rng = np.random.default_rng(seed)
    x, y = (int(value) for value in rng.integers(0, 76, 2))
    image = np.zeros((80, 80), np.uint8)
    image[y : y + 4, x : x + 4] = 200
    frame = Sample(image, [[x, y, x + 4, y + 4]])
    drawn = plain_sampler([frame], seed, target=1, false_alarm=0).draw(0, 0)
    assert len(drawn.boxes) == 1
    left, top, right, bottom = drawn.boxes[0]
    row, column = np.unravel_index(drawn.channels[0].argmax(), (SIDE, SIDE))
    assert left - 1 <= column <= right
    assert top - 1 <= row <= bottom


def test_what_lies_beyond_the_frame_is_zero_in_every_map():
    frame = Sample(np.full((20, 30), 99, np.uint8), NONE)
    drawn = plain_sampler([frame], rescale=0, turn=0).draw(0, 0)
    assert (drawn.channels == 99).sum() == (drawn.noco == 0.5).sum() == 20 * 30
    assert drawn.noco.shape == (SIDE, SIDE)
    np.testing.assert_array_equal(drawn.channels[0] == 99, drawn.noco == 0.5)


class TestSubjects:
    """Frames of different grey levels tell which one a crop was cut from."""

    def subjects(self, sampler, count=400):
        return [int(sampler.draw(0, slot).channels.max()) for slot in range(count)]

    def sampler(self, **mixture):
        target = np.full((70, 70), 10, np.uint8)
        target[40:43, 30:34] = 11
        boxed = Sample(target, [[30, 40, 34, 43]])
        empty = [Sample(np.full((70, 70), level, np.uint8), NONE) for level in (20, 30)]
        return plain_sampler([boxed, *empty], **mixture)

    def test_shares_are_kept(self):
        sampler = self.sampler(target=0.5, false_alarm=0.3, empty=1)
        sampler.false_alarms = [FalseAlarm(2, 5.0, 5.0)]
        drawn = self.subjects(sampler)
        assert drawn.count(11) / len(drawn) == pytest.approx(0.5, abs=0.08)
        assert drawn.count(30) / len(drawn) == pytest.approx(0.4, abs=0.08)  # 0.3 + 0.2 / 2

    def test_without_false_alarms_their_share_lies_anywhere(self):
        drawn = self.subjects(self.sampler(target=0, false_alarm=1, empty=1))
        assert set(drawn) == {20, 30}

    def test_frames_without_a_target_come_as_often_as_asked(self):
        drawn = self.subjects(self.sampler(target=0, false_alarm=0, empty=0))
        assert {10, 11} & set(drawn)

    def test_a_crop_about_a_target_holds_it(self):
        sampler = self.sampler(target=1, false_alarm=0)
        assert all(len(sampler.draw(0, slot).boxes) == 1 for slot in range(100))


def test_no_target_is_shrunk_below_two_pixels():
    image = np.zeros((900, 900), np.uint8)
    image[450:452, 450:452] = 200
    sampler = plain_sampler([Sample(image, [[450, 450, 452, 452]])], target=1, false_alarm=0)
    for slot in range(60):
        box = sampler.draw(0, slot).boxes[0]
        assert (box[2:] - box[:2] >= 1.9).all()


@pytest.mark.parametrize(("own", "empty"), [(1, 0), (0, 1), (0, 0)])
def test_targets_are_planted_by_the_kind_of_frame(own, empty):
    """Simulated targets come as often as asked to frames with targets of their own, and without."""
    noise = np.random.default_rng(0).normal(90, 3, (80, 80)).astype(np.uint8)
    boxed = plain_sampler(
        [Sample(noise, [[30, 40, 34, 43]])], target=1, false_alarm=0, plant=own, plant_empty=empty
    )
    bare = plain_sampler([Sample(noise, NONE)], plant=own, plant_empty=empty)
    added = [sum(len(each.draw(0, slot).boxes) for slot in range(20)) for each in (boxed, bare)]
    assert (added[0] > 20) == bool(own)
    assert (added[1] > 0) == bool(empty)
