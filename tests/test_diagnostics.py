"""What filters tell of their way is counted, and told where a limit ended it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from deepir.diagnostics import limits_hit, limits_line, plain_values, summary

FRAMES = {
    "a": {"stop": "tolerance", "iterations": 10, "residual": 0.5},
    "b": {"stop": "max_iter", "iterations": 100, "residual": math.nan},
    "c": {"stop": "tolerance", "iterations": 30},
    "d": {"stop": "time_limit", "iterations": 20},
}


def test_words_are_counted_and_numbers_have_a_range():
    told = summary(FRAMES)
    assert told["frames"] == 4
    assert told["words"] == {"stop": {"tolerance": 2, "max_iter": 1, "time_limit": 1}}
    assert told["numbers"]["iterations"] == {"median": 25.0, "lowest": 10, "highest": 100}
    assert told["numbers"]["residual"] == {"median": 0.5, "lowest": 0.5, "highest": 0.5}
    assert told["at_a_limit"] == {"max_iter": 1, "time_limit": 1}


def test_nothing_told_is_no_summary():
    assert summary({}) is None
    assert limits_hit({}) == {}
    assert limits_line("ipi", {}, 5) is None


def test_limits_are_one_line():
    line = limits_line("ipi", FRAMES, 7)
    assert "max_iter ended 1 and time_limit ended 1 of 7 frames" in line
    assert "\n" not in line
    assert limits_line("ipi", {"a": FRAMES["a"]}, 1) is None


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (True, 1),
        ("word", "word"),
        (math.nan, None),
        (np.float64("inf"), None),
    ],
)
def test_plain_values_are_strict_json(value, wanted):
    (found,) = plain_values({"name": value}).values()
    assert found == wanted
    assert json.loads(json.dumps(found, allow_nan=False)) == wanted
