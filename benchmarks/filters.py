"""Speed and memory of the classical filters, beside plain implementations of the same texts.

    python benchmarks/filters.py [DETECTOR ...] [--parts detect,plain,memory,functions,cells]
        [--root SIRST_V2] [--runs 15] [--threads 2] [--crop 640x512]

detect: frames a second of `detect`, from array to detections, in both modes at 640x512, one frame
after the other; the detectors take turns. plain: processor time of a map in reference mode, and of
the same map by the oracles of the tests, pixel by pixel, one candidate or histogram at a time; for
LCM and MPCM also by nine correlations of OpenCV a size. How far both are apart is printed beside.
memory: what the resident memory of a process grows by at most while it detects in one frame.
functions: milliseconds of each filter alone on one thread, at two sizes. cells: what larger cells
cost.

Without a root the frames are simulated. Processor time counts all threads, so its ratios hold on a
busy machine too; milliseconds and frames a second need an idle one. ``plain`` takes minutes:
``--crop 160x128`` compares on the middle of the frame.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

# As the command line does, before NumPy: threads that wait must not take from those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
from filter_speed.functions import by_cell, by_function
from filter_speed.memory import frame_peak
from filter_speed.plain import PLAIN, against_plain
from filter_speed.turns import Spent, detecting
from network_speed.facts import facts, told
from network_speed.frames import Shown, fitted, frames_of

from deepir.choices import Mode
from deepir.classical import CATALOGUE
from deepir.tables import Cell, Table

SHAPE = (512, 640)
FRAMES = 8
GOALS = {"lcm": 30, "mpcm": 40, "wldm": 10, "fkrw": 15}
"""Frames a second that are wanted at 640x512 on two cores."""

MODES: tuple[Mode, ...] = ("default", "reference")


def main() -> None:
    """Print the facts and a table a part."""
    options = parsed()
    cv2.setNumThreads(options.threads)
    print(told(facts()), flush=True)
    shown = frames_of(options.root, SHAPE, FRAMES)
    print(f"Frames of {shown.origin}; {options.threads} threads of OpenCV.")
    for part in options.parts:
        print(f"\n## {part}\n", flush=True)
        PARTS[part](options, shown)


def parsed() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="DETECTOR")
    parser.add_argument("--parts", type=parts, default=tuple(PARTS))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2, help="of OpenCV")
    parser.add_argument("--crop", type=size, default=SHAPE, help="of plain, WIDTHxHEIGHT")
    options = parser.parse_args()
    options.names = options.names or list(PLAIN)
    if unknown := [name for name in options.names if name not in CATALOGUE]:
        parser.error(f"no filter {unknown[0]!r}; known: {', '.join(CATALOGUE)}")
    if min(options.runs, options.threads) < 1:
        parser.error(f"1 run and thread or more, got {options.runs} and {options.threads}")
    return options


def parts(text: str) -> tuple[str, ...]:
    """Names of parts, divided by commas."""
    chosen = tuple(text.split(","))
    if unknown := [part for part in chosen if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {unknown[0]!r}; known: {', '.join(PARTS)}")
    return chosen


def size(text: str) -> tuple[int, int]:
    """Height and width of a frame given as WIDTHxHEIGHT."""
    try:
        width, height = map(int, text.split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"WIDTHxHEIGHT is wanted, got {text!r}") from None
    return height, width


def detect_part(options: argparse.Namespace, shown: Shown) -> None:
    """Frames a second from array to detections."""
    built = {(name, mode): CATALOGUE[name](mode=mode) for name in options.names for mode in MODES}
    spent = detecting(built, shown.images, options.runs)
    heads = ("detector", "mode", "frames/s", "goal", "min ms", "median ms", "max ms", "CPU ms")
    show(heads, [(*key, *speed(key[0], one)) for key, one in spent.items()])
    print(f"{options.runs} rounds over {len(shown.images)} frames; CPU is the median.")


def speed(name: str, spent: Spent) -> tuple[Cell, ...]:
    """Cells of one detector and mode."""
    goal = f">= {GOALS[name]}" if name in GOALS else None
    wall = spent.wall_ms
    middle = float(np.median(wall))
    lowest, highest = float(wall.min()), float(wall.max())
    return 1e3 / middle, goal, lowest, middle, highest, float(np.median(spent.processor_ms))


def plain_part(options: argparse.Namespace, shown: Shown) -> None:
    """Processor time beside plain implementations."""
    frame = fitted(shown.images[0], options.crop)
    print(f"The first frame, {frame.shape[1]}x{frame.shape[0]}, reference mode.\n")
    heads = ("detector", "CPU ms", "beside", "CPU ms there", "times faster", "differ by, of max")
    rows: list[tuple[Cell, ...]] = []
    for name in options.names:
        for one in against_plain(name, frame, options.runs):
            rows.append((name, *one))
    show(heads, rows)


def memory_part(options: argparse.Namespace, shown: Shown) -> None:
    """Peak memory a frame."""
    frame = shown.images[0]
    double = 8e-6 * frame.size
    rows = []
    for name in options.names:
        for mode in MODES:
            peak = frame_peak(name, mode, frame, threads=options.threads)
            rows.append((name, mode, peak, None if peak is None else peak / double))
    show(("detector", "mode", "peak MB a frame", "frames in double precision"), rows)


def functions_part(options: argparse.Namespace, shown: Shown) -> None:
    """Each filter alone, on one thread."""
    del shown
    cv2.setNumThreads(1)
    heads = ("filter", "640x512 ms", "1280x1024 ms", "growth")
    show(heads, by_function(options.runs))
    cv2.setNumThreads(options.threads)


def cells_part(options: argparse.Namespace, shown: Shown) -> None:
    """Cells of one side alone, on one thread."""
    cv2.setNumThreads(1)
    show(("side", "LCM ms", "MPCM ms"), by_cell(shown.images[0], options.runs))
    cv2.setNumThreads(options.threads)


def show(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a Markdown table."""
    print(Table(heads, rows).markdown(), flush=True)


PARTS = {
    "detect": detect_part,
    "plain": plain_part,
    "memory": memory_part,
    "functions": functions_part,
    "cells": cells_part,
}

if __name__ == "__main__":
    main()
