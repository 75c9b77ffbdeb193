"""The example runs from its first command to its table, on few and small frames."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
import torch

from deepir.models.trained import read_trained

FILE = Path(__file__).parents[1] / "examples" / "fine_tune.py"
TINY = ["--train", "6", "--threshold", "6", "--held-out", "8", "--size", "96", "80"]


@pytest.fixture(scope="module")
def example():
    """Names that the example defines."""
    return runpy.run_path(str(FILE))


@pytest.fixture(scope="module", autouse=True)
def one_core():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_it_runs_to_its_table(example, tmp_path, capfd):
    example["main"](["--out", str(tmp_path), *TINY, "--iterations", "2"])
    told = capfd.readouterr().out
    table = (tmp_path / "table.md").read_text("utf-8")
    assert table in told
    names = [line.split(" | ")[0] for line in table.splitlines()]
    assert names[2:] == ["| as they came", "| with a threshold of this camera", "| fine-tuned"]
    assert "gain in mNoCoAP" in told
    commands = [line.split()[2] for line in told.splitlines() if line.startswith("$ deepir ")]
    assert commands == [
        "eval", "calibrate", "eval", "train", "calibrate", "eval", "export", "detect",
    ]  # fmt: skip
    record = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert record["options"]["recipe"] == "fine-tune"
    assert (record["train"]["frames"], record["train"]["split"]) == (6, "train")
    for name in ("shipped", "mine"):
        notes = read_trained(tmp_path / f"{name}.safetensors").notes
        assert notes["calibrated_on"] == "sirst-v2 threshold"
    assert json.loads((tmp_path / "found" / "detections.json").read_text("utf-8"))["detections"]


def test_its_frames_follow_from_their_seeds_alone(example):
    one, other, longer = (
        list(example["simulated"]("train", count, (48, 40), seeds))
        for count, seeds in ((2, [0, 0]), (2, [0, 1]), (3, [0, 0]))
    )
    assert [sample.image.tobytes() for sample in one] == [
        sample.image.tobytes() for sample in longer[:2]
    ]
    assert one[0].image.tobytes() != other[0].image.tobytes()
    assert (one[0].image.shape, one[0].image.dtype) == ((40, 48), "uint16")
    assert 7000 < one[0].image.mean() < 9000


def test_it_stops_where_a_command_fails(example):
    with pytest.raises(SystemExit) as caught:
        example["deepir"]("eval", "oscar_nan")
    assert caught.value.code == 2
