"""Scores of detections and maps against the truth; none knows a dataset or a detector."""

from deepir.metrics.bootstrap import (
    Interval,
    PairedDifference,
    mnocoap_interval,
    paired_interval,
    ratio_interval,
    resample,
)
from deepir.metrics.box_ap import BoxHits, box_ap
from deepir.metrics.error_split import ErrorSplit, error_split
from deepir.metrics.hybrid import (
    HybridCounts,
    HybridScores,
    hybrid_counts,
    hybrid_iou,
    hybrid_scores,
)
from deepir.metrics.noco_ap import THRESHOLDS, NocoAP, NocoHits, match_points, noco_ap, noco_hits
from deepir.metrics.pixel import PixelCounts, PixelScores, pixel_counts, pixel_scores
from deepir.metrics.reliability import fit_platt, reliability
from deepir.metrics.target import (
    DistanceCounts,
    PointCurve,
    PointScores,
    distance_counts,
    pd_fa,
    point_hits,
)

__all__ = [
    "THRESHOLDS",
    "BoxHits",
    "DistanceCounts",
    "ErrorSplit",
    "HybridCounts",
    "HybridScores",
    "Interval",
    "NocoAP",
    "NocoHits",
    "PairedDifference",
    "PixelCounts",
    "PixelScores",
    "PointCurve",
    "PointScores",
    "box_ap",
    "distance_counts",
    "error_split",
    "fit_platt",
    "hybrid_counts",
    "hybrid_iou",
    "hybrid_scores",
    "match_points",
    "mnocoap_interval",
    "noco_ap",
    "noco_hits",
    "paired_interval",
    "pd_fa",
    "pixel_counts",
    "pixel_scores",
    "point_hits",
    "ratio_interval",
    "reliability",
    "resample",
]
