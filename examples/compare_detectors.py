"""Is one detector better than another, or was it luck? A paired bootstrap over the frames.

    python examples/compare_detectors.py oscar_small oscar_nano --data sirst-v2 --root SIRST_V2
    python examples/compare_detectors.py my_detector.py:DETECTOR mpcm     # a detector of your own
    python examples/compare_detectors.py theirs.json lcm                  # saved detections

Both see the same frames, so a hard frame costs both, and their difference is known better than
either figure. Every draw takes the frames with replacement, the same ones for both, and looks at
the difference in mNoCoAP; the interval holds 95 % of the draws.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from deepir import bench, load_detector
from deepir.data import Dataset, open_dataset
from deepir.errors import DeepirError
from deepir.metrics import NocoHits, PairedDifference, mnocoap_interval, paired_interval
from deepir.predictions import read_predictions


def main(arguments: list[str] | None = None) -> None:
    """Run the example; ``arguments`` are those of the command line."""
    options = parsed(arguments)
    dataset = open_dataset(options.data, root=options.root, split=options.split)
    first, second = (counted(name, dataset) for name in (options.first, options.second))
    print(f"{dataset.name} {dataset.split}: {len(dataset)} frames, {first.targets.sum()} targets")
    widths = []
    for name, hits in ((options.first, first), (options.second, second)):
        alone, score = mnocoap_interval(hits), hits.score().mean
        print(f"  {name}: mNoCoAP {score:.3f}, 95 % interval {alone.low:.3f} to {alone.high:.3f}")
        widths.append(alone.high - alone.low)
    gap = paired_interval(first, second)
    print(
        f"  {options.first} less {options.second}: {gap.difference:+.3f}, 95 % interval"
        f" {gap.interval.low:+.3f} to {gap.interval.high:+.3f}, p {gap.p_value:.3f}"
    )
    print(
        f"That interval is {gap.interval.high - gap.interval.low:.3f} wide; had the two seen"
        f" different frames, it would be about {math.hypot(*widths):.3f}.\n"
    )
    print(verdict(options.first, options.second, gap, len(dataset)))
    print(LIMITS)


def counted(name: str, dataset: Dataset) -> NocoHits:
    """Matches of a detector, or of a file of saved detections, frame by frame."""
    if name.endswith(".json"):
        run = bench.score(read_predictions(name), dataset)
    else:
        run = bench.evaluate(load_detector(name), dataset)
    if run.partial:  # then the two would not be paired any more
        raise SystemExit(f"{name}: only {run.scorer.frames} frames were used: {run.skipped}")
    return run.scorer.hits


def verdict(first: str, second: str, gap: PairedDifference, frames: int) -> str:
    """What the interval shows."""
    low, high = gap.interval.low, gap.interval.high
    if low > 0 or high < 0:
        better, worse = (first, second) if low > 0 else (second, first)
        least, most = sorted((abs(low), abs(high)))
        return (
            f"Shown: on frames like these {better} has a higher mNoCoAP than {worse}, by"
            f" {least:.3f} to {most:.3f}."
        )
    text = (
        "Not shown: which of the two is better. Nor are they shown to be equal: anything from"
        f" {low:+.3f} to {high:+.3f} agrees with these frames."
    )
    if gap.difference:
        wanted = frames * ((high - low) / 2 / gap.difference) ** 2  # intervals shrink by its root
        text += (
            f" If {gap.difference:+.3f} is the truth, it takes about"
            f" {math.ceil(wanted / 10) * 10:,} frames to show it more often than not."
        )
    return text


LIMITS = """Not told by the interval:
- other cameras and scenes: the frames are all that is resampled;
- frames of one sequence, which count as independent here: with few sequences it is too narrow;
- luck in training: a network trained again with another seed may differ by more;
- choice: detectors, thresholds or epochs picked on these very frames look better than they are, and
  the best of twenty comparisons has a p below 0.05 by chance."""


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "first", nargs="?", default="oscar_nano", help="detector, FILE.py:NAME or JSON"
    )
    parser.add_argument("second", nargs="?", default="oscar_small", help="the same")
    parser.add_argument("--data", default="simulated", help="sirst-v2, coco ... (docs/formats.md)")
    parser.add_argument("--root", type=Path, help="folder of the dataset")
    parser.add_argument("--split", help="(default: the dataset's test split)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main()
    except DeepirError as error:
        raise SystemExit(f"{error}") from None
