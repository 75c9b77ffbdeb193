"""ROC of pixels, one pixel and one threshold at a time; AUC as a chance, pair by pair."""

from __future__ import annotations

from oracles.distance_rule import distance_counts


def pixels(maps, masks):
    """Value of every pixel on target, and of every other one."""
    listed = [
        pair
        for values, mask in zip(maps, masks, strict=True)
        for pair in zip(values.ravel().tolist(), mask.ravel().tolist(), strict=True)
    ]
    return [value for value, on in listed if on], [value for value, on in listed if not on]


def share_above(values, threshold):
    """Share of the values that exceed a threshold; 0.0 of none."""
    return sum(value > threshold for value in values) / len(values) if values else 0.0


def auc(maps, masks, thresholds):
    """Chance that a target pixel exceeds more thresholds than another, equal ones by half."""
    ranks = [[sum(value > t for t in thresholds) for value in part] for part in pixels(maps, masks)]
    pairs = [(a > b) + (a == b) / 2 for a in ranks[0] for b in ranks[1]]
    return sum(pairs) / len(pairs) if pairs else 0.0


def pd_fa(maps, masks, threshold):
    """Hits, targets, false pixels and pixels of the distance rule at one threshold."""
    frames = [
        distance_counts(values > threshold, mask) for values, mask in zip(maps, masks, strict=True)
    ]
    return tuple(sum(column) for column in zip(*frames, strict=True)) or (0, 0, 0, 0)
