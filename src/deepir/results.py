"""The JSON of a run, with the meaning of every field in it."""

from __future__ import annotations

import math
import sys

from deepir import __version__
from deepir.bench import Evaluation
from deepir.metrics.bootstrap import DRAWS

SEED = 0
"""Seed of the bootstrap draws behind every interval."""

FIELDS = {
    "deepir": "version of this package",
    "detector": "name of the detector",
    "data": "name of the dataset",
    "split": "name of the split",
    "read_out": "rule that made points: peak, published, or 'as given' for saved points",
    "mode": "default (our settings) or reference (the published ones); null for saved detections",
    "floor": "score above which something is a candidate; null for saved detections",
    "operating_threshold": "score from which a detection is believed; null: all are",
    "top_k": "candidates taken from a frame at most; null for saved detections",
    "frames": "frames scored",
    "targets": "boxes in those frames",
    "partial": "true where frames of the split are left out (skipped, or interrupted)",
    "interrupted": "true where Ctrl-C ended the run early",
    "missing": "ids of the split without an entry in the predictions; they count as no detection",
    "ignored": "ids in the predictions that the split does not have; they are left out",
    "metrics.mnocoap": "mean NoCo average precision over thresholds 0.1 ... 0.9, in [0, 1]",
    "metrics.mnocoap_interval": "95 % bootstrap interval over frames, [low, high]",
    "metrics.nocoap": "NoCo threshold -> average precision, in [0, 1]",
    "metrics.recall_cap": "mean recall of all candidates: mNoCoAP if they were ranked perfectly",
    "metrics.recall": "NoCo threshold -> recall of all candidates, in [0, 1]",
    "metrics.pd": "share of boxes that a believed point hits (borders included, one to one)",
    "metrics.pd_interval": "95 % bootstrap interval over frames, [low, high]",
    "metrics.false_objects_per_frame": "believed points that hit no free box, by frame",
    "metrics.false_objects_per_frame_interval": "95 % bootstrap interval, [low, high]",
    "metrics.false_objects_per_megapixel": "the same by million pixels",
    "metrics.pd_at": "false objects a frame -> best Pd within that budget, on this very set",
    "metrics.pixel": "iou, niou (frames without any pixel left out), precision, recall, f1 of the"
    " mask at the operating threshold; null without masks",
    "metrics.target": "pd and fa (a fraction of pixels) of its components: centroids closer than"
    " 3 px; null without masks",
    "metrics.hybrid": "hybrid IoU of that mask; null without masks",
    "metrics.hybrid.hiou": "seg_iou times loc_iou",
    "metrics.hybrid.pd": "share of true components that were matched",
    "metrics.hybrid.fa": "pixels of unmatched components as a fraction of all pixels",
    "metrics.hybrid.seg_iou": "mean pixel IoU of matched pairs; with its three errors it sums to 1",
    "metrics.hybrid.loc_iou": "matched pairs by all components; with its four errors it sums to 1",
    "speed": "null for saved detections",
    "speed.frames_per_second": "frames by the time from array to points (detecting and read-out)",
    "speed.median_ms": "median time a frame from array to points",
    "speed.median_reading_ms": "median time a frame to read image and truth",
    "speed.median_detecting_ms": "median time a frame in the filter or network",
    "speed.median_read_out_ms": "median time a frame from its output to points",
    "peak_memory_mb": "largest resident memory of the process so far, MB; null where unknown",
    "bootstrap.draws": "resamplings behind every interval",
    "bootstrap.seed": "their seed",
    "skipped": "frames that could not be used, each with id and reason",
}


def result_json(run: Evaluation) -> dict[str, object]:
    """Plain values of one run: see `FIELDS` for each one's meaning.

    >>> "metrics.mnocoap" in FIELDS
    True
    """
    operating = run.scorer.operating
    return {
        "schema": {"version": 1, "fields": FIELDS},
        "deepir": __version__,
        "detector": run.name,
        "data": run.dataset.name,
        "split": run.dataset.split,
        "read_out": run.read_out,
        "mode": run.detector.mode if run.detector else None,
        "floor": run.detector.floor if run.detector else None,
        "operating_threshold": operating if math.isfinite(operating) else None,
        "top_k": run.detector.top_k if run.detector else None,
        "frames": run.scorer.frames,
        "targets": int(run.scorer.hits.targets.sum()),
        "partial": run.partial,
        "interrupted": run.interrupted,
        "missing": run.missing,
        "ignored": run.ignored,
        "metrics": run.scorer.figures(draws=DRAWS, seed=SEED),
        "speed": run.clock.figures() if run.clock else None,
        "peak_memory_mb": peak_memory_mb(),
        "bootstrap": {"draws": DRAWS, "seed": SEED},
        "skipped": [{"id": one.id, "reason": one.reason} for one in run.skipped],
    }


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, MB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
