"""A small dataset in the layout of SIRST-V2 that tests damage, and its audit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from deepir.audit import audit_dataset
from deepir.data import FORMATS, recognise_format
from deepir.simulate import SimulatedFrames

SPLITS = ("train", "val", "test")
FRAMES = 2
SHAPE = (40, 50)


@cache
def samples(split):
    """Frames whose scenes differ from split to split; ids are ``train_0`` and so on."""
    frames = SimulatedFrames(FRAMES, seed=11 + SPLITS.index(split), shape=SHAPE, targets=1)
    return [replace(one, id=f"{split}_{number}") for number, one in enumerate(frames)]


def written(root, name):
    """A dataset of all splits in the format of that name."""
    writer = FORMATS[name].writer(root)
    for split in SPLITS:
        for sample in samples(split):
            writer.add(split, sample)
    writer.finish({split: [one.id for one in samples(split)] for split in SPLITS})
    return root


@pytest.fixture
def root(tmp_path):
    return written(tmp_path / "set", "sirst-v2")


@pytest.fixture
def audit(root):
    """Audit the dataset, or another one."""

    def call(name=None, *, place=root, **options):
        form = FORMATS[name] if name else recognise_format(place)
        return audit_dataset(place, form, **options)

    return call


@pytest.fixture
def write(tmp_path):
    """Write the dataset in another format."""
    return lambda name: written(tmp_path / name, name)
