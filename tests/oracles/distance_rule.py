"""Pd and Fa of the distance rule, component by component."""

from __future__ import annotations

from oracles.blobs import blobs, distance


def distance_counts(predicted, truth):
    """Return (hits, targets, false pixels, pixels) of one frame."""
    found, wanted = blobs(predicted), blobs(truth)
    used = set()
    for target in wanted:
        for index, blob in enumerate(found):
            if index not in used and distance(target, blob) < 3:
                used.add(index)
                break
    false_pixels = sum(len(blob) for index, blob in enumerate(found) if index not in used)
    return len(used), len(wanted), false_pixels, truth.size
