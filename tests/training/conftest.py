"""Tiny networks and frames; one core, so that figures do not depend on the machine's threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from deepir.data import write_sirst_v2
from deepir.models import CATALOGUE
from deepir.models.cascade import Cascade, Layout
from deepir.simulate import SimulatedFrames
from deepir.training.loop import Trainer
from deepir.training.processes import Processes
from deepir.training.request import Request, Source
from deepir.training.sampler import CropSampler
from deepir.training.settings import Mining, Settings

SIDE = 64


@pytest.fixture(scope="session", autouse=True)
def one_core():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_network():
    return Cascade(Layout(stem=8, widths=(8, 16), blocks=(0, 1), pyramid=8))


@pytest.fixture(scope="session")
def frames():
    """Six simulated 8-bit frames (80, 96), four of them with two targets; not to be changed."""
    with_targets = SimulatedFrames(4, seed=5, shape=(80, 96), targets=2)
    without = SimulatedFrames(2, seed=6, shape=(80, 96), targets=0)
    return [*with_targets, *(replace(sample, id=f"{sample.id}_empty") for sample in without)]


@pytest.fixture(scope="session")
def settings():
    """Builds the settings of a run of a second; mining from the third iteration on."""

    def build(**changes):
        mining = Mining(start=3, every=2, frames=3, score=0.0)
        numbers = {"iterations": 8, "batch": 4, "crop": SIDE, "lr": 0.01, "bf16": "off"}
        return Settings(**{**numbers, "mining": mining, **changes})

    return build


@pytest.fixture
def trainer(frames, settings):
    """Builds a trainer of the tiny network from the seed of its settings."""

    def build(network=None, samples=frames, **changes):
        options = {key: changes.pop(key) for key in ("readers",) if key in changes}
        chosen = settings(**changes)
        torch.manual_seed(chosen.seed)
        sampler = CropSampler(samples, size=SIDE, seed=chosen.seed, mixture=chosen.mixture)
        return Trainer(network or tiny_network(), sampler, chosen, Processes(), **options)

    return build


@pytest.fixture(scope="module")
def tiny():
    """Name of the tiny network in the catalogue, for the tests of one file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CATALOGUE, "tiny", tiny_network)
        yield "tiny"


@pytest.fixture(scope="session")
def val_frames():
    """Three other frames (80, 96), two of them with two targets; not to be changed."""
    with_targets = SimulatedFrames(2, seed=7, shape=(80, 96), targets=2)
    without = SimulatedFrames(1, seed=8, shape=(80, 96), targets=0)
    every = [*with_targets, *without]
    return [replace(one, id=f"val_{number}_{one.id}") for number, one in enumerate(every)]


@pytest.fixture(scope="session")
def root(frames, val_frames, tmp_path_factory):
    """The frames in the layout of SIRST-V2, as splits train_full, val_full and without targets.

    In ``shared`` one frame of train_full stands among those of val_full.
    """
    folder = tmp_path_factory.mktemp("sirst")
    write_sirst_v2(folder, "train_full", frames)
    write_sirst_v2(folder, "val_full", val_frames)
    write_sirst_v2(folder, "empty", frames[4:])
    write_sirst_v2(folder, "shared", [*val_frames, frames[0]])
    return folder


@pytest.fixture(scope="module")
def request_of(tiny, settings, root):
    """Builds the request of a run of the tiny network."""

    def build(*, data=("sirst-v2", root, "train_full"), val="none", init=None, **changes):
        changes = {"checkpoint_every": 3, "val_every": 4, **changes}
        return Request(tiny, Source(*data, val), settings(**changes), init=init)

    return build


def weights_of(module):
    """All parameters and buffers of a module as one vector."""
    values = [tensor.double().flatten() for tensor in module.state_dict().values()]
    return torch.cat(values).numpy()


@pytest.fixture
def same_weights():
    """Assert that two modules hold exactly the same numbers."""
    return lambda one, other: np.testing.assert_array_equal(weights_of(one), weights_of(other))
