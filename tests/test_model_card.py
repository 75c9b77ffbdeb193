"""The page of a network holds its figures, where they come from, and no path of a machine."""

from __future__ import annotations

import pytest
from listed import boxes_detector, truthful, two_sources

from deepir import bench
from deepir.calibration import Bin, Calibration, Platt
from deepir.clutter_level import ClutterLevel
from deepir.model_card import Measured, Seed, Words, model_card
from deepir.plant_test import plant_json, plant_test
from deepir.results import result_json

DATA = two_sources(2)
STORED = Calibration(
    Platt(1.5, -0.5),
    Platt(1.5, -0.5),
    ((0.1, 0.61), (1.0, 0.32)),
    (Bin(0.05, 90, 0.04), Bin(0.91, 30, 0.93)),
    64,
    "sirst-v2 val_full",
)


def training(split, frames):
    visit = {
        "command": ["/home/me/bin/deepir", "train", "oscar_nano", "--root=/data/SIRST_V2"],
        "versions": {"deepir": "0.1.0", "torch": "2.13"},
        "source": {"commit": "abc123", "changed": True},
        "machine": {"processor": "EPYC", "threads": 2, "device": "cpu"},
        "seconds": 5400.0,
    }
    return {
        "options": {"recipe": "crops", "seed": 7, "root": "/data/SIRST_V2", "lr": 0.002},
        "train": {"name": "sirst-v2", "split": split, "frames": frames, "targets": 318},
        "visits": [visit, {**visit, "seconds": 1800.0}],
        "results": {"iteration": 4000},
    }


@pytest.fixture(scope="module")
def measured():
    detector = truthful(DATA, calibration=STORED)
    test = result_json(bench.evaluate(detector, DATA))
    blind = boxes_detector(lambda image: ([], []))
    plant = plant_json(plant_test(blind, DATA, scr=(5.0,)), blind, DATA, 3)
    return Measured(test, plant, training("trainval_full", 768), STORED)


def test_the_page_tells_data_recipe_figures_and_meaning(measured):
    page = model_card("oscar_nano", measured)
    for words in (
        "# oscar_nano\n",
        "trained on sirst-v2 trainval_full (768 frames, 318 targets)",
        "tested on listed some: 4 frames, 4 targets",
        "| recipe | crops |",
        "| seed | 7 |",
        "| commit | abc123 with changes |",
        "| hours | 2 |",
        "| with_targets mnocoap | 1 | 1 to 1 |",
        "| Misc | 2 | 4 | 1 | 1 | 0 |",
        "| 0.1 | this set |",
        "| 0.1 | sirst-v2 val_full | 0.61 | 1 | 0 |",
        "Simulated targets",
        "0.000 (0 of ",
        "seed 3",
        "| 0.91 | 30 | 0.93 |",
        "and on listed some:",
        "SIRST-V2 states no licence",
        "missed 0 of 4 targets",
    ):
        assert words in page, words


def test_no_path_of_a_machine_is_on_the_page(measured):
    page = model_card("oscar_nano", measured)
    assert "Command: `deepir train oscar_nano --root=SIRST_V2`" in page
    assert '"root": "SIRST_V2"' in page
    assert "/home" not in page
    assert "/data" not in page


def test_a_twin_is_named_where_the_calibration_is_its(measured):
    twin = training("train_full", 512)
    page = model_card("oscar_nano", Measured(**{**vars(measured), "twin": twin}))
    (line,) = [line for line in page.splitlines() if "twin of these weights" in line]
    assert "sirst-v2 train_full (512 frames, 318 targets) alone" in line
    assert "these weights have seen the frames" in line
    assert "twin" not in model_card("oscar_nano", measured)


def test_the_clutter_level_is_told_where_there_is_one(measured):
    level = ClutterLevel(20, 0.4, 0.0105)
    page = model_card("oscar_nano", Measured(**{**vars(measured), "clutter": level}))
    (line,) = [line for line in page.splitlines() if "clutter of their frame" in line]
    assert "0.4 times what those of the candidate number 20" in line
    assert "0.0105" in line
    assert "clutter" not in model_card("oscar_nano", measured)


def test_other_readings_and_the_worst_frames_are_told_where_given(measured):
    bare = model_card("oscar_nano", measured)
    assert "- none was looked for" in bare
    entry = {"id": "Misc_7", "missed": 1, "false": 2, "badly_placed": 0}
    more = {
        "readings": [
            {**measured.test, "read_out": "published"},
            {**measured.test, "scene": "off"},
            {**measured.test, "split": "some without 9 ids of twins.txt"},
        ],
        "seeds": [Seed(7, measured.test, measured.test)],
        "worst": {"worst": [entry] * 30},
    }
    words = Words("It finds dots.", ("large targets",))
    page = model_card("oscar_nano", Measured(**{**vars(measured), **more}), words)
    assert "It finds dots." in page
    assert "read-out published" in page
    assert "read-out peak, scores without the scene's say" in page
    assert f"| 7 | {measured.test['metrics']['mnocoap']:.3f} (" in page
    assert "median_ms" not in page
    assert "without 9 ids of twins.txt" in page
    assert page.count("- Misc_7: missed 1, false 2, badly placed 0") == 10
    assert "- large targets" in page


def test_a_run_outside_a_checkout_has_no_commit(measured):
    run = training("train_full", 512)
    run["visits"][0]["source"] = None
    page = model_card("oscar_nano", Measured(**{**vars(measured), "training": run}))
    assert "| commit | unknown |" in page
