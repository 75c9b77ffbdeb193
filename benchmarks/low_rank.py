"""Seconds a frame of IPI and NIPPS, beside the same texts written down plainly.

    python benchmarks/low_rank.py [--runs 1] [--threads 1] [--frame FILE] [--size 640x512]
        [--check] [--plain-iterations 2]

The plain ones are the oracles of the tests: a full singular value decomposition an iteration. At
640x512 one takes a quarter of a minute, so they are timed over a few iterations, and what stands in
the table is that times the iterations of ours, without putting the patches together. "Gram" is the
plain text with eigenvalues of Gram matrices in double precision; between it and ours stand vectors
kept from one iteration to the next, single precision for what is left, and the mean or median fold.
"fast" is the named approximation, at most 520 patches; default mode of NIPPS protects fewer
values. Processor time of this process, the least of the runs; ratios are of the same process.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from oracles import low_rank as plain
from patch_tensor import read, simulated

from deepir.catalogue import load_detector
from deepir.classical.low_rank.ipi import ipi
from deepir.classical.low_rank.nipps import nipps
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.singular_values import psvt

Result = TypeVar("Result")
Frame = NDArray[np.float64]
Spent = tuple[float, float]  # processor and elapsed seconds

EXACT = {"ipi": ipi, "nipps": nipps}
PLAIN = {"ipi": plain.ipi, "nipps": plain.nipps}


def main() -> None:
    """Print a Markdown table: each method, plain and step by step quicker."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=sorted(EXACT))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frame", type=Path, help="an 8-bit picture instead of a simulated one")
    parser.add_argument("--size", default="640x512", help="of the simulated frame")
    parser.add_argument("--check", action="store_true", help="the frame of the tests, that large")
    parser.add_argument("--plain-iterations", type=int, default=2, help="0: ours alone")
    options = parser.parse_args()
    if options.frame:
        frame = read(options.frame)
    else:
        frame = checks(options.size) if options.check else simulated(options.size)
    resources = Resources(threads=options.threads)
    height, width = frame.shape
    print(f"{width}x{height}, BLAS threads: {options.threads}\n")
    print("| method | how | iterations | CPU s | elapsed s | times as fast |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.names:
        with resources.limited():
            tell(name, frame, resources, options.runs, options.plain_iterations)


def checks(size: str) -> Frame:
    """Waves, a pattern of 17 levels and two targets, as the check frame of the tests has them."""
    width, height = (int(side) for side in size.split("x"))
    r, c = np.mgrid[:height, :width]
    frame = 70 + 25 * np.sin(r / 17) + 20 * np.cos(c / 23) + 24 * c / width
    frame += 0.5 * (((37 * r + 101 * c + 13 * r * c) % 17) - 8)
    frame += 90 * np.exp(-((r - 60) ** 2 + (c - 85) ** 2) / (2 * 1.4**2))
    frame += 45 * np.exp(-((r - 100) ** 2 + (c - 30) ** 2) / 2)
    return np.clip(np.floor(frame + 0.5), 0, 255)


def tell(name: str, frame: Frame, resources: Resources, runs: int, plainly: int) -> None:
    """The rows of one method."""
    exact, spent = least(partial(EXACT[name], frame, resources=resources), runs)
    rows = []
    if plainly:
        count = exact.iterations
        rows.append(("plain", f"({count})", each(name, frame, plainly, count)))
        rows.append(("Gram", f"({count})", by_gram(name, frame, plainly, count)))
    rows.append(("ours", str(exact.iterations), spent))
    for how, given in (
        ("ours, target alone", {"mode": "reference"}),
        ("ours, default mode", {}),
        ("ours, fast", {"approximate": "fast"}),
    ):
        detector = load_detector(name, resources=resources, **given)
        response, spent = least(partial(detector.respond, frame), runs)
        rows.append((how, str(response.diagnostics["iterations"]), spent))
    first = rows[0][2][0]
    for how, iterations, (processor, elapsed) in rows:
        print(
            f"| {name} | {how} | {iterations} | {processor:.2f} | {elapsed:.2f}"
            f" | {first / processor:.1f} |",
            flush=True,
        )


def least(function: Callable[[], Result], runs: int) -> tuple[Result, Spent]:
    """The result, and the least processor and elapsed time of one call."""
    spent, elapsed = [], []
    for _ in range(runs):
        start, wall = time.process_time(), time.perf_counter()
        result = function()
        spent.append(time.process_time() - start)
        elapsed.append(time.perf_counter() - wall)
    return result, (min(spent), min(elapsed))


def each(name: str, frame: Frame, some: int, count: int) -> Spent:
    """What so many iterations of the plain text take, from a few of them."""
    fold, plain.fold = plain.fold, lambda *_: None
    try:
        runs = [least(partial(PLAIN[name], frame, max_iter=most), 1)[1] for most in (1, 1 + some)]
    finally:
        plain.fold = fold
    (short, short_wall), (long, long_wall) = runs
    return (long - short) * count / some, (long_wall - short_wall) * count / some


def by_gram(name: str, frame: Frame, some: int, count: int) -> Spent:
    """`each` with eigenvalues of Gram matrices."""
    decomposed = plain.psvt

    def lowered(matrix: Frame, threshold: float, protected: int) -> tuple[Frame, int]:
        found = psvt(matrix, threshold, protected)
        return found.matrix, found.rank

    plain.psvt = lowered
    try:
        return each(name, frame, some, count)
    finally:
        plain.psvt = decomposed


if __name__ == "__main__":
    main()
