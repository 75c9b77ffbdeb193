"""Training that begins with weights: settings for few frames, and nothing left of the old scene."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from deepir.cli import run as command
from deepir.cli.train import train_app
from deepir.errors import UsageError
from deepir.training.presets import PRESETS
from deepir.training.request import Execution, Request
from deepir.training.run import train
from deepir.training.settings import Settings

QUIET = Execution(tensorboard=False, device="cpu")
PAGE = Path(__file__).parents[2] / "docs" / "training.md"
COMMANDS = re.findall(r"^    deepir (\w+) (.*)", PAGE.read_text("utf-8"), flags=re.MULTILINE)


@pytest.fixture
def options(tmp_path):
    """Recipe, source and settings that a command line comes to; a file of options by ``file``."""

    def parse(*line, file=None):
        if file is not None:
            (tmp_path / "options.yaml").write_text(file)
            line = (*line, "--config", str(tmp_path / "options.yaml"))
        line = ["oscar_nano", "--work-dir", "run", *line]
        _, bound, *_ = train_app().parse_args(line, exit_on_error=False, print_error=False)
        found = bound.arguments
        return tuple(found.get(name) for name in ("recipe", "source", "settings"))

    return parse


class TestRecipe:
    def test_it_comes_with_weights_to_begin_with(self, options):
        recipe, source, settings = options("--init", "oscar_nano")
        preset = PRESETS["fine-tune"]
        assert (recipe, source.val_split) == ("fine-tune", "none")
        assert (settings.iterations, settings.lr) == (preset["iterations"], preset["lr"])
        assert settings.lr < Settings().lr
        assert settings.iterations < Settings().iterations

    def test_its_name_may_be_given(self, options):
        assert options("--init", "x", "--recipe", "fine-tune") == options("--init", "x")

    def test_options_come_before_it(self, options):
        _, source, settings = options("--init", "oscar_nano", "--lr", "0.25", "--val-split", "mine")
        assert (settings.lr, source.val_split) == (0.25, "mine")
        _, _, settings = options(file="init: oscar_nano\niterations: 7\n")
        assert (settings.iterations, settings.lr) == (7, PRESETS["fine-tune"]["lr"])

    def test_another_recipe_may_be_named(self, options):
        assert options("--init", "oscar_nano", "--recipe", "crops") == ("crops", None, None)
        assert options(file="init: oscar_nano\nrecipe: crops\n") == ("crops", None, None)

    def test_without_weights_nothing_changes(self, options):
        assert options() == (None, None, None)

    def test_without_weights_it_is_refused(self):
        with pytest.raises(UsageError, match=r"none are given for 'oscar_nano'.*--init"):
            Request("oscar_nano", recipe="fine-tune")


@pytest.fixture(scope="module")
def first(request_of, tmp_path_factory):
    """Weights of a run that fitted a scene factor."""
    folder = tmp_path_factory.mktemp("first")
    return train(request_of(scene_floor=0.5, scene_start=0.1), folder, QUIET).weights


class TestScene:
    def test_the_old_one_is_forgotten(self, first, request_of, tmp_path):
        assert load_file(first)["scene.weight"].any()
        request = request_of(init=str(first), iterations=1)
        found = load_file(train(request, tmp_path, QUIET).weights)
        assert not found["scene.weight"].any()
        assert (found["scene.bias"], found["scene.floor"], found["scene.start"]) == (0, 1, 0)

    def test_a_new_one_is_fitted_where_one_is_wanted(self, first, request_of, tmp_path):
        request = request_of(init=str(first), iterations=1, scene_floor=0.25)
        found = load_file(train(request, tmp_path, QUIET).weights)
        assert found["scene.floor"] == 0.25
        assert (found["scene.weight"] != load_file(first)["scene.weight"]).any()

    def test_the_weights_that_came_along_can_be_trained_on(self, root, tmp_path):
        line = ["--data", "sirst-v2", "--root", root, "--iterations", 1, "--crop", 64, "--batch", 2]
        line += ["--init", "oscar_nano", "--no-tensorboard", "--device", "cpu"]
        line = ["train", "oscar_nano", *map(str, line), "--work-dir", str(tmp_path / "run")]
        assert command(line) == 0
        found = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
        assert found["options"]["recipe"] == "fine-tune"
        assert load_file(tmp_path / "run" / "last.safetensors")["scene.floor"] == 1


@pytest.mark.parametrize("verb", sorted({verb for verb, _ in COMMANDS}))
def test_every_option_of_the_page_exists(verb, capsys):
    command([verb, "--help"])
    known = capsys.readouterr().out
    for name, line in COMMANDS:
        if name == verb:
            assert [flag for flag in re.findall(r"--[a-z-]+", line) if flag not in known] == []
