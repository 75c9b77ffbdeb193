"""Seconds a frame of RIPT, PSTNN and SMSL, beside the same texts written down plainly.

    python benchmarks/patch_tensor.py [--runs 3] [--threads 1] [--frame FILE] [--size 640x512]

The plain ones are the oracles of the tests: full singular value decompositions of explicit
unfoldings, atoms one by one. Between them and ours stand single steps: Gram matrices instead of
decompositions (RIPT), a residual kept up to date by products of two vectors (SMSL). Processor time
of this process, the least of the runs; the plain ones run once. Ratios are of the same process.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from oracles import patch_tensor as plain

from deepir.catalogue import load_detector
from deepir.classical.low_rank.pstnn import pstnn
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.ript import ript
from deepir.classical.low_rank.singular_values import psvt
from deepir.classical.low_rank.smsl import noise_deviation, smsl
from deepir.simulate import simulate_scene

Frame = NDArray[np.float64]
Step = tuple[str, Callable[[], object]]


def main() -> None:
    """Print a Markdown table: each method, plain and step by step quicker."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frame", type=Path, help="an 8-bit picture instead of a simulated one")
    parser.add_argument("--size", default="640x512", help="of the simulated frame")
    options = parser.parse_args()
    frame = read(options.frame) if options.frame else simulated(options.size)
    resources = Resources(threads=options.threads)
    height, width = frame.shape
    print(f"{width}x{height}, BLAS threads: {options.threads}\n")
    print("| method | how | CPU s | elapsed s | times as fast |")
    print("| --- | --- | --- | --- | --- |")
    with resources.limited():
        for name, steps in ladders(frame, resources).items():
            tell(name, steps, options.runs)


def simulated(size: str) -> Frame:
    """A scene in whole grey levels from 0 to 255."""
    width, height = (int(side) for side in size.split("x"))
    scene = simulate_scene(seed=1, shape=(height, width)).image.astype(np.float64)
    return np.rint(255 * (scene - scene.min()) / np.ptp(scene))


def read(path: Path) -> Frame:
    """A picture as grey levels."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise SystemExit(f"{path} is no picture")
    return np.asarray(picture, dtype=np.float64)


def ladders(frame: Frame, resources: Resources) -> dict[str, list[Step]]:
    """For each method, from the plain text to ours."""
    return {
        "ript": [
            ("plain", partial(plain.ript, frame)),
            ("Gram matrices", partial(ript_by_gram, frame)),
            ("ours", partial(ript, frame, resources=resources)),
            ("ours, target alone", partial(target_alone, "ript", frame, resources)),
        ],
        "pstnn": [
            ("plain", partial(plain.pstnn, frame)),
            ("ours", partial(pstnn, frame, resources=resources)),
        ],
        "smsl": [
            ("plain", partial(smsl_plainly, frame, plain.rosl_sweep)),
            ("residual kept", partial(smsl_plainly, frame, sweep_with_residual)),
            ("ours", partial(smsl, frame, resources=resources)),
        ],
    }


def tell(name: str, steps: list[Step], runs: int) -> None:
    """One row a step, with how much faster than the first it is."""
    first = None
    for how, function in steps:
        spent, elapsed = seconds(function, 1 if how == "plain" else runs)
        first = first or spent
        print(f"| {name} | {how} | {spent:.2f} | {elapsed:.2f} | {first / spent:.1f} |", flush=True)


def seconds(function: Callable[[], object], runs: int) -> tuple[float, float]:
    """Least processor and elapsed time of one call."""
    spent, elapsed = [], []
    for _ in range(runs):
        start, wall = time.process_time(), time.perf_counter()
        function()
        spent.append(time.process_time() - start)
        elapsed.append(time.perf_counter() - wall)
    return min(spent), min(elapsed)


def target_alone(name: str, frame: Frame, resources: Resources) -> object:
    """What a detector computes: no background."""
    return load_detector(name, mode="reference", resources=resources).respond(frame)


def ript_by_gram(frame: Frame) -> object:
    """The plain text with eigenvalues of Gram matrices."""
    decomposed = plain.svt

    def lowered(matrix: Frame, threshold: float, protected: int = 0) -> tuple[Frame, int]:
        found = psvt(matrix, threshold, protected)
        return found.matrix, found.rank

    plain.svt = lowered
    try:
        return plain.ript(frame)
    finally:
        plain.svt = decomposed


def smsl_plainly(frame: Frame, sweep: Callable[..., object]) -> object:
    """SMSL from the singular vectors, by a sweep atom by atom."""
    columns = plain.cut(frame, 30, 30).reshape(900, -1)
    weight = 1 / np.sqrt(min(columns.shape))
    start = np.linalg.svd(columns, full_matrices=False)[2]
    stiff = weight / (3 * noise_deviation(frame))
    return plain.smsl(columns, start, weight, stiff, sweep=sweep)


def sweep_with_residual(p: Frame, d: Frame, a: Frame, mu: float) -> tuple[Frame, Frame]:
    """One sweep that takes an atom out of the residual, renews it and puts it back."""
    d, a = d.copy(), a.copy()
    rest = p - d @ a
    for i in range(d.shape[1]):
        rest += np.outer(d[:, i], a[i])
        v = rest @ a[i]
        v -= d[:, :i] @ (d[:, :i].T @ v)
        length = float(np.linalg.norm(v))
        d[:, i] = v / length if length else 0
        a[i] = d[:, i] @ rest
        size = float(np.linalg.norm(a[i]))
        a[i] *= max(1 - 1 / (mu * size), 0) if size else 0
        rest -= np.outer(d[:, i], a[i])
    return d, a


if __name__ == "__main__":
    main()
