"""Pd and Fa by the distance of centroids, and what counting by area makes of it."""

from __future__ import annotations

from pictures.masks import mask_of, overlaid
from pictures.panel import Panel, Rows

from deepir.metrics.target import RADIUS_PX, centroid_distances, distance_counts

ZOOM = 14
SHAPE = (20, 34)


def draw() -> list[Panel | Rows]:
    """Three targets, four predicted components."""
    truth = mask_of(SHAPE, (4, 4, 7, 7), (18, 3, 22, 6), (10, 13, 12, 15))
    found = mask_of(SHAPE, (5, 5, 8, 8), (22, 4, 24, 6), (27, 12, 30, 15), (11, 14, 13, 16))
    panel, pixels, predicted, wanted = overlaid(
        "Targets (T) and predicted components (P)",
        "",
        found,
        truth,
        ZOOM,
    )
    for number, (x, y) in enumerate(wanted.centroids.tolist(), start=1):
        panel.circle(pixels.middle(x, y), RADIUS_PX * ZOOM, "b")
        panel.dot(pixels.middle(x, y), "b", 3)
        panel.text(_above(pixels.middle(x, y - RADIUS_PX)), f"T{number}", "name b", "middle")
    apart = centroid_distances(wanted, predicted)
    rows, taken = [], []
    for number, distances in enumerate(apart, start=1):
        near = int(distances.argmin())
        hit = bool(distances[near] < RADIUS_PX)
        taken += [near] if hit else []
        rows.append(
            [f"T{number}", f"P{near + 1}, {distances[near]:.2f} px", "hit" if hit else "missed"]
        )
    for number, (x, y) in enumerate(predicted.centroids.tolist(), start=1):
        panel.cross(pixels.middle(x, y), "false", 4)
        right = predicted.boxes[number - 1][2] - 0.5
        panel.text(
            (pixels.middle(right, y)[0] + 8, pixels.middle(0, y)[1] + 14),
            f"P{number}",
            "name false",
        )
    assert f"{apart[0, 0]:.2f}" == "3.04", "the caption says how far P1 is off"
    counts = distance_counts(found, truth)
    free = [k for k in range(len(predicted)) if k not in taken]
    areas = predicted.areas
    assert counts.false_pixels == sum(int(areas[k]) for k in free)
    by_area = [int(area) for area in areas if area not in areas[taken]]
    names = " and ".join(f"P{k + 1} ({areas[k]} pixels)" for k in free)
    matched = ", ".join(f"P{k + 1} ({areas[k]})" for k in sorted(taken))
    rows += [
        ["Pd", f"{counts.hits} of {counts.targets}", f"{counts.pd:.3f}"],
        ["Fa", f"{names} of {counts.pixels} pixels", f"{counts.fa * 1e6:,.0f} · 10⁻⁶"],
        [
            "Fa by area value",
            f"matched areas: {matched}; an unmatched component of an equal area vanishes",
            f"{sum(by_area) / counts.pixels * 1e6:,.0f} · 10⁻⁶",
        ],
    ]
    panel.says = "; ".join(" ".join(row) for row in rows)
    return [panel, Rows(["", "nearest centroid", ""], rows)]


def _above(at: tuple[float, float]) -> tuple[float, float]:
    return at[0], at[1] - 4
