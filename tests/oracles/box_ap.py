"""Box AP as PASCAL VOC's development kit words it: loops over detections and thresholds."""

from __future__ import annotations


def overlap(a, b):
    """IoU of two boxes x0 y0 x1 y1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(areas) - width * height)


def box_ap(found, scores, boxes, iou):
    """AP of frames: lists of boxes, scores and true boxes a frame."""
    ranked = [
        (-score, frame, place)
        for frame, values in enumerate(scores)
        for place, score in enumerate(values)
    ]
    taken = [[False] * len(truth) for truth in boxes]
    hits = []
    for _, frame, place in sorted(ranked, key=lambda row: row[0]):
        best, which = -1.0, None
        for index, truth in enumerate(boxes[frame]):
            value = overlap(found[frame][place], truth)
            if value > best:
                best, which = value, index
        right = which is not None and best >= iou and not taken[frame][which]
        if right:
            taken[frame][which] = True
        hits.append(right)
    targets = sum(map(len, boxes))
    if not targets:
        return 0.0
    precisions, recalls, right = [], [], 0
    for rank, hit in enumerate(hits, start=1):
        right += hit
        precisions.append(right / rank)
        recalls.append(right / targets)
    area, before = 0.0, 0.0
    for rank, recall in enumerate(recalls):
        area += (recall - before) * max(precisions[rank:])
        before = recall
    return area
