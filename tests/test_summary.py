"""Tables show what the JSON holds, and little of it."""

from __future__ import annotations

import pytest
from listed import blind, knowing, truthful, two_sources

from deepir import bench
from deepir.plant_test import plant_json, plant_test
from deepir.results import result_json
from deepir.summary import (
    errors_line,
    figures_table,
    plant_table,
    points_table,
    reliability_table,
    sources_table,
)

DATA = two_sources()


@pytest.fixture(scope="module")
def result():
    return result_json(bench.evaluate(truthful(DATA), DATA))


def by_name(table):
    return {row[0]: row[1:] for row in table.rows}


def test_the_first_figures_stand_with_their_intervals(result):
    rows = by_name(figures_table(result))
    assert rows["mnocoap"] == (result["metrics"]["mnocoap"], "1 to 1")
    assert rows["with_targets mnocoap"] == (1.0, "1 to 1")
    assert rows["nocoap 0.5"] == (1.0, "")
    assert rows["box_ap 0.5"] == (1.0, "")
    assert rows["operating_threshold"] == (0.5, "")
    assert "pixel iou" not in rows  # a detector of boxes has no mask
    assert len(rows) < 18


def test_details_show_every_figure(result):
    rows = by_name(figures_table(result, details=True))
    assert set(by_name(figures_table(result))) < set(rows)
    assert rows["nocoap 0.3"] == (1.0, "")
    assert rows["pixel"] == (None, "")
    assert rows["absent pixel"] == ("'Misc_0' has no predicted mask", "")
    assert {"mlocap", *(f"locap 0.{level}" for level in (1, 3, 5, 7, 9))} <= set(rows)
    assert rows["errors hits"] == (6, "")
    assert not any(name.endswith("_interval") for name in rows)


def test_operating_points_are_those_of_this_set(result):
    table = points_table(result)
    assert [row[:2] for row in table.rows] == [(b, "this set") for b in (0.1, 0.5, 1.0)]
    assert all(row[3] == 1.0 for row in table.rows)


def test_points_of_the_calibration_stand_below(result):
    point = {"threshold": 0.4, "pd": 0.9, "false_objects_per_frame": 0.2}
    stored = {"data": "val", "points": {"0.02": point, "0.1": point, "2": point}}
    calibrated = {**result, "calibration": stored}
    assert [row[:2] for row in points_table(calibrated).rows[3:]] == [(0.1, "val")]
    every = points_table(calibrated, details=True).rows[3:]
    assert [row[0] for row in every] == [0.02, 0.1, 2.0]
    assert every[0] == (0.02, "val", 0.4, 0.9, 0.2)


def test_sources_stand_with_their_figures(result):
    rows = by_name(sources_table(result))
    assert rows["Misc"] == (3, 6, 1.0, 1.0, 0.0)
    assert rows["iraytek"] == (3, 0, None, None, 0.0)


def test_errors_are_one_line(result):
    assert errors_line(result).startswith("missed 0 of 6 targets (")
    line = errors_line(result_json(bench.evaluate(blind(), DATA)))
    assert line.startswith("missed 6 of 6 targets (")
    assert "0 of 0 hits badly placed" in line
    assert "\n" not in line


def test_planted_targets_stand_by_source_and_scr():
    detector = knowing(DATA)
    table = plant_table(plant_json(plant_test(detector, DATA, scr=(9, 4)), detector, DATA, 0))
    assert table.heads == ("source", "frames", "own targets", "Pd at SCR 4", "Pd at SCR 9")
    rows = by_name(table)
    assert rows["Misc"] == (3, 6, "1.000 (6 of 6)", "1.000 (6 of 6)")
    assert list(rows) == ["Misc", "iraytek", "sources with targets", "sources without targets"]


def test_reliability_stands_as_it_is():
    table = reliability_table([{"stated": 0.1, "count": 5, "hit_rate": 0.2}])
    assert table.rows == [(0.1, 5, 0.2)]
