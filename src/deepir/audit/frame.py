"""One frame: do its image, boxes and mask agree?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepir.audit.facts import Seen
from deepir.audit.findings import Finding
from deepir.boxes import centres, components, intersection_over_union
from deepir.structures import Boxes, Mask

Box = NDArray[np.float64]


def frame_findings(seen: Seen, split: str, sample_id: str) -> list[Finding]:
    """All that is wrong with one frame, in the order of `Kind`."""
    found = [*seen.problems, *_size_findings(seen), *_box_findings(seen), *_mask_findings(seen)]
    return [replace(one, split=split, id=sample_id) for one in found]


def count_targets(seen: Seen) -> int:
    """Targets of one frame: its boxes, or where it has none to read those of its mask."""
    if seen.boxes is not None:
        return len(seen.boxes)
    return 0 if seen.mask is None else len(target_bounds(seen.mask))


def _size_findings(seen: Seen) -> list[Finding]:
    if seen.image is None:
        return []
    size = seen.image.shape[::-1]
    said = {seen.boxes_file: seen.said}
    if seen.mask is not None:
        said[seen.mask_file] = (seen.mask.shape[1], seen.mask.shape[0])
    return [
        Finding(
            "size mismatch", file, f"{one[0]}x{one[1]} pixels, its image has {size[0]}x{size[1]}"
        )
        for file, one in said.items()
        if one is not None and one != size
    ]


def _box_findings(seen: Seen) -> list[Finding]:
    """Boxes without an inside, and those that leave the frame."""
    if seen.boxes is None:
        return []
    size = seen.said if seen.image is None else (seen.image.shape[1], seen.image.shape[0])
    found = []
    for box in seen.boxes:
        if _is_empty(box):
            found.append(Finding("empty box", seen.boxes_file, f"box {_shown(box)} has no inside"))
        elif size is not None and _leaves(box, size):
            reason = f"box {_shown(box)} leaves its frame of {size[0]}x{size[1]} pixels"
            found.append(Finding("box outside", seen.boxes_file, reason))
    return found


def _mask_findings(seen: Seen) -> list[Finding]:
    """Boxes that are not the bounds of a target in the mask, and targets without a box."""
    if seen.boxes is None or seen.mask is None:
        return []
    if seen.image is not None and seen.mask.shape != seen.image.shape:
        return []
    boxes = np.array([box for box in seen.boxes if not _is_empty(box)]).reshape(-1, 4)
    targets = target_bounds(seen.mask)
    alone, left = unmatched(boxes, targets)
    found = []
    for box in alone:
        reason = "which has no other target"
        if len(left):
            nearest = _nearest(box, left)
            reason = f"which has a target with the bounds {_shown(left[nearest])}"
            left = np.delete(left, nearest, axis=0)
        reason = f"box {_shown(box)} does not match the mask, {reason}"
        found.append(Finding("box and mask", seen.boxes_file, reason))
    for bounds in left:
        reason = f"the target with the bounds {_shown(bounds)} has no box"
        found.append(Finding("box and mask", seen.mask_file, reason))
    return found


def _nearest(box: Box, targets: Boxes) -> int:
    """Number of the bounds that are likely meant: those that overlap most, else the nearest."""
    overlap = intersection_over_union([box], targets)[0]
    distance = np.linalg.norm(centres(targets) - centres([box]), axis=1)
    return int(np.lexsort((distance, -overlap))[0])


def target_bounds(mask: Mask) -> Boxes:
    """Bounds (N, 4) of the 8-connected components of a mask; only where it is set is looked at.

    >>> mask = np.zeros((9, 9), bool); mask[2:4, 5:8] = True
    >>> target_bounds(mask).tolist()
    [[5.0, 2.0, 8.0, 4.0]]
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((0, 4), dtype=np.float32)
    top, left = int(rows[0]), int(columns[0])
    part = components(mask[top : rows[-1] + 1, left : columns[-1] + 1])
    return part.boxes + np.array([left, top, left, top], dtype=np.float32)


def unmatched(boxes: Box, targets: Boxes) -> tuple[Box, Boxes]:
    """Boxes (N, 4) and bounds (M, 4) that have no partner.

    Partners differ by less than a pixel on every side, so boxes of whole pixels by nothing.
    """
    free = np.ones(len(targets), dtype=bool)
    alone = []
    for box in boxes:
        fits = free & (np.abs(targets - box) < 1).all(axis=1)
        if fits.any():
            free[int(fits.argmax())] = False
        else:
            alone.append(box)
    return np.array(alone).reshape(-1, 4), targets[free]


def _is_empty(box: Box) -> bool:
    return bool(box[2] <= box[0] or box[3] <= box[1])


def _leaves(box: Box, size: tuple[int, int]) -> bool:
    return bool((box[:2] < 0).any() or box[2] > size[0] or box[3] > size[1])


def _shown(box: NDArray[np.floating]) -> str:
    """Corners of a box.

    >>> _shown(np.array([1.0, 2.5, 3.0, 4.0]))
    '(1, 2.5, 3, 4)'
    """
    return f"({', '.join(f'{side:g}' for side in box)})"
