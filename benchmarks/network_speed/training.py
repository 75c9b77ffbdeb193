"""How fast `deepir train oscar_nano` trains, and how much of that is waiting for crops."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from deepir.data import SirstV2
from deepir.training.frames import read_frames
from deepir.training.sampler import CropSampler
from deepir.training.settings import Settings

NAME = "oscar_nano"
ITERATIONS = 60
LOG_EVERY = 10
"""The first of these rows, in which everything is met for the first time, does not count."""

READERS = (1, 2)
SIMULATED = 64
GOOD = (0, 3)
"""Exit statuses: all is well, or only that some frames of the split cannot be used."""


def training(root: Path | None) -> dict[str, Any]:
    """Train for some seconds with one and with two reading threads; draw such crops alone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        split = "train_full"
        data = root or simulated(place / "frames", split)
        origin = f"{split} of SIRST-V2" if root else f"{SIMULATED} simulated frames of 640x512"
        return {
            "iterations": ITERATIONS - LOG_EVERY,
            "frames": [origin],
            "drawing_ms_a_batch": drawing(data, split),
            "rows": [trained(data, split, place / f"run{n}", n) for n in READERS],
        }


def simulated(out: Path, split: str) -> Path:
    """Root of a dataset that `deepir simulate` writes."""
    size = ("--width", 640, "--height", 512, "--bits", 8)
    call("simulate", "--out", out, "--count", SIMULATED, "--split", split, *size)
    return out


def trained(root: Path, split: str, work_dir: Path, readers: int) -> dict[str, Any]:
    """One run of the command, as its log tells it."""
    source = ("--data", "sirst-v2", "--root", root, "--train-split", split, "--val-split", "none")
    length = ("--iterations", ITERATIONS, "--log-every", LOG_EVERY, "--readers", readers)
    call("train", NAME, *source, *length, "--no-tensorboard", "--work-dir", work_dir)
    with (work_dir / "log.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[1:]
    rate = [float(row["crops_per_second"]) for row in rows]
    waiting = [float(row["waiting_share"]) for row in rows]
    batch = Settings().batch
    # Rows have as many crops each, so their seconds are what is to be averaged.
    seconds = 1 / np.array(rate)
    return {
        "readers": readers,
        "crops_per_second": float(1 / seconds.mean()),
        "slowest_and_fastest_row": [min(rate), max(rate)],
        "step_ms": float(1e3 * batch * seconds.mean()),
        "waiting_share": float(np.average(waiting, weights=seconds)),
    }


def drawing(root: Path, split: str) -> float:
    """Median milliseconds of processor time that the crops of a batch take.

    Threads that draw take them from the network where all cores are at work, and `waiting_share`
    does not show that.
    """
    settings = Settings()
    frames = read_frames(SirstV2.open(root, split)).samples
    sampler = CropSampler(frames, size=settings.crop, seed=settings.seed)
    spent = []
    for iteration in range(ITERATIONS):
        start = time.process_time()
        for slot in range(settings.batch):
            sampler.draw(iteration, slot)
        spent.append(time.process_time() - start)
    return float(1e3 * np.median(spent))


def call(*arguments: object) -> None:
    """Run a `deepir` command in a process of its own.

    Raises:
        SystemExit: it failed; what it said.
    """
    command = [sys.executable, "-m", "deepir", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in GOOD:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
