"""The JSON of a run, with the meaning of every field in it."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import asdict
from pathlib import Path

from deepir import __version__
from deepir.bench import Evaluation
from deepir.diagnostics import plain_values, summary
from deepir.metrics.bootstrap import DRAWS
from deepir.metrics.reliability import reliability
from deepir.scoring import at_thresholds

SEED = 0
"""Seed of the bootstrap draws behind every interval."""

FIELDS = {
    "deepir": "version of this package",
    "detector": "name of the detector",
    "data": "name of the dataset",
    "split": "name of the split",
    "read_out": "rule that made points: peak, published, or 'as given' for saved points",
    "mode": "default (our settings) or reference (the published ones); null for saved detections",
    "engine": "what the network ran in; null for filters and saved detections",
    "scene": "on where a network's judgement of the whole scene counted, off where it was undone;"
    " null for filters and saved detections",
    "floor": "score above which something is a candidate; null for saved detections",
    "operating_threshold": "score from which a detection is believed; null: all are",
    "top_k": "candidates taken from a frame at most; null for saved detections",
    "frames": "frames scored",
    "targets": "boxes in those frames",
    "partial": "true where frames of the split are left out (skipped, or interrupted)",
    "interrupted": "true where Ctrl-C ended the run early",
    "missing": "ids of the split without an entry in the predictions; they count as no detection",
    "ignored": "ids in the predictions that the split does not have; they are left out",
    "saved_maps": "null where no map was saved or read; else scale (detector: scores are made as it"
    " makes them; full, frame or robust: of maps of another program), format (npy or png; null for"
    " maps of another program), reused (frames whose map an earlier run had saved; speed takes the"
    " time that it took then) and replaced (maps there that were damaged or of another image or"
    " run, and were made anew)",
    "diagnostics": "null where the detector tells none; else frames that told any, words (name ->"
    " word -> frames), numbers (name -> median, lowest, highest), at_a_limit (max_iter or"
    " time_limit -> frames that it ended) and by_frame (id -> what it told; null without"
    " --details)",
    "absent": "figure of the metrics that is null -> why",
    "metrics.mnocoap": "mean NoCo average precision over thresholds 0.1 ... 0.9, in [0, 1]",
    "metrics.mnocoap_interval": "95 % bootstrap interval over frames, [low, high]",
    "metrics.nocoap": "NoCo threshold -> average precision, in [0, 1]",
    "metrics.recall_cap": "mean recall of all candidates: mNoCoAP if they were ranked perfectly",
    "metrics.recall": "NoCo threshold -> recall of all candidates, in [0, 1]",
    "metrics.mlocap": "mean average precision over five thresholds on how central a point lies in"
    " its box, in [0, 1]; points count as they are, pixel indices half a pixel off their pixels",
    "metrics.locap": "centre-ness threshold (0.1, 0.3 ... 0.9) -> average precision, in [0, 1]",
    "metrics.pd": "share of boxes that a believed point hits (borders included, one to one)",
    "metrics.pd_interval": "95 % bootstrap interval over frames, [low, high]",
    "metrics.false_objects_per_frame": "believed points that hit no free box, by frame",
    "metrics.false_objects_per_frame_interval": "95 % bootstrap interval, [low, high]",
    "metrics.false_objects_per_megapixel": "the same by million pixels",
    "metrics.pd_at": "false objects a frame -> best Pd within that budget, on this very set",
    "metrics.operating_points": "false objects a frame (0.1, 0.5, 1) -> threshold from the curve on"
    " this very set (null where none keeps to it), pd and false_objects_per_frame there",
    "metrics.with_targets": "figures of the frames that hold targets alone",
    "metrics.with_targets.frames": "frames that hold targets",
    "metrics.with_targets.mnocoap": "mNoCoAP of those frames alone: there, nothing is gained by"
    " keeping quiet on cameras that never see a target",
    "metrics.with_targets.mnocoap_interval": "95 % bootstrap interval over them, [low, high]",
    "metrics.sources": "source of frames, told from their ids -> frames, targets, mnocoap and pd of"
    " its frames alone (null without targets), false_objects_per_frame",
    "metrics.box_ap": "IoU (0.3, 0.5) -> average precision of boxes, PASCAL VOC area style; null"
    " where points came without boxes",
    "metrics.errors": "counts of errors at the operating threshold, by kind",
    "metrics.errors.targets": "class -> targets: small (no side of the box longer than 4 px), dim"
    " (local SCR below 3), small_and_dim, other; each target is of one class",
    "metrics.errors.missed": "class -> targets that no believed point hits",
    "metrics.errors.hits": "believed points that hit a target",
    "metrics.errors.badly_placed": "of those, the ones whose NoCo is not above 0.5",
    "metrics.errors.false_beside_target": "false believed points within 3 px of a target's box, or"
    " in a box that is hit already",
    "metrics.errors.false_beside_none": "the other false believed points in frames with targets",
    "metrics.errors.false_without_targets": "false believed points in frames without targets",
    "metrics.pixel": "iou, niou (frames without any pixel left out), precision, recall, f1 of the"
    " mask at the operating threshold; null without masks",
    "metrics.pixel.auc": "area under the ROC of all pixels, in [0, 1], whatever the threshold:"
    " recall on target over the share claimed off target; null without maps",
    "metrics.pixel.recall_at": "share claimed of the pixels off target (1e-05, 0.0001, 0.001) ->"
    " best recall of those on target within that share, on this very set; null without maps",
    "metrics.target": "pd and fa (a fraction of pixels) of its components: centroids closer than"
    " 3 px; null without masks",
    "metrics.hybrid": "hybrid IoU of that mask; null without masks",
    "metrics.hybrid.hiou": "seg_iou times loc_iou",
    "metrics.hybrid.pd": "share of true components that were matched",
    "metrics.hybrid.fa": "pixels of unmatched components as a fraction of all pixels",
    "metrics.hybrid.seg_iou": "mean pixel IoU of matched pairs; with its three errors it sums to 1",
    "metrics.hybrid.loc_iou": "matched pairs by all components; with its four errors it sums to 1",
    "calibration": "null where the detector is not calibrated; else data and frames that it was"
    " calibrated on, points (budget of false objects a frame -> the threshold stored for it, on"
    " scores without the scene's say, and pd and false_objects_per_frame with it here), and"
    " reliability (mean stated probability, count and hit_rate here, in tenths of probability)",
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


def result_json(run: Evaluation, *, details: bool = False) -> dict[str, object]:
    """Plain values of one run: see `FIELDS` for each one's meaning.

    ``details`` adds the diagnostics of every frame.

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
        "engine": run.detector.engine if run.detector else None,
        "scene": run.detector.scene if run.detector else None,
        "floor": run.detector.floor if run.detector else None,
        "operating_threshold": operating if math.isfinite(operating) else None,
        "top_k": run.detector.top_k if run.detector else None,
        "frames": run.scorer.frames,
        "targets": int(run.scorer.hits.targets.sum()),
        "partial": run.partial,
        "interrupted": run.interrupted,
        "missing": run.missing,
        "ignored": run.ignored,
        "saved_maps": run.maps,
        "diagnostics": diagnostics_json(run, details=details),
        "metrics": run.scorer.figures(draws=DRAWS, seed=SEED),
        "absent": run.scorer.absent,
        "calibration": calibration_json(run),
        "speed": run.clock.figures() if run.clock else None,
        "peak_memory_mb": peak_memory_mb(),
        "bootstrap": {"draws": DRAWS, "seed": SEED},
        "skipped": [{"id": one.id, "reason": one.reason} for one in run.skipped],
    }


def diagnostics_json(run: Evaluation, *, details: bool) -> dict[str, object] | None:
    """What the making of the maps told over all frames, with ``details`` by frame too."""
    told = summary(run.diagnostics)
    if told is None:
        return None
    by_frame = {one: plain_values(values) for one, values in run.diagnostics.items()}
    return {**told, "by_frame": by_frame if details else None}


def calibration_json(run: Evaluation) -> dict[str, object] | None:
    """How the probabilities and thresholds that travel with the weights hold on these frames."""
    if run.detector is None or run.detector.calibration is None:
        return None
    stored = run.detector.calibration
    scores, right = run.scorer.curve.columns()
    stated = run.detector.probability(scores)
    assert stated is not None  # it is calibrated
    return {
        "data": stored.data,
        "frames": stored.frames,
        "points": at_thresholds(run.scorer.local, stored.thresholds),
        "reliability": [asdict(part) for part in reliability(stated, right)],
    }


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, MB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    status = Path("/proc/self/status")
    if status.exists():  # Linux; its ru_maxrss starts at the peak of whoever started this process
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return int(found[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
