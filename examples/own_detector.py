"""A detector of your own: a filter, and one line that makes a detector of it.

    deepir eval examples/own_detector.py:DETECTOR --read-out peak       # or published
    deepir bench examples/own_detector.py:DETECTOR mpcm top_hat
    deepir detect frames/ --detector examples/own_detector.py:DETECTOR

Every verb that takes a detector takes FILE.py:NAME. To start one of your own, copy this file, write
your filter and run the file: it chooses floor and threshold on a validation split, prints the line
to paste, and runs the verbs.

    python my_detector.py --data sirst-v2 --root SIRST_V2 --val-split val_full
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepir.cli import run
from deepir.data import open_dataset
from deepir.errors import DeepirError
from deepir.map_detector import MapDetector
from deepir.tables import Table
from deepir.thresholds import sweep_floors


def difference(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Difference of Gaussians over the clutter around: bright blobs of about 3 px.

    Takes a frame (H, W) float64 in the sensor's own levels and returns a map (H, W), high on
    targets. Unit and offset are free, as scores are over its own clutter.
    """
    blobs = ndimage.gaussian_filter(image, 1.0) - ndimage.gaussian_filter(image, 2.5)
    clutter = ndimage.gaussian_filter(np.abs(blobs), 12.0)
    return blobs / (clutter + clutter.mean() + 1e-9)


DETECTOR = MapDetector("difference", difference, peak_floor=0.1, peak_operating=0.97)


def main(arguments: list[str] | None = None) -> None:
    """Choose the thresholds, then run the verbs; ``arguments`` are those of the command line."""
    options = parsed(arguments)
    choose(options)
    mine = f"{Path(__file__)}:DETECTOR"
    where = ["--data", options.data, *(["--root", options.root] if options.root else [])]
    test = [*where, "--split", options.test_split] if options.test_split else where
    deepir("eval", mine, *test)
    deepir("bench", mine, "mpcm", *test, "--read-out", "both")
    deepir("detect", *options.frames, "--detector", mine, "--out", options.out)


def choose(options: argparse.Namespace) -> None:
    """Score every floor on the validation split, and print the line with the best one."""
    val = open_dataset(options.data, root=options.root, split=options.val_split)
    sweep = sweep_floors(DETECTOR, val, false_alarms_per_frame=options.false_alarms_per_frame)
    heads = ("floor", "mNoCoAP", "recall cap", "threshold", "Pd")
    figures = [
        (one.floor, one.mnocoap, one.recall_cap, one.operating, one.pd) for one in sweep.floors
    ]
    print(Table(heads, figures).markdown())
    for skipped in sweep.frames.skipped:
        print(f"skipped {skipped.id!r}: {skipped.reason}")
    best = sweep.best
    print(
        f"highest mNoCoAP on {val.name} {val.split}; at most {options.false_alarms_per_frame:g}"
        " false objects a frame from the threshold on. Your line:\n"
        f'DETECTOR = MapDetector("{DETECTOR.name}", {difference.__name__},'
        f" peak_floor={best.floor:g}, peak_operating={best.operating:g})"
    )
    if (best.floor, best.operating) != (DETECTOR.peak_floor, DETECTOR.peak_operating):
        print("It is not the line in this file, which is what runs below: paste it and run again.")


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
    parser.add_argument("frames", nargs="*", help="to detect in (default: simulated ones)")
    parser.add_argument("--data", default="simulated", help="sirst-v2, coco ... (docs/formats.md)")
    parser.add_argument("--root", type=Path, help="folder of the dataset")
    parser.add_argument("--val-split", default="val", help="to choose the thresholds on")
    parser.add_argument("--test-split", help="to report on (default: the dataset's own)")
    parser.add_argument("--false-alarms-per-frame", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("own-detector"), help="folder to write")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main()
    except DeepirError as error:
        raise SystemExit(f"{error}") from None
