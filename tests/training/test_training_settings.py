"""Settings outside their range are refused with their name and value."""

from __future__ import annotations

import dataclasses
import math

import pytest

from deepir.errors import UsageError
from deepir.training.presets import PRESETS
from deepir.training.request import Execution, Request, Source
from deepir.training.settings import Mining, Mixture, Settings


@pytest.mark.parametrize(
    ("build", "name", "value"),
    [
        (Settings, "iterations", 0),
        (Settings, "batch", -1),
        (Settings, "parts", 0),
        (Settings, "crop", 63),
        (Settings, "lr", -1e-3),
        (Settings, "lr", math.nan),
        (Settings, "lr", math.inf),
        (Settings, "warm_up", 1.5),
        (Settings, "final_lr", -0.1),
        (Settings, "clip", math.nan),
        (Settings, "average", 1.1),
        (Settings, "seed", -1),
        (Settings, "checkpoint_every", 0),
        (Settings, "val_every", 0),
        (Settings, "epoch", 0),
        (Mixture, "paste", 1.01),
        (Mixture, "turn", math.nan),
        (Mining, "every", 0),
        (Mining, "frames", -1),
        (Mining, "score", 2),
        (Mining, "apart_px", -1),
        (Execution, "processes", 0),
        (Execution, "readers", 0),
        (Execution, "log_every", 0),
        (Execution, "time_limit", 0),
        (Execution, "time_limit", math.nan),
    ],
)
def test_a_number_out_of_its_range_is_refused(build, name, value):
    with pytest.raises(UsageError, match=name) as caught:
        build(**{name: value})
    assert f"got {value:g}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("seed", 2**63, "seed: 0 to 9223372036854775807 is wanted, got 9223372036854775808"),
        ("seed", 10**400, "got a number of 401 digits"),
        ("iterations", 10**400, "iterations: 1 to 1000000000000000 is wanted"),
        ("iterations", 0, "iterations: 1 or more is wanted, got 0"),
        ("clip", math.inf, "clip: 0 to 1000000000000000 is wanted, got inf"),
    ],
)
def test_numbers_that_never_end_are_refused_in_one_line(name, value, words):
    with pytest.raises(UsageError, match=words):
        Settings(**{name: value})


def test_a_batch_has_an_image_for_every_part_of_every_process():
    Settings(batch=8, parts=2).check_processes(4)
    with pytest.raises(UsageError, match=r"a batch of 8 .* 2 parts for 5 processes: .* of 10"):
        Settings(batch=8, parts=2).check_processes(5)


@pytest.mark.parametrize(
    ("build", "name", "value", "hint"),
    [
        (Settings, "bf16", "yes", "auto, off, on"),
        (Settings, "bf16", True, "auto, off, on"),
        (Settings, "schedule", "cosin", "'cosine'"),
        (Execution, "device", "cud", "'cuda'"),
    ],
)
def test_an_unknown_choice_is_refused(build, name, value, hint):
    with pytest.raises(UsageError, match=name) as caught:
        build(**{name: value})
    assert hint in str(caught.value)


def test_kinds_of_crops_are_shares():
    with pytest.raises(UsageError, match=r"0\.7 \+ 0\.4"):
        Mixture(target=0.7, false_alarm=0.4)


@pytest.mark.parametrize("recipe", PRESETS)
def test_recipes_name_settings_that_exist(recipe):
    known = {one.name for part in (Settings, Source) for one in dataclasses.fields(part)}
    assert set(PRESETS[recipe]) <= known


def test_an_unknown_recipe_is_refused():
    with pytest.raises(UsageError, match="did you mean 'published'"):
        Request("oscar_nano", recipe="publishd")


class TestSplits:
    def test_a_known_dataset_has_its_own(self):
        assert Source("sirst-v2").splits() == ("train_full", "val_full")
        assert Source().splits() == ("train", "val")
        assert Source("coco").splits() == ("train", "val")

    def test_those_named_come_first(self):
        assert Source("sirst-v2", None, "trainval_full", "none").splits() == ("trainval_full", None)

    def test_nothing_is_validated_on_what_it_learnt(self):
        with pytest.raises(UsageError, match="'val'"):
            Source(train_split="val").splits()
