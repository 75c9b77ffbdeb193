"""Detectors are found by name, and what does not fit is said with the nearest that does."""

from __future__ import annotations

import numpy as np
import pytest

from deepir import classical
from deepir.catalogue import CATALOGUE, COMMON_OPTIONS, find_name, is_ready, load_detector
from deepir.errors import UsageError
from deepir.readout import PUBLISHED_LEVEL

NAMES = sorted(CATALOGUE)
READY = sorted(filter(is_ready, CATALOGUE))
FILTERS = sorted(classical.CATALOGUE)


@pytest.mark.parametrize("name", READY)
def test_a_detector_knows_its_name(name):
    assert load_detector(name).name == name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "spell",
    [str.upper, str.title, lambda n: n.replace("_", "-"), lambda n: n.replace("_", "")],
    ids=["upper", "title", "dash", "joined"],
)
def test_spelling_is_forgiven(name, spell):
    assert find_name(spell(name)) == name


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mpmc", {}, "'mpmc': did you mean 'mpcm'.*top_hat"),
        ("", {}, "unknown detector ''.*lcm"),
        ("lcm", {"cels": (3,)}, "'cels': did you mean 'cells'"),
        ("lcm", {"size": 5}, "option of 'lcm' 'size'.*top_k"),
        ("lcm", {"weights": "a.onnx"}, "option of 'lcm' 'weights'"),
        ("oscar_nano", {"mode": "reference"}, "option of 'oscar_nano' 'mode'.*engine.*weights"),
        ("oscar_nano", {"engine": "onnxrt"}, "'onnxrt': did you mean 'onnxruntime'"),
        ("lcm", {"mode": "refrence"}, "'refrence': did you mean 'reference'"),
        ("lcm", {"read_out": "peek"}, "'peek': did you mean 'peak'"),
        ("lcm", {"top_k": 0}, "at least 1, got 0"),
        ("lcm", {"top_k": 2.5}, "whole number.*got 2.5"),
        ("lcm", {"threshold": float("nan")}, "finite number, got nan"),
        ("lcm", {"threshold": "5"}, "finite number, got '5'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_value(name, options, message):
    with pytest.raises(UsageError, match=message):
        load_detector(name, **options)


@pytest.mark.parametrize(
    ("name", "options", "shown"),
    [
        ("lcm", {"cells": (4,)}, "4"),
        ("mpcm", {"cells": (3, -5)}, "-5"),
        ("lcm", {"border": "mirror"}, "'mirror'"),
        ("mpcm", {"polarity": "brigth"}, "'brigth': did you mean 'bright'"),
        ("top_hat", {"size": 4}, "4"),
        ("max_mean", {"length": 1}, "1"),
        ("max_median", {"length": 2}, "2"),
    ],
)
def test_a_bad_window_is_refused_at_the_latest_with_the_first_frame(name, options, shown):
    with pytest.raises(ValueError, match=shown):
        load_detector(name, **options).detect(np.zeros((9, 9)))


@pytest.mark.parametrize(
    ("name", "options", "shown"),
    [
        ("lcm", {"cells": ()}, r"\(\)"),
        ("top_hat", {"size": 0}, "0"),
        ("max_mean", {"length": 0}, "0"),
        ("max_median", {"length": 0}, "0"),
    ],
)
def test_an_empty_window_is_refused(name, options, shown):
    with pytest.raises(ValueError, match=shown):
        load_detector(name, **options).detect(np.zeros((9, 9)))


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("read_out", ["peak", "published"])
def test_common_options_reach_the_detector(name, read_out):
    detector = load_detector(name, read_out=read_out, threshold=3.5, top_k=4)
    assert set(COMMON_OPTIONS) == {"read_out", "threshold", "top_k"}
    assert (detector.read_out, detector.cut, detector.top_k) == (read_out, 3.5, 4)
    assert detector.family == ("classical" if name in FILTERS else "network")


@pytest.mark.parametrize("name", FILTERS)
def test_thresholds_belong_to_the_read_out(name):
    peak, published = (load_detector(name, read_out=kind) for kind in ("peak", "published"))
    assert 0 < peak.floor < peak.operating == peak.cut
    assert published.floor == published.operating == published.cut == PUBLISHED_LEVEL
