"""From an array to detections: time of each part, by network, engine and size of the frame."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from deepir.box_detector import BoxDetector
from deepir.networks import CATALOGUE
from deepir.runtime import OnnxNetwork
from deepir.runtime.engines import Channels, Outputs
from deepir.structures import Image
from deepir.weights import packaged
from network_speed.frames import frames_of
from network_speed.turns import WHOLE, Contestant, Parts, spread, take_turns, times_faster

EngineName = Literal["onnxruntime", "openvino"]

NETWORKS = ("oscar_nano", "oscar_small")
ENGINES: tuple[EngineName, ...] = ("onnxruntime", "openvino")
SHAPES = ((512, 640), (1024, 1280))

FRAMES = 32
"""Different frames of each size; rounds take them in turn."""

BEFORE, ENGINE, AFTER = "standardise", "network", "read_out"


class Entry(NamedTuple):
    """A network that can run here, and what runs it."""

    name: str
    engine: EngineName
    weights: Path

    def detector(self) -> BoxDetector:
        """The finished detector."""
        return CATALOGUE[self.name](weights=self.weights, engine=self.engine)


def runnable(weights: Mapping[str, Path]) -> list[Entry]:
    """Each network in each engine; says which are left out and why."""
    found = []
    for name in NETWORKS:
        path = weights.get(name) or packaged(name)
        if path is None:
            print(f"left out: {name} has no weights in this installation (--weights {name}=PATH)")
            continue
        for engine in ENGINES:
            if find_spec(engine) is None:
                print(f"left out: {name} in {engine}, which is not installed")
            else:
                found.append(Entry(name, engine, path))
    return found


def detecting(running: Sequence[Entry], root: Path | None, rounds: int) -> dict[str, Any]:
    """Time `BoxDetector.detect` on frames of both sizes; all contestants take turns."""
    shown = {shape: frames_of(root, shape, FRAMES) for shape in SHAPES}
    contestants = {}
    for entry in running:
        detector = entry.detector()
        for shape in SHAPES:
            contestants[key(entry, shape)] = watched(detector, shown[shape].images)
    times = take_turns(contestants, rounds)
    rows = []
    for entry in running:
        small, large = (times[key(entry, shape)] for shape in SHAPES)
        for shape, parts in zip(SHAPES, (small, large), strict=True):
            rows.append(figures(entry, shape, parts))
        rows[-1]["times_the_small_frame"] = times_faster(small[WHOLE], than=large[WHOLE])
    return {"rounds": rounds, "frames": [each.origin for each in shown.values()], "rows": rows}


def key(entry: Entry, shape: tuple[int, int]) -> str:
    """Name of a contestant."""
    return f"{entry.name} {entry.engine} {shape[1]}x{shape[0]}"


def figures(
    entry: Entry, shape: tuple[int, int], parts: Mapping[str, np.ndarray[Any, Any]]
) -> dict[str, Any]:
    """One row: of the whole its spread and frames a second, of each part its median."""
    whole = spread(parts[WHOLE])
    return {
        "network": entry.name,
        "engine": entry.engine,
        "frame": f"{shape[1]}x{shape[0]}",
        **whole,
        "frames_per_second": 1e3 / whole["median_ms"],
        **{f"{part}_ms": float(np.median(parts[part])) for part in (BEFORE, ENGINE, AFTER)},
    }


def watched(detector: BoxDetector, frames: Sequence[Image]) -> Contestant:
    """The detector, its parts told apart by when its engine begins and ends.

    Before the engine: holes and flat frames looked for, the channels standardised. In the engine:
    network and decoding. After it: boxes checked, peaks read and merged.
    """
    network = detector.network
    assert isinstance(network, OnnxNetwork)
    marks: list[float] = []

    def run(channels: Channels) -> Outputs:
        marks.append(time.perf_counter())
        outputs = network.run(channels)
        marks.append(time.perf_counter())
        return outputs

    observed = replace(detector, network=replace(network, run=run))

    def turn(number: int) -> Parts:
        frame = frames[number % len(frames)]
        marks[:] = [time.perf_counter()]
        observed.detect(frame)
        marks.append(time.perf_counter())
        before, within, after = 1e3 * np.diff(marks)
        return {WHOLE: 1e3 * (marks[-1] - marks[0]), BEFORE: before, ENGINE: within, AFTER: after}

    return turn
