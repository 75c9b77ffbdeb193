"""Two real processes are one process with two parts; what breaks in one is told once."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from deepir.errors import DeepirError, UsageError
from deepir.training.launch import launch
from deepir.training.processes import Processes, joined
from deepir.training.request import Execution, Request, Source
from deepir.training.run import train
from deepir.training.settings import Mining, Settings

NUMBERS = {"iterations": 6, "batch": 4, "crop": 64, "checkpoint_every": 2, "val_every": 3}
MINED = {"start": 2, "every": 2, "frames": 3, "score": 0.0}


def test_two_processes_are_one_with_two_parts(root, tmp_path):
    """The real command, with mining, validation, and a stop after the first step."""
    options = {
        **{f"--{name.replace('_', '-')}": value for name, value in NUMBERS.items()},
        **{f"--mining.{name}": value for name, value in MINED.items()},
        "--processes": 2, "--device": "cpu", "--bf16": "off",
        "--data": "sirst-v2", "--root": root, "--work-dir": tmp_path / "two",
    }  # fmt: skip
    line = [sys.executable, "-m", "deepir", "train", "oscar_nano", "--no-tensorboard"]
    line += [str(part) for option in options.items() for part in option]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(line, env=environment, capture_output=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    assert "2 processes" in done.stderr.decode()
    assert "warning" not in done.stderr.decode().lower()

    settings = Settings(**NUMBERS, mining=Mining(**MINED), parts=2, bf16="off")
    request = Request("oscar_nano", Source("sirst-v2", root), settings)
    train(request, tmp_path / "one", Execution(tensorboard=False, device="cpu"))
    for name in ("last.safetensors", "best.safetensors"):
        two, one = load_file(tmp_path / "two" / name), load_file(tmp_path / "one" / name)
        assert two.keys() == one.keys()
        for key, values in two.items():
            np.testing.assert_array_equal(values, one[key], err_msg=key)
    log = [(tmp_path / name / "val.csv").read_text() for name in ("two", "one")]
    assert log[0] == log[1]


def shared_work(first, second):
    """What each of two processes sees of the other one."""
    with joined(torch.device("cpu")) as processes:
        rank = processes.rank
        sums = processes.total({"a": torch.tensor(float(rank)), "b": torch.tensor([2, rank])})
        with pytest.raises(DeepirError) as caught:
            processes.led(fail_in_the_first)
        return (
            str(caught.value),
            processes.count,
            {name: values.tolist() for name, values in sums.items()},
            processes.gather([first + str(rank), second]),
            processes.led(lambda: f"told by {rank}"),
            processes.anyone(rank == 1, False, device=torch.device("cpu")),
        )


def test_processes_exchange_what_they_know():
    told, *rest = launch(shared_work, "x", "y", processes=2)
    assert told == "no space left on device: /some/file"
    sums = {"a": 1.0, "b": [4, 1]}
    assert rest == [2, sums, ["x0", "y", "x1", "y"], "told by 0", [True, False]]


def failing_work(kind):
    with joined(torch.device("cpu")) as processes:
        if processes.rank == 1:
            if kind == "exit":
                os._exit(7)
            raise UsageError("the second one's own words")
        processes.gather([1])  # waits for the other one, which has left
        return "unreachable"


def fail_in_the_first():
    raise OSError(28, "No space left on device", "/some/file")


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("raise", UsageError, "the second one's own words"),
        ("exit", DeepirError, "of 2 ended with status"),
    ],
)
def test_what_breaks_in_one_process_is_told_once(kind, error, words):
    with pytest.raises(error, match=words) as caught:
        launch(failing_work, kind, processes=2)
    assert "\n" not in str(caught.value)


class TestAlone:
    def test_one_process_is_this_one(self):
        assert launch(os.getpid, processes=1) == os.getpid()

    def test_it_knows_itself(self):
        processes = Processes()
        assert (processes.rank, processes.count, processes.leads) == (0, 1, True)
        sums = {"a": torch.tensor(2.0)}
        assert processes.total(sums) == sums
        assert processes.gather([1, 2]) == [1, 2]
        assert processes.led(lambda: 5) == 5
        assert processes.anyone(False, True, device=torch.device("cpu")) == [False, True]

    def test_a_full_disk_is_an_error_of_ours(self):
        with pytest.raises(DeepirError, match="no space left on device: /some/file"):
            Processes().led(fail_in_the_first)
