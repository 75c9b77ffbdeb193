"""The command in this process, a small dataset on disk, and a frame with clear targets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from deepir.cli import run
from deepir.data import write_sirst_v2
from deepir.simulate import SimulatedFrames

SIRST_FRAMES = 4


class Outcome(NamedTuple):
    """What one command line came to."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def refused(self, *words, status=None):
        """Assert one line on standard error that holds the words, and a status that is not 0."""
        assert len(self.err.splitlines()) == 1, self.err
        assert self.err.startswith("deepir: ")
        assert "Traceback" not in self.out + self.err
        for word in words:
            assert str(word) in self.err
        assert self.status == (status or self.status) != 0
        return self


@pytest.fixture
def deepir(capsys):
    """Run ``deepir ARGUMENTS`` in this process."""

    def call(*arguments):
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        return Outcome(status, *capsys.readouterr())

    return call


@pytest.fixture
def evaluate(deepir, tmp_path):
    """Run a scoring verb with ``--json``: the outcome and the figures, None if there are none."""

    def call(*arguments):
        file = tmp_path / "result.json"
        file.unlink(missing_ok=True)
        outcome = deepir(*arguments, "--json", file)
        return outcome, json.loads(file.read_text("utf-8")) if file.exists() else None

    return call


@pytest.fixture(scope="session")
def sirst_root(tmp_path_factory):
    """Four simulated 8-bit frames with targets in the layout of SIRST-V2; not to be changed."""
    root = tmp_path_factory.mktemp("sirst")
    frames = SimulatedFrames(SIRST_FRAMES, seed=4, shape=(64, 80), targets=2)
    write_sirst_v2(root, "test_full", frames)
    write_sirst_v2(root, "half", [frames[0], frames[1]])
    return root


@pytest.fixture
def sirst(sirst_root):
    """Arguments that choose the small dataset."""
    return ("--data", "sirst-v2", "--root", sirst_root)


@pytest.fixture
def own_root(sirst_root, tmp_path):
    """A copy of the small dataset that a test may damage."""
    return shutil.copytree(sirst_root, tmp_path / "own")


@pytest.fixture
def own(own_root):
    """Arguments that choose the copy."""
    return ("--data", "sirst-v2", "--root", own_root)


@pytest.fixture(scope="session")
def ids(sirst_root):
    """Ids of the small dataset in the order of its split."""
    return (sirst_root / "splits" / "test_full.txt").read_text("utf-8").split()


@pytest.fixture(scope="session")
def target_frame():
    """Frame (40, 50) uint8 of noise, a bright target at x 25, y 20 and two weaker ones."""
    frame = np.random.default_rng(0).normal(50, 1, (40, 50))
    for x, y, level in ((25, 20, 120), (8, 9, 60), (40, 31, 45)):
        frame[y - 1 : y + 2, x - 1 : x + 2] += level
        frame[y, x] += level // 2
    return frame.astype(np.uint8)


@pytest.fixture
def save(tmp_path, target_frame):
    """Write a frame (by default the one with targets) under a name below the test's folder."""

    def write(name, frame=target_frame):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npy":
            np.save(path, frame)
        else:
            _, encoded = cv2.imencode(path.suffix, frame)
            path.write_bytes(encoded.tobytes())
        return path

    return write


@pytest.fixture
def out(tmp_path):
    """Output folder that does not exist yet."""
    return tmp_path / "out"


@pytest.fixture
def detections(out):
    """Read ``detections.json`` of the output folder."""
    return lambda: json.loads((out / "detections.json").read_text("utf-8"))


@pytest.fixture
def nowhere():
    """A path where nobody, not even root, can make anything."""
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc, the folder that even root cannot write into")
    return Path("/proc/nowhere")
