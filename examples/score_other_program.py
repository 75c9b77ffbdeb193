"""Score what another program found: points in a CSV, boxes in a JSON, masks in a folder.

    python examples/score_other_program.py --points theirs.csv --data sirst-v2 --root SIRST_V2
    python examples/score_other_program.py --boxes results.json --data coco --root MY_COCO
    python examples/score_other_program.py --masks masks/ --data dnanet --root NUDT-SIRST

- points: a CSV with the columns id, x, y and score (others are free). Programs differ in what they
  call the centre of the first pixel: 0 as here, or 0.5 (edges), or 1: say it with --first-pixel.
- boxes: COCO's list of results, [{"image_id", "bbox": [x, y, width, height], "score"}, ...]; an
  image_id is the id of a frame, or its number in a COCO dataset.
- masks: an image a frame, called as the frame; what is brighter than half its full scale is
  claimed (of masks of 0 and 1 with --map-scale frame). Without a ranking, look at IoU, Pd and Fa.

An id is the name of a frame in the dataset, see its list of a split. A frame without an entry or
without a mask has no detection. Without any of the three, mpcm stands in for the other program.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from deepir import load_detector
from deepir.cli import run
from deepir.data import Coco, Dataset, open_dataset
from deepir.errors import DeepirError
from deepir.metrics import distance_counts, hybrid_counts, pixel_counts, ratio_interval
from deepir.saved_maps import SavedMaps, open_maps
from deepir.structures import Mask, Sample
from deepir.tables import Table
from deepir.writing import output_folder, write_json

Frames = dict[str, dict[str, list[list[float]]]]
"""By id of a frame: ``points`` [x, y, score] and, if there are any, ``boxes`` [x0, y0, x1, y1]."""


def main(arguments: list[str] | None = None) -> None:
    """Run the example; ``arguments`` are those of the command line."""
    options = parsed(arguments)
    output_folder(options.out)
    dataset = open_dataset(options.data, root=options.root, split=options.split)
    if not (options.points or options.boxes or options.masks):
        pretend(dataset, options)
    where = ["--data", options.data, *(["--root", options.root] if options.root else [])]
    where += ["--split", dataset.split]
    if options.points:
        file = options.out / "points.json"
        write(file, from_csv(options.points, options.first_pixel), options.threshold)
        deepir("score", file, *where)
    if options.boxes:
        file = options.out / "boxes.json"
        write(file, from_coco_results(options.boxes, dataset), options.threshold)
        for rule in ("published", "peak"):  # centres of the boxes, and the NoCo peaks in them
            deepir("score", file, *where, "--read-out", rule)
    if options.masks:
        scale = ["--map-scale", options.map_scale] if options.map_scale else []
        deepir("score", options.masks, *where, *scale, "--allow-missing")
        print(f"\nthe masks in {options.masks} with intervals, on {len(dataset)} frames")
        print(mask_figures(dataset, open_maps(options.masks, scale=options.map_scale)).markdown())


def from_csv(path: Path, first_pixel: float) -> Frames:
    """Points of a CSV file; a point is a pixel index here, so 0 is the centre of the first one."""
    frames: Frames = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        table = csv.DictReader(stream)
        if not {"id", "x", "y", "score"} <= set(table.fieldnames or ()):
            raise SystemExit(f"{path}: columns id, x, y, score are wanted, got {table.fieldnames}")
        for row in table:
            x, y, score = (float(row[name]) for name in ("x", "y", "score"))
            points = frames.setdefault(row["id"], {"points": []})["points"]
            points.append([x - first_pixel, y - first_pixel, score])
    return frames


def from_coco_results(path: Path, dataset: Dataset) -> Frames:
    """Boxes of a COCO list of results, each with its centre as point."""
    numbers = (
        {str(entry.id): name for name, entry in dataset.entries.items()}
        if isinstance(dataset, Coco)
        else {}
    )
    frames: Frames = {}
    for one in json.loads(path.read_text("utf-8")):
        name = numbers.get(str(one["image_id"]), str(one["image_id"]))
        x, y, width, height = one["bbox"]
        frame = frames.setdefault(name, {"points": [], "boxes": []})
        frame["points"].append([x + width / 2, y + height / 2, one["score"]])
        frame["boxes"].append([x, y, x + width, y + height])
    return frames


def write(path: Path, frames: Frames, threshold: float | None) -> None:
    """Write the file that `deepir score` reads (docs/results.md).

    The threshold says which detections are believed; without one all are, however weak.
    """
    listed = [{"id": name, **found} for name, found in frames.items()]
    believed = {} if threshold is None else {"operating_threshold": threshold}
    write_json(path, {**believed, "detections": listed})


def mask_figures(dataset: Dataset, masks: SavedMaps) -> Table:
    """Figures of predicted masks, with 95 % intervals over frames.

    Each figure is a ratio of two sums over the frames, so one rule gives all the intervals.
    """
    rows = [frame_parts(dataset.read(name), masks) for name in dataset.ids]
    figures = []
    for name in rows[0]:
        above, below = np.array([row[name] for row in rows]).T
        interval = ratio_interval(above, below)
        value = above.sum() / below.sum() if below.sum() else 0.0
        figures.append((name, float(value), f"{interval.low:.4g} to {interval.high:.4g}"))
    return Table(("figure", "value", "95 % interval"), figures)


def frame_parts(sample: Sample, masks: SavedMaps) -> dict[str, tuple[float, float]]:
    """What one frame adds; one without a predicted mask claims nothing."""
    if sample.mask is None:
        raise SystemExit(f"the dataset has no true mask of {sample.id!r}: score boxes or points")
    claimed = np.zeros_like(sample.mask)
    if sample.id in masks.files:
        claimed = masks.detector.predicted_mask(masks.response(sample))
    return parts(claimed, sample.mask)


def parts(claimed: ArrayLike, truth: Mask) -> dict[str, tuple[float, float]]:
    """What one frame adds above and below the line of each ratio."""
    pixel, near = pixel_counts(claimed, truth), distance_counts(claimed, truth)
    hybrid = hybrid_counts(claimed, truth)
    union = pixel.hit + pixel.false + pixel.missed
    return {
        "pixel IoU": (pixel.hit, union),
        "nIoU, frames without any pixel left out": (pixel.hit / max(union, 1), union > 0),
        "precision": (pixel.hit, pixel.hit + pixel.false),
        "recall": (pixel.hit, pixel.hit + pixel.missed),
        "F1": (2 * pixel.hit, union + pixel.hit),
        "Pd, centroids within 3 px": (near.hits, near.targets),
        "Fa, 1e-6 of the pixels": (1e6 * near.false_pixels, near.pixels),
        "hybrid IoU": (hybrid.iou, hybrid.hits + hybrid.false + hybrid.missed),
    }


def pretend(dataset: Dataset, options: argparse.Namespace) -> None:
    """Write all three as another program might, and set the options to them."""
    options.threshold = 12.0
    detector = load_detector("mpcm", threshold=options.threshold)
    options.points, options.boxes = options.out / "theirs.csv", options.out / "theirs.json"
    options.masks, options.first_pixel = output_folder(options.out / "masks"), 1.0
    table: list[tuple[Any, ...]] = [("id", "x", "y", "score")]
    results: list[dict[str, Any]] = []
    for name in dataset.ids:
        response = detector.respond(dataset.read(name).image)
        found = detector.read(response)
        scores = found.scores.tolist()
        table += [(name, x + 1, y + 1, s) for (x, y), s in zip(found.points, scores, strict=True)]
        corners = [] if found.boxes is None else found.boxes.tolist()
        for (x0, y0, x1, y1), score in zip(corners, scores, strict=True):
            box = [x0, y0, x1 - x0, y1 - y0]
            results.append({"image_id": name, "bbox": box, "score": score})
        mask = np.asarray(detector.predicted_mask(response), dtype=np.uint8) * 255
        cv2.imwrite(str(options.masks / f"{name}.png"), mask)
    with options.points.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(table)
    write_json(options.boxes, results)


def deepir(*arguments: object) -> None:
    """Print a command, run it, and stop where it fails."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ deepir {shlex.join(words)}", flush=True)
    status = run(words)
    if status:
        raise SystemExit(status)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=Path, help="CSV file")
    parser.add_argument("--first-pixel", type=float, default=0.0, help="its centre in that file")
    parser.add_argument("--boxes", type=Path, help="JSON file")
    parser.add_argument("--masks", type=Path, help="folder")
    parser.add_argument("--map-scale", choices=("full", "frame"), help="of masks (default: full)")
    parser.add_argument("--threshold", type=float, help="score from which a detection counts")
    parser.add_argument("--data", default="simulated", help="sirst-v2, coco ... (docs/formats.md)")
    parser.add_argument("--root", type=Path, help="folder of the dataset")
    parser.add_argument("--split", help="(default: the dataset's test split)")
    parser.add_argument("--out", type=Path, default=Path("other-program"), help="folder to write")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main()
    except DeepirError as error:
        raise SystemExit(f"{error}") from None
