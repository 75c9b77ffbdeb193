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
from deepir.metrics.loc_ap import CENTRENESS, LocAP, LocHits, centreness, loc_ap
from deepir.metrics.noco_ap import THRESHOLDS, NocoAP, NocoHits, match_points, noco_ap, noco_hits
from deepir.metrics.pixel import PixelCounts, PixelScores, pixel_counts, pixel_scores
from deepir.metrics.reliability import fit_platt, reliability
from deepir.metrics.roc import (
    SCORE_THRESHOLDS,
    UNIT_THRESHOLDS,
    PdFaCounts,
    PixelRoc,
    RocCounts,
    pd_fa_curve,
    pixel_roc,
)
from deepir.metrics.target import (
    DistanceCounts,
    PointCurve,
    PointScores,
    PointSteps,
    distance_counts,
    pd_fa,
    point_hits,
)

__all__ = [
    "CENTRENESS",
    "SCORE_THRESHOLDS",
    "THRESHOLDS",
    "UNIT_THRESHOLDS",
    "BoxHits",
    "DistanceCounts",
    "ErrorSplit",
    "HybridCounts",
    "HybridScores",
    "Interval",
    "LocAP",
    "LocHits",
    "NocoAP",
    "NocoHits",
    "PairedDifference",
    "PdFaCounts",
    "PixelCounts",
    "PixelRoc",
    "PixelScores",
    "PointCurve",
    "PointScores",
    "PointSteps",
    "RocCounts",
    "box_ap",
    "centreness",
    "distance_counts",
    "error_split",
    "fit_platt",
    "hybrid_counts",
    "hybrid_iou",
    "hybrid_scores",
    "loc_ap",
    "match_points",
    "mnocoap_interval",
    "noco_ap",
    "noco_hits",
    "paired_interval",
    "pd_fa",
    "pd_fa_curve",
    "pixel_counts",
    "pixel_roc",
    "pixel_scores",
    "point_hits",
    "ratio_interval",
    "reliability",
    "resample",
]
