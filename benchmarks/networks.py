"""Speed and memory of the trained networks, their training, and the published network beside them.

    python benchmarks/networks.py [--root SIRST_V2] [--parts detect,published,training,memory]
        [--weights NAME=PATH ...] [--rounds 50] [--slow-rounds 15] [--json OUT]

detect: `detect` from array to detections, by network, engine and size of the frame, in parts.
published: our networks against the published graph (``network_speed/published_graph.py``), and what
each step towards speed brings to the published network. training: crops a second of `deepir train`.
memory: peak of `deepir detect` in a process of its own. Within a part the contestants take turns.

Without a root the frames are simulated. ``--weights`` names ONNX files of oscar_nano and
oscar_small in place of the packaged ones, and a converted checkpoint of oscar_r18_256, which is
untrained otherwise: its speed is the same. Needs an idle machine.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# As the command line does, before NumPy: threads that wait must not take from those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from network_speed.detecting import Entry, detecting, runnable
from network_speed.facts import facts, told
from network_speed.memory import memory

from deepir.tables import Cell, Table
from deepir.writing import check_output_file, write_json

PUBLISHED = "oscar_r18_256"
NAMES = ("oscar_nano", "oscar_small", PUBLISHED)

MEMORY_GOAL_MB, WAITING_GOAL = 500, 0.1


def main() -> None:
    """Print the facts and a table a part; write all of it as JSON after each part."""
    options = parsed()
    if options.json:
        check_output_file(options.json)
    found: dict[str, Any] = {"facts": facts()}
    print(told(found["facts"]), flush=True)
    running = runnable(options.weights)
    for part in options.parts:
        print(f"\n## {part}\n", flush=True)
        result = PARTS[part](options, running)
        print("\n".join(f"Frames of {origin}." for origin in result["frames"]) + "\n")
        TOLD[part](result)
        found[part] = result
        if options.json:
            write_json(options.json, found)


def parsed() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path)
    parser.add_argument("--parts", type=parts, default=tuple(PARTS))
    parser.add_argument("--weights", action="append", type=named, default=[], metavar="NAME=PATH")
    parser.add_argument("--rounds", type=int, default=50, help="of detect")
    parser.add_argument("--slow-rounds", type=int, default=15, help="of published")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if min(options.rounds, options.slow_rounds) < 1:
        parser.error(f"1 round or more, got {options.rounds} and {options.slow_rounds}")
    options.weights = dict(options.weights)
    return options


def parts(text: str) -> tuple[str, ...]:
    """Names of parts, divided by commas."""
    chosen = tuple(text.split(","))
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part {unknown[0]!r}; known: {', '.join(PARTS)}")
    return chosen


def named(text: str) -> tuple[str, Path]:
    """A network's name and the path of its weights."""
    name, _, path = text.partition("=")
    if name not in NAMES or not Path(path).is_file():
        raise argparse.ArgumentTypeError(
            f"NAME=PATH with a file and a name of {', '.join(NAMES)} is wanted, got {text!r}"
        )
    return name, Path(path)


def detect_part(options: argparse.Namespace, running: Sequence[Entry]) -> dict[str, Any]:
    """End to end."""
    return detecting(running, options.root, options.rounds)


def published_part(options: argparse.Namespace, running: Sequence[Entry]) -> dict[str, Any]:
    """Against the published network; torch is imported here, so that other parts do without."""
    from network_speed.published import against_published

    weights = options.weights.get(PUBLISHED)
    return against_published(weights, running, options.root, options.slow_rounds)


def training_part(options: argparse.Namespace, running: Sequence[Entry]) -> dict[str, Any]:
    """Training of one network, whatever weights there are."""
    del running
    from network_speed.training import training

    return training(options.root)


def memory_part(options: argparse.Namespace, running: Sequence[Entry]) -> dict[str, Any]:
    """Peak memory."""
    return memory(running, options.root)


def tell_detect(result: dict[str, Any]) -> None:
    """Milliseconds by network, engine and frame."""
    heads = ("network", "engine", "frame", "min ms", "median ms", "max ms", "frames/s")
    show(
        (*heads, "standardise ms", "network ms", "read-out ms", "times the small frame"),
        [
            (
                *(row[name] for name in ("network", "engine", "frame")),
                *spread_of(row),
                *(row[f"{name}_ms"] for name in ("standardise", "network", "read_out")),
                row.get("times_the_small_frame"),
            )
            for row in result["rows"]
        ],
    )
    print(f"{result['rounds']} rounds; parts are medians, the ratio is of frames of one round.")


def spread_of(row: dict[str, Any]) -> tuple[Cell, ...]:
    """Smallest, median, largest time and, where it is known, frames a second."""
    names = ("minimum_ms", "median_ms", "maximum_ms", "frames_per_second")
    return tuple(row[name] for name in names if name in row)


def tell_published(result: dict[str, Any]) -> None:
    """Milliseconds, and how many times faster than the published graph."""
    heads = ("what", "min ms", "median ms", "max ms", "times faster", "goal", "differs by")
    names = ("times_faster_than_published", "goal", "differs_by")
    show(
        heads,
        [(row["what"], *spread_of(row), *(row[name] for name in names)) for row in result["rows"]],
    )
    print(
        f"{result['rounds']} rounds; the ratio is the median over rounds, against the published"
        " graph alone,\nwithout its resizing and decoding. Differences are of raw outputs."
    )


def tell_training(result: dict[str, Any]) -> None:
    """Crops a second and the share of waiting."""
    show(
        ("readers", "crops/s", "slowest row", "fastest row", "ms a step", "waiting", "goal"),
        [
            (
                row["readers"],
                row["crops_per_second"],
                *row["slowest_and_fastest_row"],
                row["step_ms"],
                row["waiting_share"],
                f"< {WAITING_GOAL}",
            )
            for row in result["rows"]
        ],
    )
    print(
        f"{result['iterations']} iterations; the crops of a batch take"
        f" {result['drawing_ms_a_batch']:.1f} ms of processor time."
    )


def tell_memory(result: dict[str, Any]) -> None:
    """Peak megabytes."""
    rows = [(row["network"], row["engine"], row["peak_mb"]) for row in result["rows"]]
    show(("network", "engine", "peak MB", "goal"), [(*row, f"< {MEMORY_GOAL_MB}") for row in rows])


def show(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a Markdown table."""
    print(Table(heads, rows).markdown(), flush=True)


PARTS: dict[str, Callable[[argparse.Namespace, Sequence[Entry]], dict[str, Any]]] = {
    "detect": detect_part,
    "published": published_part,
    "training": training_part,
    "memory": memory_part,
}
TOLD: dict[str, Callable[[dict[str, Any]], None]] = {
    "detect": tell_detect,
    "published": tell_published,
    "training": tell_training,
    "memory": tell_memory,
}

if __name__ == "__main__":
    main()
