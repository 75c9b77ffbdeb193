"""Name and thresholds stored beside the weights come back as they were."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepir.card import Card, read_card
from deepir.clutter_level import ClutterLevel
from deepir.errors import DeepirError

CARD = Card("oscar_nano", 0.02, 0.31, {"score": [0.1, 0.9], "pd": [0.5, 1.0]})
units = st.floats(0, 1)
json_objects = st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False))


@given(st.text(min_size=1), units, units, st.none() | json_objects)
def test_reading_gives_back_what_was_written(name, one, other, calibration):
    card = Card(name, min(one, other), max(one, other), calibration)
    assert read_card(card.properties(), "x") == card


def test_properties_are_strings():
    stored = CARD.properties()
    assert all(isinstance(value, str) for value in stored.values())
    assert stored["deepir"] == "1"
    assert json.loads(stored["calibration"]) == CARD.calibration
    assert "calibration" not in replace(CARD, calibration=None).properties()


def test_the_clutter_level_travels_too():
    card = replace(CARD, clutter=ClutterLevel(20, 0.4, 0.01))
    assert read_card(card.properties(), "x") == card
    with pytest.raises(DeepirError, match="clutter level"):
        read_card({**card.properties(), "clutter": "{}"}, "x")


def test_foreign_properties_are_left_alone():
    assert read_card({**CARD.properties(), "author": "somebody"}, "x") == CARD


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"deepir": None}, "x.onnx holds no network of deepir.*'deepir' is wanted"),
        ({"deepir": "2"}, "format '2', this deepir reads '1'"),
        ({"name": None}, "lacks the property 'name'"),
        ({"name": ""}, "needs a name"),
        ({"candidate_threshold": None}, "lacks the property 'candidate_threshold'"),
        ({"operating_threshold": "high"}, "x.onnx do not fit.*'high'"),
        ({"operating_threshold": "nan"}, "got 0.02 and nan"),
        ({"operating_threshold": "0.01"}, "got 0.02 and 0.01"),
        ({"operating_threshold": "1.5"}, "got 0.02 and 1.5"),
        ({"candidate_threshold": "-1"}, "got -1 and 0.31"),
        ({"calibration": "{"}, "x.onnx do not fit"),
        ({"calibration": "[1]"}, r"a JSON object, got '\[1\]'"),
        ({"calibration": '{"a":' * 100_000}, "one nested too deep"),
        ({"calibration": '{"a": NaN}'}, "holds 'NaN', finite numbers are wanted"),
        ({"calibration": '{"a": -1e999}'}, "holds '-1e999', finite numbers are wanted"),
        ({"calibration": f'{{"a": {"9" * 5000}}}'}, "x.onnx do not fit"),
        ({"calibration": '{"a": 1, "b": 2, "a": 3}'}, "holds 'a' twice"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_value(change, message):
    stored = {**CARD.properties(), **change}
    kept = {key: value for key, value in stored.items() if value is not None}
    with pytest.raises(DeepirError, match=message) as caught:
        read_card(kept, "x.onnx")
    assert len(str(caught.value)) < 300
