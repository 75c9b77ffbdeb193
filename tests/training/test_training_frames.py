"""Frames are decoded once, unusable ones are named, and a set is told from another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepir.data import SirstV2, open_dataset, write_sirst_v2
from deepir.errors import DeepirError
from deepir.structures import Sample
from deepir.training.frames import fingerprint, read_frames


def test_all_frames_of_a_split_are_read(root, frames):
    told = []
    found = read_frames(SirstV2.open(root, "train_full"), progress=lambda *at: told.append(at))
    assert [sample.id for sample in found.samples] == [sample.id for sample in frames]
    assert told == [(number, 6) for number in range(1, 7)]
    facts = found.facts()
    assert (facts["frames"], facts["targets"], facts["empty_frames"]) == (6, found.targets, 2)
    assert facts["skipped"] == []


def test_a_split_without_a_target_is_refused(root):
    with pytest.raises(DeepirError, match="no target in the 2 frames of the split 'empty'"):
        read_frames(SirstV2.open(root, "empty"))


@pytest.fixture
def damaged(tmp_path, frames):
    """Three frames, the second one's image cut off."""
    write_sirst_v2(tmp_path, "train_full", frames[:3])
    image = tmp_path / "mixed" / f"{frames[1].id}.png"
    image.write_bytes(image.read_bytes()[:100])
    return tmp_path


def test_an_unusable_frame_is_left_out_and_named(damaged, frames):
    found = read_frames(SirstV2.open(damaged, "train_full"))
    assert [sample.id for sample in found.samples] == [frames[0].id, frames[2].id]
    assert [one.id for one in found.skipped] == [frames[1].id]


def test_without_a_usable_frame_the_first_reason_is_told(damaged, frames):
    for image in (damaged / "mixed").iterdir():
        image.write_bytes(b"")
    with pytest.raises(DeepirError, match=r"no frame of the split 'train_full'.* the first of 3"):
        read_frames(SirstV2.open(damaged, "train_full"))


class Holed:
    """A dataset of one floating-point frame with holes."""

    name, split, ids = "holed", "train", ["one"]

    def __len__(self):
        return 1

    def read(self, sample_id):
        image = np.ones((20, 20), np.float32)
        image[3, 4] = np.nan
        return Sample(image, [[9, 9, 12, 12]], id=sample_id)

    def knows(self, sample_id):
        return sample_id == "one"


def test_holes_are_filled():
    (sample,) = read_frames(Holed()).samples
    assert np.isfinite(sample.image).all()


def test_a_fingerprint_tells_every_change(frames):
    first = fingerprint(frames)
    assert first == fingerprint(list(frames))
    image = frames[0].image.copy()
    image[0, 0] ^= 1
    others = [
        frames[1:],
        frames[::-1],
        [replace(frames[0], image=image), *frames[1:]],
        [replace(frames[0], boxes=frames[0].boxes[:-1]), *frames[1:]],
        [replace(frames[0], boxes=frames[0].boxes + 1), *frames[1:]],
        [replace(frames[0], id="other"), *frames[1:]],
        [replace(frames[0], image=frames[0].image.astype(np.uint16)), *frames[1:]],
    ]
    assert first not in {fingerprint(list(each)) for each in others}


def test_embedded_frames_are_a_dataset_too():
    assert len(open_dataset("simulated", split="val")) == 64
