"""Frames are ranked by what they cost, and their pictures say why."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from listed import Listed, blind, boxes_detector, truthful, two_sources

from deepir import bench
from deepir.bench import Evaluation
from deepir.errors import UsageError
from deepir.metrics import NocoHits
from deepir.noco import noco_map
from deepir.overlay import INSETS
from deepir.worst import frame_costs, judge, write_worst

DATA = two_sources()
NOISE = np.random.default_rng(0)


def fed(frames):
    """Matches of frames, each a list of (score, hits) and a number of targets."""
    hits = NocoHits()
    truth = np.zeros((10, 50))
    truth[:, ::10] = 0.95
    for found, targets in frames:
        boxes = [[10 * place, 0, 10 * place + 3, 9] for place in range(targets)]
        places = iter(range(targets))
        rows = [[10 * next(places) if hit else 5, 2, score] for score, hit in found]
        hits.update(rows, truth, boxes)
    return hits


def test_missed_targets_cost_one_each():
    costs = frame_costs(fed([([(0.9, True)], 1), ([], 2), ([(0.2, True)], 1)]), 0.5)
    assert costs.tolist() == [0.0, 2.0, 1.0]


def test_false_alarms_cost_what_they_outrank():
    frames = [([(0.8, True)], 1), ([(0.9, False)], 0), ([(0.7, False)], 0), ([(0.1, False)], 0)]
    frames += [([(0.75, True)], 1)]
    costs = frame_costs(fed(frames), 0.5)
    assert costs == pytest.approx([0, 1, 1 / 3, 0, 0])


def test_a_point_off_the_peak_costs_a_part_of_its_target():
    hits = NocoHits()
    truth = np.full((9, 9), 0.55)
    hits.update([[4, 4, 0.9]], truth, [[2, 2, 7, 7]])
    (cost,) = frame_costs(hits, 0.5)
    won = 5 / 9  # thresholds 0.1 to 0.5
    assert cost == pytest.approx((1 - won) + (1 - won) * 1 / (1 + won))


def test_no_detections_and_no_frames_cost_what_is_missed():
    assert frame_costs(fed([([], 0), ([], 3)]), 0.5).tolist() == [0, 3]
    assert frame_costs(NocoHits(), 0.5).shape == (0,)


def lamps(dataset):
    """Detector that finds the real targets but those of Misc_1, and a lamp in iraytek_2."""
    right = truthful(dataset).network
    missed, lamp = (dataset.read(name).image for name in ("Misc_1", "iraytek_2"))

    def network(image):
        if np.array_equal(image, missed):
            return dataset.read("Misc_1").boxes, [0.3, 0.2]
        if np.array_equal(image, lamp):
            return [[20, 20, 24, 24]], [0.95]
        raw = right(image)
        return raw.boxes, raw.scores

    return boxes_detector(network)


@pytest.fixture
def run():
    return bench.evaluate(lamps(DATA), DATA)


def test_the_worst_frames_are_drawn_worst_first(run, tmp_path):
    pictures = write_worst(run, tmp_path / "worst", count=5)
    assert [picture.name for picture in pictures] == ["001_Misc_1.png", "002_iraytek_2.png"]
    for picture in pictures:
        shown = cv2.imread(str(picture))
        assert shown.shape[0] > DATA.read("Misc_0").image.shape[0]
    told = json.loads((tmp_path / "worst" / "worst.json").read_text("utf-8"))
    assert (told["detector"], told["split"]) == ("made up", "some")
    assert [entry["id"] for entry in told["worst"]] == ["Misc_1", "iraytek_2"]
    assert told["worst"][0] | {"cost": 2.0, "missed": 2, "false": 0} == told["worst"][0]
    assert told["worst"][1] | {"missed": 0, "false": 1} == told["worst"][1]


def test_no_more_than_asked_for(run, tmp_path):
    assert len(write_worst(run, tmp_path, count=1)) == 1


def test_without_an_error_there_is_no_picture(tmp_path):
    run = bench.evaluate(truthful(DATA), DATA)
    assert write_worst(run, tmp_path, count=5) == []
    assert [path.name for path in tmp_path.iterdir()] == ["worst.json"]


def test_pictures_of_an_earlier_run_are_taken_away_and_nothing_else(run, tmp_path):
    own = tmp_path / "mine.png"
    own.write_bytes(b"mine")
    write_worst(run, tmp_path, count=5)
    write_worst(run, tmp_path, count=1)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("worst.json", "001_Misc_1.png", "mine.png")
    }


@pytest.mark.parametrize(
    "old", ["{", "[]", '{"worst": 3}', '{"worst": [{"picture": "../mine.png"}]}']
)
def test_a_foreign_list_of_that_name_does_no_harm(run, tmp_path, old):
    folder = tmp_path / "worst"
    folder.mkdir()
    (tmp_path / "mine.png").write_bytes(b"mine")
    (folder / "worst.json").write_text(old)
    assert len(write_worst(run, folder, count=5)) == 2
    assert (tmp_path / "mine.png").exists()


def test_ids_become_plain_file_names(tmp_path):
    names = ("night/../a b", "x" * 300)
    odd = Listed({name: replace(DATA.read("Misc_0"), id=name) for name in names})
    pictures = write_worst(bench.evaluate(blind(), odd), tmp_path, count=9)
    assert [path.parent for path in pictures] == [tmp_path] * 2
    assert all(path.is_file() for path in pictures)


def test_marks_name_what_went_wrong():
    judged = judge(lamps(DATA), DATA.read("Misc_1"))
    assert (judged.missed, judged.false, judged.badly_placed) == (2, 0, 0)
    assert sorted(mark.label for mark in judged.marks) == [
        "missed, scored 0.2",
        "missed, scored 0.3",
    ]
    assert judge(blind(), DATA.read("Misc_1")).marks[0].label == "missed, no candidate"
    assert judge(lamps(DATA), DATA.read("iraytek_2")).marks[0].label == "false 0.95"
    assert {mark.label for mark in judge(lamps(DATA), DATA.read("Misc_0")).marks} == {"hit 0.9"}
    assert INSETS > 2


def test_a_badly_placed_hit_is_one():
    sample = DATA.read("Misc_0")
    x0, y0, x1, y1 = sample.boxes[0].astype(int)
    noco = noco_map(sample.image, sample.boxes)[y0:y1, x0:x1]
    row, column = np.unravel_index(noco.argmin(), noco.shape)
    x, y = x0 + column, y0 + row
    off = boxes_detector(lambda image: ([[x, y, x + 1, y + 1]], [0.8]))
    judged = judge(off, sample)
    assert judged.badly_placed == 1
    assert "badly placed 0.8" in [mark.label for mark in judged.marks]


def test_saved_detections_have_no_pictures(run, tmp_path):
    saved = Evaluation("saved", DATA, "peak", run.scorer, None)
    with pytest.raises(UsageError, match="need a detector"):
        write_worst(saved, tmp_path, count=5)
