"""The embedded dataset, and the catalogue that opens datasets by name."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.data import CATALOGUE, Simulated, open_dataset, read_samples
from deepir.errors import FrameError, UsageError


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_every_split_has_64_frames_of_its_own(split):
    dataset = open_dataset("simulated", split=split)
    assert len(dataset) == len(dataset.ids) == len(set(dataset.ids)) == 64
    assert (dataset.name, dataset.split) == ("simulated", split)


def test_the_same_frame_comes_every_time():
    one, two = (next(iter(read_samples(open_dataset("simulated")))) for _ in range(2))
    assert one.id == two.id == open_dataset("simulated").ids[0]
    assert one.image.dtype == np.uint8
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.boxes, two.boxes)


def test_splits_differ():
    first = [open_dataset("simulated", split=split) for split in ("train", "val", "test")]
    images = [dataset.read(dataset.ids[0]).image for dataset in first]
    assert not any((images[0] == other).all() for other in images[1:])


def test_ids_of_all_splits_are_known_and_those_of_the_own_are_read():
    train, test = (open_dataset("simulated", split=split) for split in ("train", "test"))
    assert all(map(test.knows, (train.ids[0], train.ids[-1], test.ids[0])))
    assert not test.knows("nowhere")
    foreign = next(name for name in train.ids if name not in test.ids)
    for name in (foreign, "nowhere"):
        with pytest.raises(FrameError, match="no simulated frame"):
            test.read(name)


def test_unknown_names_get_the_nearest():
    with pytest.raises(UsageError, match=r"'simulate'.*mean 'simulated'"):
        open_dataset("simulate")
    with pytest.raises(UsageError, match=r"'tets'.*mean 'test'"):
        open_dataset("simulated", split="tets")


def test_a_root_is_not_wanted(tmp_path):
    with pytest.raises(UsageError, match="--root"):
        Simulated.open(tmp_path)


def test_sirst_wants_a_root():
    with pytest.raises(UsageError, match="--root"):
        CATALOGUE["sirst-v2"](None, None)
