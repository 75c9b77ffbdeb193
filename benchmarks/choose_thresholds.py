"""Choose each classical detector's floor and operating threshold on a split (val, never test).

    python benchmarks/choose_thresholds.py --root SIRST_V2 [--split val_full] [--saliency DIR]
        [DETECTOR ...]

For every floor of a fixed list: mNoCoAP (peak read-out, best 100 candidates a frame). The floor is
the one with the highest mNoCoAP; where floors tie within 0.001 the highest of them, since fewer
candidates cost less. The operating threshold is the lowest one at that floor with at most one
false object a frame, rounded up (`deepir.thresholds`). Peaks are placed as the present operating
threshold places them, so run it again after a change: the figures then are those of `deepir eval`.
A detector in a file of your own is named FILE.py:NAME. With --saliency maps that `deepir eval
--save-saliency DIR` saved are not made again, and the others are saved there. Prints a Markdown
table, which stands in docs/experiments.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from deepir.catalogue import load_detector
from deepir.classical import CATALOGUE
from deepir.data import SirstV2
from deepir.own_detectors import is_own
from deepir.saved_maps import Archives
from deepir.thresholds import sweep_floors


def main() -> None:
    """Print one row a detector and mode."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=sorted(CATALOGUE))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="val_full")
    parser.add_argument("--saliency", type=Path)
    options = parser.parse_args()
    archives = Archives(options.saliency, resume=True) if options.saliency else None
    dataset = SirstV2.open(options.root, options.split)
    print("| detector | mode | mNoCoAP by floor | floor | mNoCoAP | recall cap | operating | Pd |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.names:
        for mode in ("default",) if is_own(name) else ("default", "reference"):
            detector = load_detector(name) if is_own(name) else load_detector(name, mode=mode)
            archive = archives.of(detector) if archives else None
            sweep = sweep_floors(detector, dataset, archive=archive)
            if len(sweep.frames.taken) < len(dataset):
                raise SystemExit(f"not all frames of {dataset.split} were used: {sweep.frames}")
            curve = " ".join(f"{one.floor:g}: {100 * one.mnocoap:.1f}" for one in sweep.floors)
            best = sweep.best
            print(
                f"| {name} | {mode} | {curve} | {best.floor:g} | {best.mnocoap:.3f}"
                f" | {best.recall_cap:.3f} | {best.operating:.2f} | {best.pd:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
