"""Find targets in a folder of 16-bit frames of your own, and list them in a CSV file.

    python examples/own_frames.py FOLDER
    python examples/own_frames.py FOLDER --false-alarms-per-frame 0.1     # stricter
    python examples/own_frames.py FOLDER --detector mpcm --threshold 1    # a classical filter

Without a folder: 14-bit frames are simulated into --out, one of them cut off as by a full disk.
The command `deepir detect FOLDER` does the same; this is how to do it from Python, frame by frame,
where frames may just as well come from a camera.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path
from typing import Any

import cv2

from deepir import load_detector
from deepir.detection_files import DetectionFiles
from deepir.detector import Detector
from deepir.errors import DeepirError, FrameError
from deepir.frames import BadFrame, find_sources
from deepir.simulate import SimulatedFrames
from deepir.writing import output_folder

COLUMNS = {
    "id": "path below the folder without suffix; of a video or stack with #000007 for frame 7",
    "x": "column of the brightest contrast, pixel index: 0 is the centre of the leftmost pixel",
    "y": "row of it, 0 is the centre of the topmost pixel",
    "score": "belief: in [0, 1] from a network, from a filter 0 to 5 (over its clutter)",
    "x0": "left edge of the box in pixels: 0 is the left edge of the frame",
    "y0": "upper edge",
    "x1": "right edge, so that x1 - x0 is the width",
    "y1": "lower edge",
    "probability": "that it is a target, on frames like those that it was calibrated on",
}
"""Of detections.csv, one row a detection, best first in each frame; the last only of networks."""


def main(arguments: list[str] | None = None) -> None:
    """Run the example; ``arguments`` are those of the command line."""
    options = parsed(arguments)
    folder = options.folder or simulated(options.out / "frames", options.size)
    detector = chosen(options)
    print(f"{detector.name}: what scores {detector.cut:.3g} or more is a detection")

    with DetectionFiles(options.out, detector, overlays=True, save_saliency=False) as files:
        for source in find_sources([folder]):
            for frame in source.frames():  # one, or those of a stack or video
                if isinstance(frame, BadFrame):
                    files.skip(frame.id, frame.reason)
                    continue
                try:
                    found = detector.detect(frame.image)  # any array (H, W), in its own levels
                except FrameError as error:  # such as one without a finite pixel
                    files.skip(frame.id, str(error))
                    continue
                files.add(frame, found, None)
                levels = f"{frame.image.dtype}, levels {frame.image.min()} to {frame.image.max()}"
                print(f"{frame.id}: {levels}, {len(found)} detections")
        files.write()

    for skipped in files.skipped:
        print(f"skipped {skipped['id']!r}: {skipped['reason']}")
    show(options.out / "detections.csv")
    if files.calibrated_on:
        print(f"probabilities and budgets of false alarms were measured on {files.calibrated_on}")


def chosen(options: argparse.Namespace) -> Detector[Any]:
    """The detector, with a threshold or a budget of false alarms where one is given."""
    given = {
        "threshold": options.threshold,
        "false_alarms_per_frame": options.false_alarms_per_frame,
    }
    return load_detector(
        options.detector, **{key: value for key, value in given.items() if value is not None}
    )


def show(path: Path) -> None:
    """Read the CSV file back, as any program would, and explain its columns."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    print(f"\n{path}: {len(rows)} detections")
    for name in rows[0] if rows else ():
        print(f"  {name:12}{rows[0][name]:24.20}{COLUMNS[name]}")
    most = Counter(row["id"] for row in rows).most_common(1)
    print("".join(f"most in one frame: {count} in {name!r}" for name, count in most))


def simulated(folder: Path, size: tuple[int, int]) -> Path:
    """A folder of six 14-bit frames in 16-bit PNG, the last one cut off."""
    output_folder(folder)
    for sample in SimulatedFrames(6, seed=7, shape=size[::-1], bits=14):
        cv2.imwrite(str(folder / f"{sample.id}.png"), sample.image)
    last = max(folder.glob("*.png"))
    last.write_bytes(last.read_bytes()[:-2000])
    return folder


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="your frames, or one file of them")
    parser.add_argument("--out", type=Path, default=Path("own-frames"), help="folder to write")
    parser.add_argument("--detector", default="oscar_nano", help="see deepir list")
    parser.add_argument("--threshold", type=float, help="score from which a detection counts")
    parser.add_argument("--false-alarms-per-frame", type=float, help="a budget instead")
    parser.add_argument("--size", type=int, nargs=2, default=(320, 256), help="of simulated frames")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main()
    except DeepirError as error:
        raise SystemExit(f"{error}") from None
