"""Hybrid IoU of a set of frames, pair by pair; SciPy only solves the assignment."""

from __future__ import annotations

from collections import Counter

from oracles.blobs import blobs, distance
from scipy.optimize import linear_sum_assignment


def overlap(a, b):
    """Pixel IoU of two components."""
    return len(a & b) / len(a | b)


def nearest_pairs(wanted, found):
    """Assignment of least total distance between two lists of (index, component)."""
    if not wanted or not found:
        return []
    rows, columns = linear_sum_assignment([[distance(g, p) for _, p in found] for _, g in wanted])
    return [(wanted[row], found[column]) for row, column in zip(rows, columns, strict=True)]


def matched(wanted, found):
    """Kept pairs (g, p) of indices: overlap first, then distance among those left."""
    kept = []
    listed = list(enumerate(wanted)), list(enumerate(found))
    if any(overlap(g, p) >= 0.5 for g in wanted for p in found):
        kept = [(i, j) for (i, g), (j, p) in nearest_pairs(*listed) if overlap(g, p) >= 0.5]
    left_g = [(i, g) for i, g in listed[0] if i not in {pair[0] for pair in kept}]
    left_p = [(j, p) for j, p in listed[1] if j not in {pair[1] for pair in kept}]
    return kept + [(i, j) for (i, g), (j, p) in nearest_pairs(left_g, left_p) if distance(g, p) < 3]


def frame_sums(predicted, truth):
    """Everything that is summed over frames, by name."""
    wanted, found = blobs(truth), blobs(predicted)
    pairs = matched(wanted, found)
    sums = Counter(tp=len(pairs), fp=len(found) - len(pairs), fn=len(wanted) - len(pairs))
    for i, j in pairs:
        g, p = wanted[i], found[j]
        others = set().union(*(one for k, one in enumerate(wanted) if k != i))
        sums["seg"] += len(g & p) / len(g | p)
        sums["merge"] += len(p & others) / len(g | p)
        sums["interference"] += len(p - g - others) / len(g | p)
        sums["perception"] += len(g - p) / len(g | p)

    def could(a, b):
        return overlap(a, b) >= 0.5 or distance(a, b) < 3

    sums["lone_p"] = sum(not any(could(g, p) for g in wanted) for p in found)
    sums["lone_g"] = sum(not any(could(g, p) for p in found) for g in wanted)
    used = {j for _, j in pairs}
    sums["false_pixels"] = sum(len(p) for j, p in enumerate(found) if j not in used)
    sums["pixels"] = truth.size
    return sums


def hybrid_scores(predicted, truth):
    """All figures of a set by the names of `deepir.metrics.HybridScores`."""
    sums = Counter()
    for frame in zip(predicted, truth, strict=True):
        sums.update(frame_sums(*frame))
    tp, fp, fn = sums["tp"], sums["fp"], sums["fn"]
    objects = tp + fp + fn
    seg = sums["seg"] / tp if tp else 0.0
    loc = tp / objects if objects else 0.0
    return {
        "hiou": seg * loc,
        "pd": tp / (tp + fn) if tp + fn else 0.0,
        "fa": sums["false_pixels"] / sums["pixels"],
        "seg_iou": seg,
        "seg_merge_error": sums["merge"] / tp if tp else 0.0,
        "seg_interference_error": sums["interference"] / tp if tp else 0.0,
        "seg_perception_error": sums["perception"] / tp if tp else 0.0,
        "loc_iou": loc,
        "loc_one_to_many_error": (fn - sums["lone_g"]) / objects if objects else 0.0,
        "loc_many_to_one_error": (fp - sums["lone_p"]) / objects if objects else 0.0,
        "loc_interference_error": sums["lone_p"] / objects if objects else 0.0,
        "loc_perception_error": sums["lone_g"] / objects if objects else 0.0,
    }
