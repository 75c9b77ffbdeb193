"""Scores of detections and maps against the truth; none knows a dataset or a detector."""

from deepir.metrics.bootstrap import Interval, paired_interval, resample
from deepir.metrics.hybrid import HybridCounts, HybridScores, hybrid_counts, hybrid_iou
from deepir.metrics.noco_ap import THRESHOLDS, NocoAP, NocoHits, match_points, noco_ap, noco_hits
from deepir.metrics.pixel import PixelCounts, pixel_counts, pixel_scores
from deepir.metrics.target import (
    DistanceCounts,
    PointCurve,
    distance_counts,
    pd_fa,
    point_hits,
)

__all__ = [
    "THRESHOLDS",
    "DistanceCounts",
    "HybridCounts",
    "HybridScores",
    "Interval",
    "NocoAP",
    "NocoHits",
    "PixelCounts",
    "PointCurve",
    "distance_counts",
    "hybrid_counts",
    "hybrid_iou",
    "match_points",
    "noco_ap",
    "noco_hits",
    "paired_interval",
    "pd_fa",
    "pixel_counts",
    "pixel_scores",
    "point_hits",
    "resample",
]
