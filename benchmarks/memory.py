"""Peak memory of reading, evaluating and scoring: it must not grow with the frames.

    python benchmarks/memory.py [--parts frames,stream] [--frames 100000]

Each figure is a process of its own. ``frames``: `deepir eval` over more and more simulated frames
on disk, and `deepir detect` over a NumPy stack of 14-bit frames. ``stream``: bytes that the peak of
a metric grows by for each detection, from a thousand frames to all of them, when frames made on the
fly, 20 detections and a map of their own each, pass through it once (processor time with theirs).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import tee
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepir.metrics import box_ap, loc_ap, noco_ap, pixel_roc
from deepir.results import peak_memory_mb

COUNTS = (32, 128, 512)
SHAPE = (256, 320)

WARM_UP, DETECTIONS, SIDE = 1000, 20, 64
BOXES = np.array([[8, 8, 12, 12], [30, 31, 33, 33], [50, 20, 59, 27]], dtype=float)

Floats = NDArray[np.float64]


def main() -> None:
    """Print the tables of the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", default="frames,stream")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--metric", choices=STREAMS, help="only this one, in this process")
    options = parser.parse_args()
    if options.metric:
        print(json.dumps(stream_growth(options.metric, options.frames)))
        return
    if "frames" in options.parts:
        by_frames()
    if "stream" in options.parts:
        by_metric(options.frames)


def by_metric(frames: int) -> None:
    """Print how the peak of each metric grows with the detections, and its processor time."""
    print(f"| {frames} frames of {DETECTIONS} | bytes a detection | processor us a frame |")
    print("| --- | --- | --- |")
    for name in STREAMS:
        command = (sys.executable, __file__, "--metric", name, "--frames", str(frames))
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        grown, spent = json.loads(done.stdout)
        print(f"| {name} | {grown:.1f} | {spent:.0f} |")


def stream_growth(name: str, frames: int) -> tuple[float, float]:
    """Bytes a detection that this process's peak grows by, processor microseconds a frame."""
    STREAMS[name](WARM_UP)
    before, start = peak_memory_mb(), time.process_time()
    STREAMS[name](frames)
    spent, after = time.process_time() - start, peak_memory_mb()
    if before is None or after is None:
        raise SystemExit("this system does not tell the peak memory of a process")
    return 1e6 * (after - before) / (frames * DETECTIONS), 1e6 * spent / frames


def scattered(count: int) -> Iterator[Floats]:
    """Detections (20, 3) of each frame, some in every box, the others anywhere."""
    generator, twice = np.random.default_rng(0), np.repeat(BOXES, 2, axis=0)
    for _ in range(count):
        rows = generator.uniform(0, (SIDE, SIDE, 1), (DETECTIONS, 3))
        rows[: len(twice), :2] = generator.uniform(twice[:, :2], twice[:, 2:])
        yield rows


def maps(count: int) -> Iterator[Floats]:
    """A map of its own for each frame."""
    generator = np.random.default_rng(1)
    return (generator.random((SIDE, SIDE)) for _ in range(count))


def boxes(count: int) -> Iterator[Floats]:
    """Boxes of its own for each frame."""
    return (BOXES.copy() for _ in range(count))


def masks(count: int) -> Iterator[NDArray[np.bool_]]:
    """True masks, equal for each frame."""
    return (np.eye(SIDE, dtype=bool) for _ in range(count))


def stream_boxes(count: int) -> None:
    """Feed box AP with boxes of 3x3 pixels around the points."""
    for_boxes, for_scores = tee(scattered(count))
    framed = (np.concatenate([rows[:, :2] - 1, rows[:, :2] + 2], axis=1) for rows in for_boxes)
    box_ap(framed, (rows[:, 2] for rows in for_scores), boxes(count))


STREAMS: dict[str, Callable[[int], object]] = {
    "noco_ap": lambda count: noco_ap(scattered(count), maps(count), boxes(count)),
    "loc_ap": lambda count: loc_ap(scattered(count), boxes(count)),
    "box_ap": stream_boxes,
    "pixel_roc": lambda count: pixel_roc(maps(count), masks(count)),
}


def by_frames() -> None:
    """Print peak resident megabytes by number of frames."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        print("| frames | eval MB | detect on a stack MB | stack on disk MB |")
        print("| --- | --- | --- | --- |")
        for count in COUNTS:
            stack = write_stack(root / "stack.npy", count)
            run("simulate", "--out", root / "sim", "--count", count, "--split", f"n{count}")
            peaks = eval_peak(root, count), detect_peak(root)
            print(f"| {count} | {peaks[0]:.0f} | {peaks[1]:.0f} | {stack:.0f} |")


def write_stack(path: Path, count: int) -> float:
    """Noise frames, written one at a time; returns megabytes."""
    stack = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint16, shape=(count, *SHAPE))
    generator = np.random.default_rng(0)
    for frame in stack:
        frame[:] = generator.integers(6000, 6200, SHAPE)
    stack.flush()
    return stack.nbytes / 1e6


def eval_peak(root: Path, count: int) -> float:
    """Peak memory as `deepir eval` reports it."""
    result = root / "result.json"
    data = ("--data", "sirst-v2", "--root", root / "sim", "--split", f"n{count}")
    run("eval", "mpcm", *data, "--json", result)
    return float(json.loads(result.read_text())["peak_memory_mb"])


def detect_peak(root: Path) -> float:
    """Peak memory of a `deepir detect` run, read from inside that process."""
    code = (
        "import sys; from deepir.cli import run; from deepir.results import peak_memory_mb;"
        "run(sys.argv[1:]); print(peak_memory_mb())"
    )
    command = (
        sys.executable,
        "-c",
        code,
        "detect",
        root / "stack.npy",
        "--out",
        root / "out",
        "--no-overlays",
    )
    done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def run(*arguments: object) -> None:
    """Run a `deepir` command, which must succeed."""
    subprocess.run(
        [sys.executable, "-m", "deepir", *map(str, arguments)], check=True, capture_output=True
    )


if __name__ == "__main__":
    main()
