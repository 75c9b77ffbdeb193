"""A run in its folder: stopped anyhow, it goes on as if it had not been; nothing good is lost."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from deepir.data import write_sirst_v2
from deepir.errors import DeepirError, UsageError
from deepir.models import CATALOGUE
from deepir.models.cascade import Cascade, Layout
from deepir.training.folder import RunFolder
from deepir.training.request import Execution, Request, Source
from deepir.training.run import lacks_memory, train
from deepir.training.settings import Mining, Settings

LAYOUT = Layout(stem=8, widths=(8, 16), blocks=(0, 1), pyramid=8)
QUIET = Execution(tensorboard=False, device="cpu", log_every=2)
ONE_STEP = Execution(tensorboard=False, device="cpu", log_every=2, time_limit=1e-9)


class Heard:
    """What a run said; ``at`` does something after given iterations."""

    def __init__(self, **at):
        self.notes = []
        self.at = {int(name[1:]): work for name, work in at.items()}

    def note(self, text):
        self.notes.append(text)

    def progress(self, done, total, text):
        assert "crops/s" in text
        if done in self.at:
            self.at[done]()


def same_numbers(one, other):
    first, second = load_file(one), load_file(other)
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def record(folder):
    return json.loads((folder / "run.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def whole(request_of, tmp_path_factory):
    """Folder of a run with validation that was never stopped; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(request_of(val="val_full"), folder, QUIET)
    return folder


class TestWhole:
    def test_its_folder_holds_everything(self, whole):
        assert {path.name for path in whole.iterdir()} == {
            "run.json",
            "log.csv",
            "val.csv",
            "checkpoints",
            "last.safetensors",
            "best.safetensors",
            "lock",
        }
        assert [one.iteration for one in RunFolder(whole).checkpoints.all()] == [8, 6]

    def test_its_logs(self, whole):
        rows = table(whole / "log.csv")
        assert [row["iteration"] for row in rows] == ["2", "4", "6", "8"]
        wanted = {"fine", "coarse", "box", "gradient", "lr", "crops_per_second", "waiting_share"}
        assert wanted | {"iteration", "false_alarms"} == set(rows[0])
        assert all(0 <= float(row["waiting_share"]) <= 1 for row in rows)
        assert [row["iteration"] for row in table(whole / "val.csv")] == ["4", "8"]

    def test_its_record(self, whole, root):
        found = record(whole)
        assert found["options"]["model"] == "tiny"
        assert found["options"]["root"] == str(root)
        assert found["options"]["mining"]["start"] == 3
        assert found["train"]["frames"] == 6
        assert found["val"]["split"] == "val_full"
        (visit,) = found["visits"]
        assert (visit["from_iteration"], visit["until_iteration"]) == (0, 8)
        assert {"deepir", "torch", "numpy", "python"} <= set(visit["versions"])
        assert {"processor", "cores", "threads"} <= set(visit["machine"])
        assert visit["command"]
        assert found["results"]["status"] == "finished"
        assert found["results"]["best"]["iteration"] in {4, 8}

    def test_the_best_on_val_is_kept(self, request_of, tmp_path, whole):
        best = record(whole)["results"]["best"]
        scores = [float(row["mnocoap"]) for row in table(whole / "val.csv")]
        assert best["mnocoap"] == pytest.approx(max(scores), abs=1e-5)
        assert best["iteration"] == 4 * (1 + scores.index(max(scores)))

    def test_a_finished_run_is_left_as_it_is(self, whole, request_of):
        before = (whole / "run.json").read_bytes()
        outcome = train(request_of(val="val_full"), whole, QUIET, heard := Heard())
        assert outcome.status == "finished"
        assert outcome.best
        assert outcome.weights == whole / "best.safetensors"
        assert "finished" in heard.notes[-1]
        assert (whole / "run.json").read_bytes() == before

    def test_killed_after_its_last_checkpoint_it_is_finished_too(self, whole, request_of, tmp_path):
        shutil.copytree(whole, tmp_path / "run")
        found = record(whole)
        started = {**found, "results": {"status": "running", "iteration": 6}}
        (tmp_path / "run" / "run.json").write_text(json.dumps(started))
        train(request_of(val="val_full"), tmp_path / "run", QUIET)
        assert record(tmp_path / "run")["results"] == found["results"]

    def test_nothing_is_validated_where_nothing_should(self, request_of, tmp_path):
        outcome = train(request_of(), tmp_path / "run", QUIET)
        assert outcome.best is None
        assert outcome.weights == tmp_path / "run" / "last.safetensors"
        assert not (tmp_path / "run" / "val.csv").exists()

    def test_tensorboard_has_the_curves(self, request_of, tmp_path):
        train(request_of(iterations=2), tmp_path, Execution(device="cpu"))
        assert list((tmp_path / "tensorboard").glob("events*"))


class TestGoesOn:
    def test_after_a_stop_at_every_iteration(self, request_of, tmp_path, whole):
        folder = tmp_path / "stopped"
        for done in range(1, 9):
            outcome = train(request_of(val="val_full"), folder, ONE_STEP)
            assert (outcome.status, outcome.iteration) == (
                "finished" if done == 8 else "time is up",
                done,
            )
        same_numbers(folder / "last.safetensors", whole / "last.safetensors")
        same_numbers(folder / "best.safetensors", whole / "best.safetensors")
        timed = ("crops_per_second", "waiting_share")
        for one, other in zip(table(folder / "log.csv"), table(whole / "log.csv"), strict=True):
            assert {k: v for k, v in one.items() if k not in timed} == {
                k: v for k, v in other.items() if k not in timed
            }
        assert table(folder / "val.csv") == table(whole / "val.csv")
        assert record(folder)["results"]["best"] == record(whole)["results"]["best"]
        assert [visit["from_iteration"] for visit in record(folder)["visits"]] == list(range(8))

    @pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_after_a_signal(self, request_of, tmp_path, whole, number):
        folder = tmp_path / "stopped"
        heard = Heard(i5=lambda: os.kill(os.getpid(), number))
        outcome = train(request_of(val="val_full"), folder, QUIET, heard)
        assert (outcome.status, outcome.iteration) == ("interrupted", 5)
        assert record(folder)["results"]["status"] == "interrupted"
        train(request_of(val="val_full"), folder, QUIET, heard)
        assert "goes on after iteration 5 of 8" in heard.notes
        same_numbers(folder / "best.safetensors", whole / "best.safetensors")

    @pytest.mark.parametrize("damage", ["cut off", "changed", "gone"])
    def test_before_a_damaged_checkpoint(self, request_of, tmp_path, whole, damage):
        folder = tmp_path / "stopped"
        heard = Heard(i7=lambda: os.kill(os.getpid(), signal.SIGINT))
        train(request_of(val="val_full"), folder, QUIET, heard)
        newest, older = RunFolder(folder).checkpoints.all()
        assert (newest.iteration, older.iteration) == (7, 6)
        content = newest.path.read_bytes()
        newest.path.write_bytes(content[:-100] if damage == "cut off" else content[::-1])
        if damage == "gone":
            newest.path.unlink()
        train(request_of(val="val_full"), folder, QUIET, heard)
        assert "goes on after iteration 6 of 8" in heard.notes
        assert any(str(newest.path) in note for note in heard.notes) == (damage != "gone")
        same_numbers(folder / "best.safetensors", whole / "best.safetensors")

    def test_on_a_full_disk_the_last_good_checkpoint_survives(self, request_of, tmp_path, whole):
        resource = pytest.importorskip("resource")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        folder = tmp_path / "stopped"

        def fill():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))

        try:
            with pytest.raises(DeepirError, match="no checkpoint at iteration 6") as caught:
                train(request_of(val="val_full"), folder, QUIET, Heard(i5=fill))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert "\n" not in str(caught.value)
        heard = Heard()
        train(request_of(val="val_full"), folder, QUIET, heard)
        assert "goes on after iteration 3 of 8" in heard.notes
        same_numbers(folder / "best.safetensors", whole / "best.safetensors")

    def test_on_a_full_disk_the_best_weights_are_missed_in_one_line(
        self, request_of, tmp_path, whole
    ):
        resource = pytest.importorskip("resource")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        request = request_of(val="val_full", checkpoint_every=2)

        def fill():
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))

        try:
            with pytest.raises(DeepirError, match="no best weights at iteration 4") as caught:
                train(request, tmp_path, QUIET, Heard(i3=fill))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert "the last good one is of iteration 2" in str(caught.value)
        train(request, tmp_path, QUIET, Heard())
        same_numbers(tmp_path / "best.safetensors", whole / "best.safetensors")

    def test_with_what_changes_no_result(self, request_of, tmp_path, whole):
        folder = tmp_path / "stopped"
        train(request_of(val="val_full"), folder, ONE_STEP)
        other = Execution(tensorboard=False, device="cpu", readers=3)
        train(request_of(val="val_full", checkpoint_every=5), folder, other)
        same_numbers(folder / "best.safetensors", whole / "best.safetensors")


@pytest.mark.skipif(os.name != "posix", reason="a process is killed as POSIX does it")
def test_killed_in_the_middle_it_becomes_the_run_that_was_not(root, tmp_path):
    numbers = {"iterations": 40, "batch": 2, "crop": 64, "checkpoint_every": 5, "val_every": 15}
    options = {f"--{name.replace('_', '-')}": value for name, value in numbers.items()}
    mined = {"start": 4, "every": 3, "frames": 2, "score": 0.0}
    options |= {f"--mining.{name}": value for name, value in mined.items()}
    options |= {"--data": "sirst-v2", "--root": root, "--work-dir": tmp_path / "killed"}
    line = [sys.executable, "-m", "deepir", "train", "oscar_nano", "--no-tensorboard"]
    line += [str(part) for option in options.items() for part in option]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE)
    while not list((tmp_path / "killed" / "checkpoints").glob("*.pt")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stderr.close()
    assert record(tmp_path / "killed")["results"]["status"] == "running"

    settings = Settings(**numbers, mining=Mining(**mined))
    request = Request("oscar_nano", Source("sirst-v2", root), settings)
    train(request, tmp_path / "killed", QUIET, heard := Heard())
    assert any("goes on after iteration" in note for note in heard.notes)
    train(request, tmp_path / "whole", QUIET)
    for name in ("last.safetensors", "best.safetensors"):
        same_numbers(tmp_path / "killed" / name, tmp_path / "whole" / name)
    assert not list((tmp_path / "killed").rglob("*.part"))


class TestScene:
    """What is fitted on the averaged network after its training leaves the training alone."""

    def test_it_is_fitted_for_the_weights_and_nothing_else(self, request_of, tmp_path, whole):
        request = request_of(val="val_full", scene_floor=0.5, scene_start=0.1)
        train(request, tmp_path / "run", QUIET)
        found = load_file(tmp_path / "run" / "last.safetensors")
        assert (found["scene.floor"], found["scene.start"]) == (0.5, np.float32(0.1))
        assert found["scene.weight"].any()
        for name, values in load_file(whole / "last.safetensors").items():
            if not name.startswith("scene."):
                np.testing.assert_array_equal(values, found[name], err_msg=name)

    def test_it_is_the_same_after_a_stop(self, request_of, tmp_path):
        request = request_of(val="val_full", scene_floor=0.5)
        train(request, tmp_path / "one", QUIET)
        heard = Heard(i4=lambda: os.kill(os.getpid(), signal.SIGINT))
        train(request, tmp_path / "two", QUIET, heard)
        train(request, tmp_path / "two", QUIET, heard)
        for name in ("last.safetensors", "best.safetensors"):
            same_numbers(tmp_path / "one" / name, tmp_path / "two" / name)


class TestRefused:
    def test_two_runs_in_one_folder(self, request_of, tmp_path):
        with (
            RunFolder(tmp_path).locked(),
            pytest.raises(DeepirError, match=f"another run writes into .*process {os.getpid()}"),
        ):
            train(request_of(), tmp_path, QUIET)
        train(request_of(iterations=1), tmp_path, QUIET)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"lr": 0.02}, "lr is 0.01 there, 0.02 here"),
            ({"iterations": 9}, "iterations is 8 there, 9 here"),
            ({"mining": Mining(frames=0)}, "mining.frames is 3 there, 0 here"),
            ({"val": "val_full"}, "val_split is 'none' there, 'val_full' here"),
        ],
    )
    def test_other_settings_in_the_same_folder(self, request_of, tmp_path, change, words):
        train(request_of(), tmp_path, ONE_STEP)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(DeepirError, match=words) as caught:
            train(request_of(**change), tmp_path, QUIET)
        assert "--work-dir" in str(caught.value)
        del before[tmp_path / "lock"]
        assert {path: path.read_bytes() for path in before} == before

    def test_other_frames_under_the_same_name(self, request_of, frames, root, tmp_path):
        other = tmp_path / "data"
        write_sirst_v2(other, "train_full", frames)
        train(request_of(), tmp_path / "run", ONE_STEP)
        train(request_of(data=("sirst-v2", other, "train_full")), tmp_path / "run", ONE_STEP)
        write_sirst_v2(other, "train_full", frames[:5])
        with pytest.raises(DeepirError, match="train frames are others"):
            train(request_of(data=("sirst-v2", other, "train_full")), tmp_path / "run", QUIET)

    def test_checkpoints_without_a_record(self, request_of, tmp_path):
        train(request_of(), tmp_path, ONE_STEP)
        (tmp_path / "run.json").unlink()
        with pytest.raises(DeepirError, match="an unknown run"):
            train(request_of(), tmp_path, QUIET)

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "\0"])
    def test_a_record_that_is_none(self, request_of, tmp_path, text):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(DeepirError, match=r"run\.json'"):
            train(request_of(), tmp_path, QUIET)

    @pytest.mark.parametrize(
        ("part", "value"),
        [
            ("options", []),
            ("train", 3),
            ("val", [1]),
            ("init", "x"),
            ("visits", {}),
            ("visits", ["x"]),
            ("results", None),
            ("val", ...),
            ("init", ...),
        ],
    )
    def test_a_damaged_record(self, request_of, tmp_path, whole, part, value):
        shutil.copytree(whole, tmp_path / "run")
        damaged = {**record(whole), part: value}
        damaged = {name: kept for name, kept in damaged.items() if kept is not ...}
        (tmp_path / "run" / "run.json").write_text(json.dumps(damaged))
        with pytest.raises(DeepirError, match=f"damaged record of a run, '{part}' is") as caught:
            train(request_of(val="val_full"), tmp_path / "run", QUIET)
        assert "choose another --work-dir" in str(caught.value)

    def test_a_record_without_end(self, request_of, tmp_path):
        (tmp_path / "run.json").write_text("[" * 100_000)
        with pytest.raises(DeepirError, match="no readable record of a run: maximum recursion"):
            train(request_of(), tmp_path, QUIET)

    def test_a_lock_that_cannot_be(self, request_of, tmp_path):
        (tmp_path / "lock").mkdir()
        with pytest.raises(UsageError, match=r"cannot lock the folder .*lock': is a directory"):
            train(request_of(), tmp_path, QUIET)

    def test_nothing_is_validated_on_what_it_learnt(self, request_of, frames, tmp_path):
        with pytest.raises(UsageError, match="1 of the 4 frames of the split 'shared'") as caught:
            train(request_of(val="shared"), tmp_path / "run", QUIET)
        assert repr(frames[0].id) in str(caught.value)
        assert "name another --val-split, or none" in str(caught.value)
        assert not (tmp_path / "run").exists()

    def test_a_checkpoint_of_another_network(self, request_of, tmp_path, monkeypatch):
        train(request_of(), tmp_path, ONE_STEP)
        wider = replace(LAYOUT, widths=(8, 24))
        monkeypatch.setitem(CATALOGUE, "tiny", lambda: Cascade(wider))
        with pytest.raises(DeepirError, match="is of another network or version") as caught:
            train(request_of(), tmp_path, QUIET)
        assert "\n" not in str(caught.value)

    def test_a_folder_that_cannot_be(self, request_of, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="cannot write into the folder"):
            train(request_of(), tmp_path / "file", QUIET)

    def test_a_split_without_targets(self, request_of, root, tmp_path):
        with pytest.raises(DeepirError, match="no target in the 2 frames"):
            train(request_of(data=("sirst-v2", root, "empty")), tmp_path, QUIET)

    def test_an_unknown_network(self, tmp_path):
        with pytest.raises(UsageError, match="did you mean 'oscar_nano'"):
            train(Request("oscar_nan"), tmp_path, QUIET)

    def test_the_published_recipe_of_another_network(self, request_of, root, tmp_path):
        request = Request("oscar_nano", Source("sirst-v2", root), recipe="published")
        with pytest.raises(UsageError, match="that of oscar_r18_256"):
            train(request, tmp_path, QUIET)


class Breaking(Cascade):
    """Breaks down in the fifth step."""

    steps = 0

    def losses(self, raw, targets, normalisers):
        self.steps += 1
        factor = np.nan if self.steps == 5 else 1.0
        return {k: v * factor for k, v in super().losses(raw, targets, normalisers).items()}


class TestBadLoss:
    def test_the_batch_is_kept_and_the_last_checkpoint_too(self, request_of, tmp_path, monkeypatch):
        monkeypatch.setitem(CATALOGUE, "tiny", lambda: Breaking(LAYOUT))
        with pytest.raises(DeepirError, match=r"iteration 5: losses .*no finite number") as caught:
            train(request_of(checkpoint_every=2), tmp_path, QUIET)
        assert "\n" not in str(caught.value)
        (batch,) = tmp_path.glob("bad_batch_*_process0.npz")
        assert str(batch) in str(caught.value)
        with np.load(batch, allow_pickle=False) as arrays:
            assert set(arrays) == {f"{k}_{i}" for k in ("channels", "boxes") for i in range(4)}
            assert arrays["channels_0"].shape == (2, 64, 64)
        results = record(tmp_path)["results"]
        assert results["status"] == "failed"
        assert "no finite number" in results["error"]
        assert results["iteration"] == 4
        assert RunFolder(tmp_path).checkpoints.latest().iteration == 4
        assert "last good checkpoint: iteration 4" in str(caught.value)


class Overflowing(Cascade):
    """Its statistics leave the numbers in the fifth step, its losses do not."""

    steps = 0

    def targets(self, boxes, images, noco):
        self.steps += 1
        if self.steps == 5:
            next(one for name, one in self.named_buffers() if "running_var" in name).fill_(np.inf)
        return super().targets(boxes, images, noco)


class Hungry(Cascade):
    """Asks for a petabyte in the fifth step."""

    steps = 0

    def losses(self, raw, targets, normalisers):
        self.steps += 1
        if self.steps == 5:
            torch.empty(1 << 50)
        return super().losses(raw, targets, normalisers)


class TestBreaksOff:
    def test_weights_that_are_no_numbers_are_never_kept(self, request_of, tmp_path, monkeypatch):
        monkeypatch.setitem(CATALOGUE, "tiny", lambda: Overflowing(LAYOUT))
        with pytest.raises(DeepirError, match=r"iteration 6: .*running_var' holds NaN") as caught:
            train(request_of(checkpoint_every=2), tmp_path, QUIET)
        assert "last good checkpoint: iteration 4" in str(caught.value)
        assert [one.iteration for one in RunFolder(tmp_path).checkpoints.all()] == [4, 2]
        assert record(tmp_path)["results"]["status"] == "failed"
        for values in load_file(tmp_path / "last.safetensors").values():
            assert np.isfinite(values).all()

    def test_too_little_memory_is_one_line(self, request_of, tmp_path, monkeypatch):
        monkeypatch.setitem(CATALOGUE, "tiny", lambda: Hungry(LAYOUT))
        with pytest.raises(DeepirError, match="not enough memory at iteration 5: take") as caught:
            train(request_of(checkpoint_every=2), tmp_path, QUIET)
        assert "--parts" in str(caught.value)
        assert "last good checkpoint: iteration 4" in str(caught.value)
        assert record(tmp_path)["results"]["status"] == "failed"

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (MemoryError("Unable to allocate 4.00 GiB"), True),
            (torch.OutOfMemoryError("CUDA out of memory"), True),
            (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), True),
            (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        ],
    )
    def test_what_tells_of_memory(self, error, told):
        assert lacks_memory(error) is told


class TestFineTuning:
    def test_it_begins_with_the_weights_of_a_file(self, request_of, tmp_path, whole):
        weights = str(whole / "best.safetensors")
        train(request_of(init=weights, lr=0.0, iterations=1), tmp_path / "run", QUIET)
        begun = load_file(tmp_path / "run" / "last.safetensors")
        for name, values in load_file(weights).items():
            if "running" not in name and "tracked" not in name:
                np.testing.assert_array_equal(begun[name], values)
        assert record(tmp_path / "run")["init"]["path"] == weights

    def test_other_weights_are_another_run(self, request_of, tmp_path, whole):
        weights = tmp_path / "begin.safetensors"
        weights.write_bytes((whole / "best.safetensors").read_bytes())
        train(request_of(init=str(weights)), tmp_path / "run", ONE_STEP)
        train(request_of(iterations=1, seed=3), tmp_path / "other", QUIET)
        weights.write_bytes((tmp_path / "other" / "last.safetensors").read_bytes())
        with pytest.raises(DeepirError, match="weights to begin with are others"):
            train(request_of(init=str(weights)), tmp_path / "run", QUIET)

    def test_weights_of_another_network_are_refused(self, tmp_path, whole, root):
        request = Request(
            "oscar_nano", Source("sirst-v2", root), init=str(whole / "last.safetensors")
        )
        with pytest.raises(DeepirError, match="weights of 'tiny', those of 'oscar_nano'"):
            train(request, tmp_path / "run", QUIET)

    def test_a_name_without_packaged_weights_says_so(self, tmp_path, root, request_of, tiny):
        with pytest.raises(UsageError, match="tiny has no weights to train on from"):
            train(request_of(init=tiny), tmp_path / "run", QUIET)
