"""Hybrid IoU: overlap first, distance compensates, and where the rest is lost."""

from __future__ import annotations

from dataclasses import asdict

from pictures.masks import mask_of, overlaid
from pictures.panel import Panel, Rows

from deepir.metrics import hybrid_counts, hybrid_scores

ZOOM = 14
SHAPE = (20, 34)

MEANS = {
    "seg_iou": "mean IoU of the kept pairs",
    "seg_merge_error": "claimed pixels of another target",
    "seg_interference_error": "claimed pixels of no target",
    "seg_perception_error": "missed pixels of the pair's target",
    "loc_iou": "kept pairs among all components",
    "loc_interference_error": "P that could match nothing",
    "loc_perception_error": "T that could match nothing",
    "loc_many_to_one_error": "P left over at a target",
    "loc_one_to_many_error": "T left over at a P",
}


def draw() -> list[Panel | Rows]:
    """A pair by overlap, one by distance, a leftover, a false alarm, a miss."""
    truth = mask_of(SHAPE, (3, 3, 8, 7), (17, 3, 19, 5), (26, 13, 30, 16))
    found = mask_of(SHAPE, (4, 3, 9, 7), (19, 4, 21, 6), (5, 14, 8, 16), (16, 5, 17, 6))
    panel, pixels, predicted, wanted = overlaid(
        "Targets (T) and predicted components (P)", "", found, truth, ZOOM
    )
    for number, box in enumerate(wanted.boxes.tolist(), start=1):
        at = pixels.at(box[0], box[1])
        panel.text((at[0], at[1] - 5), f"T{number}", "name b")
    for number, box in enumerate(predicted.boxes.tolist(), start=1):
        at = pixels.at(box[2], box[3])
        panel.text((at[0] + 3, at[1] + 14), f"P{number}", "name false")
    counts = hybrid_counts(found, truth)
    assert (counts.hits, counts.false, counts.missed) == (2, 2, 1)
    scores = asdict(hybrid_scores(counts))
    rows = [[name, meaning, f"{scores[name]:.3f}"] for name, meaning in MEANS.items()]
    rows.append(["hiou", "seg_iou times loc_iou", f"{scores['hiou']:.3f}"])
    panel.says = "; ".join(f"{meaning} {value}" for _, meaning, value in rows)
    return [panel, Rows(["score", "what it is", ""], rows)]
