"""``deepir train``: files of options, one line for what does not fit, runs that can be repeated."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from deepir.cli.train import read_options, train_app
from deepir.data import write_sirst_v2
from deepir.errors import UsageError
from deepir.simulate import SimulatedFrames

SHORT = {"iterations": 2, "crop": 64, "batch": 2, "device": "cpu", "no-tensorboard": None}


@pytest.fixture(scope="module", autouse=True)
def one_core():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Splits train_full and val_full of small frames, and one without targets."""
    folder = tmp_path_factory.mktemp("sirst")
    frames = [*SimulatedFrames(4, seed=5, shape=(72, 88), targets=2)]
    val = [*SimulatedFrames(2, seed=7, shape=(72, 88), targets=2)]
    empty = [*SimulatedFrames(2, seed=6, shape=(72, 88), targets=0)]
    write_sirst_v2(folder, "train_full", frames)
    write_sirst_v2(folder, "val_full", [replace(one, id=f"{one.id}_val") for one in val])
    write_sirst_v2(folder, "empty", [replace(one, id=f"{one.id}_empty") for one in empty])
    return folder


@pytest.fixture
def train(deepir, root, tmp_path):
    """Run ``deepir train oscar_nano`` shortly on the small frames; options by keyword."""

    def call(*more, model="oscar_nano", work_dir=tmp_path / "run", **options):
        given = {"data": "sirst-v2", "root": root, **SHORT, "work_dir": work_dir, **options}
        line = [] if model is None else [model]
        for name, value in given.items():
            if value is not ...:
                option = f"--{name.replace('_', '-')}"
                line += [option] if value is None else [option, value]
        return deepir("train", *line, *more)

    return call


@pytest.fixture
def options(tmp_path):
    """Write a file of options."""

    def write(text):
        path = tmp_path / "options.yaml"
        path.write_text(text)
        return path

    return write


def asked(folder):
    """Options in the record of a run."""
    return json.loads((folder / "run.json").read_text("utf-8"))["options"]


def same_numbers(one, other):
    first, second = load_file(one), load_file(other)
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)


class TestRuns:
    def test_on_the_embedded_frames_and_again_from_its_record(self, deepir, tmp_path):
        line = ["--iterations", 3, "--crop", 64, "--batch", 2, "--no-tensorboard"]
        outcome = deepir(
            "train", "oscar_nano", "--work-dir", tmp_path / "one", *line, "--mixture.plant", 0.9,
            "--mining.start", 1, "--mining.every", 1, "--mining.frames", 2, "--mining.score", 0,
        )  # fmt: skip
        assert outcome.status == 0
        assert "best mNoCoAP on the validation split" in outcome.out
        assert str(tmp_path / "one" / "best.safetensors") in outcome.out
        assert "64 frames" in outcome.err
        again = deepir(
            "train", "--config", tmp_path / "one" / "run.json", "--work-dir", tmp_path / "two"
        )
        assert again.status == 0
        assert asked(tmp_path / "two") == asked(tmp_path / "one")
        for name in ("last.safetensors", "best.safetensors"):
            same_numbers(tmp_path / "one" / name, tmp_path / "two" / name)

    def test_a_time_limit_stops_it_and_the_same_command_goes_on(self, train, tmp_path):
        first = train(time_limit="1e-9")
        assert first.status == 3
        assert "time is up: 1 of 2 iterations are done" in first.err
        assert train(time_limit="1e-9").status == 0
        last = train()
        assert last.status == 0
        assert "finished" in last.err
        train(work_dir=tmp_path / "whole")
        same_numbers(tmp_path / "run/last.safetensors", tmp_path / "whole/last.safetensors")

    def test_it_goes_on_from_other_weights(self, train, tmp_path):
        weights = tmp_path / "run" / "last.safetensors"
        train()
        assert train(init=weights, work_dir=tmp_path / "fine").status == 0
        assert asked(tmp_path / "fine")["init"] == str(weights)

    def test_without_validation_the_last_weights_are_named(self, train):
        outcome = train(val_split="none")
        assert outcome.status == 0
        assert outcome.out.splitlines() == [f"weights: {outcome.out.split()[-1]}"]
        assert "last.safetensors" in outcome.out

    def test_frames_that_cannot_be_used_are_named(self, train, root, tmp_path):
        shutil.copytree(root, tmp_path / "own")
        name = (tmp_path / "own/splits/train_full.txt").read_text().split()[-1]
        (tmp_path / "own/mixed" / f"{name}.png").write_bytes(b"no picture")
        outcome = train(root=tmp_path / "own")
        assert outcome.status == 3
        assert f"skipped {name!r}" in outcome.err
        assert "partial: 1 frames could not be used" in outcome.err
        assert json.loads((tmp_path / "run/run.json").read_text())["train"]["skipped"] == [name]

    def test_a_terminal_shows_a_bar_with_the_time_left(self, train, monkeypatch, capsys):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        outcome = train()
        assert outcome.status == 0
        assert "2/2" in outcome.err
        assert "0:00:00" in outcome.err
        assert "crops/s" in outcome.err

    def test_a_run_without_a_terminal_says_how_it_goes(self, train):
        lines = train().err.splitlines()
        assert any("iteration 2 of 2: loss" in line and "waiting" in line for line in lines)
        assert all(line.startswith("deepir: ") for line in lines)


class TestFiles:
    def test_a_file_holds_options(self, train, options, tmp_path):
        file = options(
            "model: oscar_nano\nlr: 1e-3\nbf16: on\ndecay_all: true\nweight-decay: 0.5\n"
            "mixture:\n  plant: 0.75\nmining: {frames: 0, apart_px: 5}\nseed: 7  # a comment\n"
        )
        assert train(model=None, config=file).status == 0
        found = asked(tmp_path / "run")
        assert (found["lr"], found["bf16"], found["decay_all"]) == (1e-3, "on", True)
        assert (found["weight_decay"], found["seed"]) == (0.5, 7)
        assert found["mixture"]["plant"] == 0.75
        assert (found["mining"]["frames"], found["mining"]["apart_px"]) == (0, 5)
        assert found["mining"]["every"] == 500

    def test_the_command_line_comes_first(self, train, options, tmp_path):
        file = options("iterations: 9\nmodel: oscar_small\nmixture: {plant: 0.5, paste: 0.5}\n")
        assert train("--mixture.plant", "0.25", config=file).status == 0
        found = asked(tmp_path / "run")
        assert (found["iterations"], found["model"]) == (2, "oscar_nano")
        assert (found["mixture"]["plant"], found["mixture"]["paste"]) == (0.25, 0.5)

    def test_a_recipe_comes_last(self, options):
        file = str(options("recipe: published\nweight_decay: 0.25\nmining: {start: 7}"))
        line = ["oscar_r18_128", "--work-dir", "run", "--config", file, "--lr", "0.5"]
        _, bound, *_ = train_app().parse_args(line, exit_on_error=False, print_error=False)
        settings = bound.arguments["settings"]
        assert (settings.lr, settings.weight_decay, settings.mining.start) == (0.5, 0.25, 7)
        assert (settings.batch, settings.iterations, settings.epoch) == (4, 12 * 577, 577)
        assert (settings.schedule, settings.decay_all, settings.mining.frames) == (
            "epochs", True, 0,
        )  # fmt: skip
        assert round(settings.warm_up * settings.iterations) == 1000

    def test_the_published_recipe_of_another_network(self, train):
        outcome = train(recipe="published")
        outcome.refused("that of oscar_r18_256", status=2)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("itertions: 5", ("itertions", "iterations")),
            ("mixture: {plnt: 0.5}", ("plnt", "plant")),
            ("mixing: {plant: 0.5}", ("mixing",)),
            ("lr: fast", ("lr", "fast")),
            ("lr: -1", ("lr: 0 to 10 is wanted, got -1",)),
            ("lr: .nan", ("lr",)),
            ("batch: 2.5", ("batch", "whole number", "2.5")),
            ("seed: [1, 2]", ("seed",)),
            ("bf16: maybe", ("bf16", "maybe")),
            ("lr: {high: 1}", ("lr",)),
            ("recipe: publishd", ("publishd", "published")),
            ("- lr", ("is to hold names with values",)),
            ("", ("is to hold names with values", "nothing")),
            ("lr", ("is to hold names with values",)),
            ("lr: [1", ("is no YAML",)),
            ("seed: 1\nseed: 2", ("line 2", "'seed' stands there twice")),
            ("mixture: {plant: 0, plant: 1}", ("'mixture'", "'plant' stands there twice")),
            ("mixture: 0.5", ("--mixture is a group of options", "--mixture.target", "'0.5'")),
            ("mining: [1, 2]", ("'mining'", "a text is wanted, it holds a list")),
            ("mining: {start: {a: 1}}", ("'mining'", "it holds names with values")),
            ("lr: &a {b: *a}", ("'lr'", "it holds names with values")),
            ("? [lr]\n: 1", ("line 1", "is no name")),
            ("config: other.yaml", ("it cannot name another file: config",)),
            ("[" * 20_000, ("is no YAML", "more than 100 brackets")),
            ("format: 1\noptions: [lr]", ("'options'", "it holds a list")),
            ("lr: !!python/object/apply:os.system [echo]", ("lr",)),
            ("a: b: c", ("is no YAML", "line 1")),
            ('lr: "\\UFFFFFFFF"', ("is no YAML",)),
            (f"lr: {'9' * 2**18}", ("bytes; a file of up to",)),
        ],
    )
    def test_what_does_not_fit_is_one_line(self, train, options, tmp_path, text, words):
        # What is given on the command line would come before the file.
        train(config=options(text), batch=..., lr=...).refused(*words, status=2)
        assert not (tmp_path / "run").exists()

    def test_a_file_that_blows_up_is_refused_at_once(self, train, options):
        """Each of 30 lists holds the one before it nine times; none of them is unfolded."""
        lists = [f"&a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
        text = "\n".join(["- &a0 lol", *(f"- {one}" for one in lists)])
        train(config=options(text)).refused("it holds a list", status=2)
        text = f"seed: [&a0 lol, {', '.join(lists)}]"
        train(config=options(text)).refused("'seed'", "it holds a list", status=2)

    def test_anchors_mean_what_they_stand_for(self, options):
        text = "lr: &x 0.5\nclip: *x\nmixture: {plant: *x}"
        assert read_options(options(text)) == {
            "lr": "0.5",
            "clip": "0.5",
            "mixture": {"plant": "0.5"},
        }

    def test_a_file_that_is_none(self, train, tmp_path):
        train(config=tmp_path / "none.yaml").refused("cannot read the options", "none.yaml")
        (tmp_path / "picture.yaml").write_bytes(bytes(range(256)))
        train(config=tmp_path / "picture.yaml").refused("cannot read the options")

    def test_values_are_the_text_that_stands_there(self, options):
        assert read_options(options("bf16: on\nlr: 1e-3\na: {b: no}\nroot: null\nc: ''")) == {
            "bf16": "on", "lr": "1e-3", "a": {"b": "no"}, "root": "null",
        }  # fmt: skip


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"iterations": 0}, ("iterations: 1 or more is wanted, got 0",)),
            ({"iterations": "1.5"}, ("--iterations", "whole number", "1.5")),
            ({"iterations": "1e3"}, ("whole number",)),
            ({"lr": "nan"}, ("lr",)),
            ({"crop": 16}, ("crop: 64 to 8192 is wanted, got 16",)),
            ({"batch": 1, "parts": 2}, ("a batch of 1 cannot be divided",)),
            ({"model": "oscar_nan"}, ("did you mean 'oscar_nano'",)),
            ({"data": "sirst"}, ("'sirst-v2'",)),
            ({"train_split": "trian_full"}, ("did you mean 'train_full'",)),
            ({"val_split": "train_full"}, ("--val-split", "or none")),
            ({"init": __file__}, (".safetensors", "deepir convert")),
            ({"init": "none.safetensors"}, ("no such file",)),
            ({"init": "oscar_r18_256"}, ("no weights to train on from",)),
            ({"device": "tpu"}, ("--device",)),
            ({"processes": 0}, ("processes: 1 or more",)),
            ({"processes": 1000}, ("a batch of 2 cannot be divided", "1000 processes")),
            ({"work_dir": ""}, ("--work-dir", "got an empty text")),
            ({"mixture": "0.5"}, ("--mixture is a group of options",)),
            ({"seed": 2**63}, ("seed: 0 to 9223372036854775807",)),
            ({"seed": "9" * 400}, ("a number of 400 digits",)),
            ({"init": "."}, ("it is no file",)),
            ({"train_split": "empty"}, ("no target in the 2 frames",)),
        ],
    )
    def test_wrong_usage_is_one_line(self, train, options, words):
        train(**options).refused(*words)

    def test_a_graphics_card_that_is_not_there(self, train):
        if torch.cuda.is_available():
            pytest.skip("there is a graphics card")
        train(device="cuda").refused("finds none: use cpu", status=2)

    def test_nothing_given(self, deepir, train):
        train(model=None).refused("model", status=2)
        train(work_dir=...).refused("work-dir", status=2)

    def test_an_option_that_is_none(self, train):
        train(itertions=5).refused("--itertions", "--iterations", status=2)

    def test_another_run_in_the_folder(self, train):
        train()
        train(seed=5).refused("seed is 0 there, 5 here", "--work-dir", status=1)

    @pytest.mark.parametrize("package", ["torch", "safetensors"])
    def test_without_torch_it_says_how_to_get_it(self, train, monkeypatch, package):
        monkeypatch.setattr(
            "deepir.models.requirements.find_spec",
            lambda name: None if name == package else find_spec(name),
        )
        train().refused(f"deepir train needs {package}", "pip install 'deepir[train]'", status=2)

    def test_without_yaml_it_says_how_to_get_it(self, options, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "yaml", None)
        with pytest.raises(UsageError, match=r"PyYAML.*pip install 'deepir\[train\]'"):
            read_options(options("lr: 1"))
