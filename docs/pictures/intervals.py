"""Why two detectors are compared by the paired bootstrap of their difference."""

from __future__ import annotations

import numpy as np
from pictures.axes import Axes, Axis
from pictures.panel import Panel
from pictures.simulated_run import FRAMES, run

from deepir.metrics.bootstrap import mnocoap_draws, percentile_interval

BETTER, WORSE = "mpcm", "max_median"
DRAWS = 1000


def draw() -> list[Panel]:
    """Draws of both detectors, and of their difference."""
    better, worse = (mnocoap_draws(run(name).noco, draws=DRAWS) for name in (BETTER, WORSE))
    apart = better - worse
    means = [run(name).noco.score().mean for name in (BETTER, WORSE)]
    singles = [percentile_interval(draws) for draws in (better, worse)]
    paired = percentile_interval(apart)
    assert singles[0].low < singles[1].high, "the picture is of intervals that overlap"
    assert paired.low > 0, "the picture is of a difference that is told from zero"

    said = [
        f"{name} {mean:.2f} ({single.low:.2f} to {single.high:.2f})"
        for name, mean, single in zip((BETTER, WORSE), means, singles, strict=True)
    ]
    alone = Panel(
        "Each detector: the intervals overlap",
        f"{DRAWS} draws of {FRAMES} simulated frames: {' and '.join(said)}.",
        345,
        240,
    )
    axes = _axes(alone, (0.1, 0.8), (0.2, 0.4, 0.6, 0.8), "mNoCoAP of a draw")
    for draws, words, style, at in (
        (better, said[0], "a", (0.31, 0.245)),
        (worse, said[1], "c", (0.31, 0.215)),
    ):
        _histogram(axes, draws, style)
        axes.name(words, style, at)
    words = f"{means[0] - means[1]:.2f} ({paired.low:.2f} to {paired.high:.2f})"
    difference = Panel(
        "Their difference, draw by draw: above zero", f"Difference {words}.", 345, 240
    )
    axes = _axes(difference, (-0.3, 0.4), (-0.2, 0, 0.2, 0.4), "difference in a draw")
    axes.line([0, 0], [0, 0.26], "rule")
    _histogram(axes, apart, "a")
    axes.name(words, "a", (0.03, 0.245))
    return [alone, difference]


def _axes(panel: Panel, ends: tuple[float, float], ticks: tuple[float, ...], label: str) -> Axes:
    return Axes(panel, Axis(*ends, ticks, label), Axis(0, 0.26, (0, 0.1, 0.2), "share of draws"))


def _histogram(axes: Axes, draws: np.ndarray, style: str) -> None:
    low, high = axes.across.low, axes.across.high
    counts, edges = np.histogram(draws, bins=35, range=(low, high))
    shares = counts / len(draws)
    axes.band(
        np.repeat(edges, 2)[1:-1], 0 * np.repeat(shares, 2), np.repeat(shares, 2), f"soft-{style}"
    )
    axes.line(np.repeat(edges, 2)[1:-1], np.repeat(shares, 2), style)
