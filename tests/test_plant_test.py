"""The plant test counts planted targets alone, and the same ones for everybody."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from listed import Listed, blind, boxes_detector, knowing, truthful, two_sources

from deepir.catalogue import load_detector
from deepir.errors import DeepirError, UsageError
from deepir.plant_test import BEARING, FIELDS, FREE, plant_json, plant_test
from deepir.scr import local_scr

DATA = two_sources()
LEVELS = (4.0, 9.0)


def test_who_knows_the_frames_finds_every_planted_target():
    test = plant_test(knowing(DATA), DATA, scr=LEVELS)
    assert {row.source for row in test.rows} == {"Misc", "iraytek"}
    for row in (*test.rows, *test.sums):
        assert row.frames == 3
        assert row.planted == 6
        assert row.pd == 1.0


def test_who_is_blind_finds_none():
    test = plant_test(blind(), DATA, scr=LEVELS)
    assert [row.pd for row in (*test.rows, *test.sums)] == [0.0] * 8


def test_real_targets_are_not_counted():
    everywhere = {name: sample.boxes for name, sample in DATA.samples.items()}

    def network(image):
        boxes = np.concatenate(list(everywhere.values()))
        return boxes, np.full(len(boxes), 0.9)

    assert len(truthful(DATA).detect(DATA.read("Misc_0").image)) == 2
    # Boxes of real targets hit planted ones of other frames at the most, never of their own.
    own = Listed({"Misc_0": DATA.read("Misc_0")})
    everywhere = {"Misc_0": own.read("Misc_0").boxes}
    test = plant_test(boxes_detector(network), own, scr=LEVELS)
    assert [row.found for row in test.rows] == [0, 0]
    assert [row.own_targets for row in test.rows] == [2, 2]


def test_planted_targets_have_their_scr_and_two_are_in_a_frame():
    seen = []

    def network(image):
        seen.append(image)
        return [], []

    plant_test(boxes_detector(network), DATA, scr=(6.0,))
    finder = knowing(DATA, read_out="published")
    for image in seen:
        boxes = finder.detect(image).boxes
        assert len(boxes) == 2
        for box in boxes:  # 3x3 around the brightest pixel: near the core, not the core itself
            assert 2 < local_scr(image, box, boxes=boxes) < 12


def test_the_same_seed_plants_the_same_and_another_one_others():
    found = [plant_json(plant(seed), load_detector("top_hat"), DATA, seed) for seed in (0, 0, 1)]
    assert found[0]["rows"] == found[1]["rows"]
    images = [images_of(seed) for seed in (0, 0, 1)]
    assert all(np.array_equal(a, b) for a, b in zip(images[0], images[1], strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(images[0], images[2], strict=True))


def plant(seed):
    return plant_test(load_detector("top_hat", threshold=10), DATA, scr=LEVELS, seed=seed)


def images_of(seed, scr=LEVELS):
    seen = []

    def network(image):
        seen.append(image)
        return [], []

    plant_test(boxes_detector(network), DATA, scr=scr, seed=seed)
    return seen


def test_a_level_is_planted_alike_whatever_else_is_asked_for():
    alone, second = images_of(3, scr=(9.0,)), images_of(3)[1::2]
    assert all(np.array_equal(a, b) for a, b in zip(alone, second, strict=True))


def test_the_threshold_asked_for_decides():
    strict = knowing(DATA, threshold=0.995)
    assert plant_test(strict, DATA, scr=(5.0,)).sums[0].pd == 0.0


def test_sums_are_over_sources_with_and_without_targets():
    more = {f"TH_{number}": DATA.read(f"iraytek_{number}") for number in range(3)}
    more = {name: replace(sample, id=name) for name, sample in more.items()}
    test = plant_test(blind(), Listed({**DATA.samples, **more}), scr=LEVELS)
    assert [(row.scr, row.source, row.frames) for row in test.sums] == [
        (level, name, frames) for level in LEVELS for name, frames in ((BEARING, 3), (FREE, 6))
    ]
    for total in test.sums:
        parts = [row for row in test.rows if row.scr == total.scr]
        parts = [row for row in parts if (row.source == "Misc") == (total.source == BEARING)]
        assert total.planted == sum(row.planted for row in parts) > 2 * total.frames - 2


def test_frames_without_room_count_neither_way():
    small = replace(DATA.read("iraytek_0"), image=DATA.read("iraytek_0").image[:8, :8], mask=None)
    test = plant_test(blind(), Listed({"iraytek_0": small}), scr=(5.0,))
    assert (test.rows[0].frames, test.rows[0].planted, test.rows[0].pd) == (1, 0, None)


def test_frames_that_cannot_be_read_are_named():
    test = plant_test(blind(), Listed({**DATA.samples, "TH_1": None}), scr=(5.0,))
    assert [(one.id, one.reason) for one in test.done.skipped] == [("TH_1", "it is cut off")]
    assert {row.source for row in test.rows} == {"Misc", "iraytek"}
    with pytest.raises(DeepirError, match="none of the 1 frames of 'some' is usable"):
        plant_test(blind(), Listed({"TH_1": None}), scr=(5.0,))


def test_progress_is_told_after_each_frame():
    told = []
    plant_test(blind(), DATA, scr=(5.0,), progress=lambda *step: told.append(step))
    assert told == [(number, 6) for number in range(1, 7)]


def test_json_is_strict_and_every_field_is_explained():
    detector = knowing(DATA)
    result = plant_json(plant_test(detector, DATA, scr=LEVELS), detector, DATA, 0)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert set(result) - {"schema"} == set(FIELDS)
    assert result["rows"][0] == {
        **{"scr": 4.0, "source": "Misc", "frames": 3, "own_targets": 6},
        **{"planted": 6, "found": 6, "pd": 1.0},
    }


@pytest.mark.parametrize("scr", [(), (0.0,), (-3.0,), (5.0, 5.0), (float("nan"),), (float("inf"),)])
def test_scrs_that_cannot_be_are_refused(scr):
    with pytest.raises(UsageError, match="different numbers above 0"):
        plant_test(blind(), DATA, scr=scr)


def test_a_negative_seed_is_refused():
    with pytest.raises(UsageError, match="from 0 on, got -1"):
        plant_test(blind(), DATA, scr=(5.0,), seed=-1)
