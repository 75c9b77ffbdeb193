"""What a threshold buys and costs: the shipped detector on simulated frames.

Budgets were measured on scores without the scene's say, so these are drawn. The engine is named:
OpenVINO in bfloat16, where it is installed, counts one false alarm more or less.
"""

from __future__ import annotations

import numpy as np
from pictures.axes import Axes, Axis
from pictures.panel import Panel
from pictures.simulated_run import FRAMES, Run, run

from deepir.catalogue import load_detector

NAME = "oscar_nano"
ENGINE = "onnxruntime"
BUDGETS = (0.1, 0.5, 1.0)
NEAR = 0.05
"""False objects a frame by which these frames may miss a budget of other frames."""


def draw() -> list[Panel]:
    """Scores of hits and of false alarms, and Pd against false objects with three thresholds."""
    found = run(NAME, scene="off", engine=ENGINE)
    scores, hit = found.points.columns()
    heap = Panel(
        "Scores of candidates",
        f"{hit.sum()} hits and {(~hit).sum()} false alarms by their score; a line at the operating"
        f" threshold {found.operating:g}.",
        345,
        270,
    )
    edges = np.geomspace(0.02, 1, 22)
    heaps = [np.histogram(scores[part], edges)[0] for part in (~hit, hit)]
    top = 10 * int(np.ceil(1.05 * max(counts.max() for counts in heaps) / 10))
    axes = Axes(
        heap,
        Axis(0.02, 1, (0.02, 0.05, 0.1, 0.2, 0.5, 1), "score", log=True),
        Axis(0, top, range(0, top + 1, 10), "candidates"),
    )
    for counts, style in zip(heaps, ("false", "hit"), strict=True):
        axes.band(
            np.repeat(edges, 2)[1:-1],
            0 * np.repeat(counts, 2),
            np.repeat(counts, 2),
            f"soft-{style}",
        )
        axes.line(np.repeat(edges, 2)[1:-1], np.repeat(counts, 2), style)
    axes.line([found.operating] * 2, [0, top], "rule dashed")
    axes.name("false alarms", "false", (0.023, 0.94 * top))
    axes.name("hits", "hit", (0.55, 0.75 * top))
    return [heap, _curve(found)]


def _curve(found: Run) -> Panel:
    calibration = load_detector(NAME, engine=ENGINE).calibration
    assert calibration is not None
    steps = found.points.steps()
    panel = Panel("Pd by false objects a frame", "", 345, 270)
    ticks = (0, 0.2, 0.4, 0.6, 0.8, 1)
    axes = Axes(
        panel,
        Axis(0.01, 10, (0.01, 0.1, 1, 10), "false objects a frame", log=True),
        Axis(0, 1.05, ticks, "Pd"),
    )
    axes.steps(np.maximum(steps.false_objects_per_frame, 0.01), steps.pd, "a")
    said: list[str] = []
    for budget in BUDGETS:
        threshold = calibration.threshold_for(budget)
        point = found.points.at(threshold)
        false = point.false_objects_per_frame
        assert abs(false - budget) < NEAR, "the caption says that the budgets are nearly met"
        x, y = axes.at(max(false, 0.01), point.pd)
        panel.dot((x, y), "a", 5)
        panel.text((x + 9, y + 15), f"budget {budget:g}: threshold {threshold:.2f}", "name a")
        said.append(f"budget {budget:g}: {false:.2f} false objects a frame, Pd {point.pd:.2f}")
    panel.says = f"{NAME} on {FRAMES} simulated frames. " + "; ".join(said)
    return panel
