"""A ROC over pixels that looks perfect, and Pd against false objects of the same detectors."""

from __future__ import annotations

import numpy as np
from pictures.axes import Axes, Axis
from pictures.panel import Panel
from pictures.simulated_run import FRAMES, Run, run

FILTERS = {"mpcm": "a", "max_mean": "c", "top_hat": "b"}


def draw() -> list[Panel]:
    """Both curves of three filters on simulated frames."""
    ticks = (0, 0.2, 0.4, 0.6, 0.8, 1)
    pixels = Panel("Pixels: ROC", "", 345, 270)
    objects = Panel("Objects: Pd by false objects a frame", "", 345, 270)
    left = Axes(
        pixels,
        Axis(0, 1, ticks, "share of other pixels"),
        Axis(0, 1.02, ticks, "share of target pixels"),
    )
    right = Axes(
        objects,
        Axis(0.02, 20, (0.1, 1, 10), "false objects a frame", log=True),
        Axis(0, 1.02, ticks, "Pd"),
    )
    said: list[list[str]] = [[], []]
    for number, (name, style) in enumerate(FILTERS.items()):
        found = run(name)
        roc, steps = found.roc, found.points.steps()
        assert roc is not None
        assert roc.auc > 0.98, "the caption says that they look perfect"
        left.line([0, *roc.false_alarm[::-1], 1], [0, *roc.recall[::-1], 1], style)
        left.name(f"{name}, AUC {roc.auc:.3f}", style, (0.4, 0.5 - 0.09 * number))
        right.steps(np.maximum(steps.false_objects_per_frame, 0.02), steps.pd, style)
        budget = _pd(found)
        right.name(f"{name}, {budget:.2f} at 1", style, (0.025, 0.94 - 0.09 * number))
        said[0].append(f"{name}: AUC {roc.auc:.3f}")
        said[1].append(f"{name}: Pd {budget:.2f} at one false object a frame")
    by_pixels, by_objects = (
        sorted(FILTERS, key=lambda name: score(run(name))) for score in (_auc, _pd)
    )
    assert by_pixels != by_objects, "the caption says that the two orders differ"
    pixels.says, objects.says = (f"{FRAMES} simulated frames. {'; '.join(one)}." for one in said)
    return [pixels, objects]


def _auc(found: Run) -> float:
    return 0.0 if found.roc is None else found.roc.auc


def _pd(found: Run) -> float:
    return found.points.pd_at(1)
