"""Hits and false alarms of mNoCoAP, one by one, on a tiny frame."""

from __future__ import annotations

import numpy as np
from pictures.axes import Axes, Axis
from pictures.panel import Panel, Pixels, Rows, greys

from deepir.metrics import noco_ap
from deepir.metrics.noco_ap import match_points
from deepir.noco import noco_map
from deepir.simulate import Target, plant, simulate_scene

ZOOM = 14
SHOWN = (8, 10, 36, 32)  # x0 y0 x1 y1 of the part of the frame that is drawn
LEVELS = (0.5, 0.9)


def draw() -> list[Panel | Rows]:
    """The frame with its detections, what becomes of each, and the curves."""
    image = simulate_scene(seed=3, shape=(48, 48), clutter="cloud", targets=0, bits=14).image
    one = plant(image, Target(14, 17, scr=9, sigma=1.0))
    two = plant(one.image, Target(27.2, 24, scr=9, sigma=1.0, size=3), boxes=[one.box])
    frame, boxes = two.image, np.array([one.box, two.box])
    noco = noco_map(frame, boxes)
    found = np.array(
        [(14, 17, 0.9), (20, 14, 0.8), (15, 17, 0.7), (28, 25, 0.6), (27, 24, 0.5)], dtype=float
    )
    value, earlier = match_points(found[:, :2], noco, boxes)
    hit = {level: (earlier <= level) & (level < value) for level in LEVELS}
    assert hit[0.5].tolist() == [True, False, False, True, False]
    assert hit[0.9].tolist() == [True, False, False, False, True]
    score = noco_ap([found], [noco], [boxes], thresholds=LEVELS)
    return [
        _frame(frame, boxes, found, hit[0.5]),
        _table(found, value, hit),
        *(_curve(level, hit[level], score.by_threshold[level]) for level in LEVELS),
    ]


def _frame(frame: np.ndarray, boxes: np.ndarray, found: np.ndarray, hit: np.ndarray) -> Panel:
    left, top, right, bottom = SHOWN
    panel = Panel(
        "Two targets, five detections",
        "Detections are numbered by falling score; circles are hits at 0.5, crosses false alarms.",
        (right - left) * ZOOM,
        (bottom - top) * ZOOM,
    )
    pixels = Pixels(panel, ZOOM, x=left, y=top)
    part = frame[top:bottom, left:right]
    pixels.fill(greys(part, None, float(np.percentile(part, 99))))
    for box in boxes.tolist():
        pixels.box(box, "mark")
    sides = (-1, 1, 1, 1, -1)
    for rank, ((x, y, _), good, side) in enumerate(zip(found.tolist(), hit, sides, strict=True)):
        place = pixels.middle(x, y)
        if good:
            panel.circle(place, 6, "hit")
        else:
            panel.cross(place, "false")
        at = (place[0] + side * 2.3 * ZOOM, place[1] + 5)
        panel.text(at, str(rank + 1), "number", "middle")
    return panel


def _curve(level: float, hit: np.ndarray, area: float) -> Panel:
    """Precision over recall, and the envelope whose area is AP."""
    found = np.cumsum(hit)
    precision, recall = found / np.arange(1, len(hit) + 1), found / 2
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    panel = Panel(
        f"NoCo threshold {level}: AP {area:.3f}",
        f"Precision {', '.join(f'{p:.2f}' for p in precision)} at recall"
        f" {', '.join(f'{r:.1f}' for r in recall)}; the area below the envelope is {area:.3f}.",
        345,
        230,
    )
    ticks = (0, 0.5, 1)
    axes = Axes(panel, Axis(0, 1.05, ticks, "recall"), Axis(0, 1.1, ticks, "precision"))
    edges = np.concatenate([[0.0], recall[hit]])
    heights = envelope[hit]
    for low, high, height in zip(edges[:-1], edges[1:], heights, strict=True):
        panel.area(
            [axes.at(x, y) for x, y in [(low, 0), (low, height), (high, height), (high, 0)]],
            "soft-a",
        )
    axes.line(recall, precision, "b")
    axes.line(np.repeat(edges, 2)[1:-1], np.repeat(heights, 2), "a")
    for rank, (x, y, good) in enumerate(zip(recall, precision, hit, strict=True)):
        place = axes.at(x, y)
        panel.dot(place, "hit" if good else "false")
        panel.text((place[0] + 8, place[1] + 4), str(rank + 1), "label")
    return panel


def _table(found: np.ndarray, value: np.ndarray, hit: dict[float, np.ndarray]) -> Rows:
    why = {
        1: ("in no box",) * 2,
        2: ("its box is covered by 1",) * 2,
        4: ("its box is covered by 4", ""),
    }
    rows = []
    for rank, (x, y, score) in enumerate(found.tolist()):
        cells = [str(rank + 1), f"{score:g}", f"({x:g}, {y:g})"]
        cells.append("-" if value[rank] == -np.inf else f"{value[rank]:.2f}")
        for number, level in enumerate(LEVELS):
            if hit[level][rank]:
                cells.append("hit")
            else:
                cells.append(f"false: {why.get(rank, ('', 'NoCo too low'))[number]}")
        rows.append(cells)
    heads = ["", "score", "point", "NoCo there", *(f"at threshold {level}" for level in LEVELS)]
    return Rows(heads, rows)
