"""Runs stand best first, each with its paired difference to the best of its read-out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deepir.bench import Evaluation
from deepir.comparison import FIELDS, HEADS, comparison_json, comparison_table
from deepir.data import open_dataset
from deepir.metrics import paired_interval
from deepir.results import FIELDS as RESULT_FIELDS
from deepir.results import SEED
from deepir.scoring import Scorer
from deepir.structures import Detections, Sample

DATA = open_dataset("simulated")
FRAMES = 12


def run(name, quality, *, read_out="peak", frames=FRAMES):
    """Evaluation of a made-up detector that finds this share of the targets."""
    rng = np.random.default_rng(len(name))
    image = np.full((16, 16), 10)
    image[8, 8] = 90
    scorer = Scorer(0.5)
    for number in range(frames):
        x = 8 if number < quality * frames else 2
        scorer.update(Sample(image, [[7, 7, 10, 10]]), Detections([[x, 8]], [rng.random()]), None)
    return Evaluation(name, DATA, read_out, scorer, None)


RUNS = [
    run("poor", 0.3),
    run("best", 1.0),
    run("other rule", 0.4, read_out="published"),
    run("middling", 0.6),
    run("best of that", 0.7, read_out="published"),
]


@pytest.fixture(scope="module")
def comparison():
    return comparison_json(RUNS)


def test_runs_stand_best_first_within_a_read_out(comparison):
    assert [row["detector"] for row in comparison["runs"]] == [
        "best",
        "middling",
        "poor",
        "best of that",
        "other rule",
    ]


def test_the_best_of_a_read_out_has_no_difference(comparison):
    leaders = [row["detector"] for row in comparison["runs"] if row["difference_to_best"] is None]
    assert leaders == ["best", "best of that"]


def test_a_difference_is_the_paired_one_to_the_best_of_the_same_read_out(comparison):
    gaps = {row["detector"]: row["difference_to_best"] for row in comparison["runs"]}
    for worse, best in (("poor", "best"), ("other rule", "best of that")):
        hits = [next(r for r in RUNS if r.name == name).scorer.hits for name in (worse, best)]
        wanted = paired_interval(*hits, seed=SEED)
        assert gaps[worse] == {
            "difference": wanted.difference,
            "interval": [wanted.interval.low, wanted.interval.high],
            "p_value": wanted.p_value,
        }
        assert gaps[worse]["difference"] < 0


def test_the_order_of_the_runs_given_does_not_matter(comparison):
    def names(rows):
        return [(row["detector"], row["difference_to_best"]) for row in rows]

    assert names(comparison_json(RUNS[::-1])["runs"]) == names(comparison["runs"])


def test_the_comparison_is_strict_json_and_explains_its_fields(comparison):
    assert json.loads(json.dumps(comparison, allow_nan=False)) == comparison
    assert comparison["schema"]["version"] == 1
    fields = comparison["schema"]["fields"]
    assert set(fields) == set(FIELDS) | {f"runs[].{name}" for name in RESULT_FIELDS}


def test_every_field_of_a_run_is_explained(comparison):
    for row in comparison["runs"]:
        metrics = {f"metrics.{name}" for name in row["metrics"]}
        own = set(row) - {"schema", "metrics", "difference_to_best", "bootstrap"}
        assert own | metrics <= set(RESULT_FIELDS)


def test_the_table_has_a_row_a_run_and_dashes_for_what_is_unknown(comparison):
    table = comparison_table(comparison)
    assert table.heads == HEADS
    cells = [dict(zip(HEADS, row, strict=True)) for row in table.rows]
    assert [row["detector"] for row in cells] == [row["detector"] for row in comparison["runs"]]
    assert cells[0]["to best"] is cells[0]["95 % of that"] is cells[0]["ms"] is None
    assert cells[2]["to best"] == pytest.approx(-0.7, abs=0.1)
    assert cells[0]["95 % interval"] == "1.000 to 1.000"
    assert table.markdown().count("\n") == 2 + len(RUNS)


def test_a_measured_speed_stands_in_the_table(comparison):
    row = {**comparison["runs"][0], "speed": {"median_ms": 2.5, "frames_per_second": 399.0}}
    (cells,) = comparison_table({"runs": [row]}).rows
    assert cells[HEADS.index("ms") : HEADS.index("frames/s") + 1] == (2.5, 399.0)


def test_runs_over_other_frames_cannot_be_compared():
    with pytest.raises(ValueError, match="same frames"):
        comparison_json([run("one", 1.0), run("other", 0.5, frames=FRAMES - 1)])


def test_no_run_is_an_empty_comparison():
    assert comparison_json([])["runs"] == []
    assert comparison_table({"runs": []}).markdown().count("\n") == 2
