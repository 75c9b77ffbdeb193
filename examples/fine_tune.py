"""Fine-tune oscar_nano on a few dozen frames of a camera that it has never seen.

    pip install '.[train,export]'
    python examples/fine_tune.py

Simulates 14-bit frames of such a camera, and runs on them the commands that you would run on frames
of your own; each is printed before it runs. At the end a table: what the weights that came with
deepir find in frames that nothing was trained or chosen on, and what the fine-tuned ones find. It
takes a few minutes on two cores and writes into the folder --out only.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deepir.bench import evaluate
from deepir.catalogue import load_detector
from deepir.cli import run
from deepir.data import open_dataset, write_sirst_v2
from deepir.metrics.bootstrap import PairedDifference, paired_interval
from deepir.simulate import place_targets
from deepir.simulate.clutter import SCENES, Kind
from deepir.simulate.sensor import Camera, expose
from deepir.structures import Sample
from deepir.tables import Table

CAMERA = Camera(
    bits=14,
    pedestal=7400,
    span=700,
    noise=6,
    columns=9,
    shading=120,
    blur=1.3,
    defects=1e-4,
)
"""In grey levels and pixels, see `deepir.simulate.sensor`. An uncooled camera whose frames nobody
cleaned up: stripes stronger than the noise, a soft lens, eight hot pixels a frame. In the frames
that the weights know a single bright pixel may be a target; here it is never one."""

BACKGROUNDS: tuple[Kind, ...] = ("cloud", "terrain")
SCR, SIGMA, SIZE = (1.5, 5.0), (1.3, 2.0), (0.0, 4.0)
"""Of the targets: dim, and as soft as the lens. See `deepir.simulate.Target`."""

MOST_TARGETS = 3  # 0 to 3 a frame


def main(arguments: list[str] | None = None) -> None:
    """Run the example; ``arguments`` are those of the command line."""
    options = parsed(arguments)
    out: Path = options.out
    root, weights, exported = out / "frames", out / "mine.safetensors", out / "mine.onnx"
    data = ["--data", "sirst-v2", "--root", root]

    counts = {"train": options.train, "threshold": options.threshold, "held_out": options.held_out}
    for number, (split, count) in enumerate(counts.items()):
        write_sirst_v2(root, split, simulated(split, count, options.size, [options.seed, number]))

    # What the weights that came with deepir find, and whether another threshold would be enough.
    held_out = [*data, "--split", "held_out"]
    deepir("eval", "oscar_nano", *held_out, "--json", out / "shipped.json")
    shipped = out / "shipped.safetensors"
    threshold = [*data, "--split", "threshold", "--scene-floor", 1]
    deepir("calibrate", "oscar_nano", *threshold, "--out", shipped)
    deepir("eval", "oscar_nano", "--weights", shipped, *held_out, "--json", out / "calibrated.json")

    # Fine-tune, and choose a threshold on frames that were not trained on.
    init = ["--init", "oscar_nano", *data, "--train-split", "train", "--seed", options.seed]
    short = ["--iterations", options.iterations] if options.iterations else []
    deepir("train", "oscar_nano", *init, *short, "--work-dir", out / "run")
    deepir("calibrate", out / "run" / "last.safetensors", *threshold, "--out", weights)
    deepir("eval", "oscar_nano", "--weights", weights, *held_out, "--json", out / "mine.json")

    # Export, and detect without PyTorch.
    deepir("export", weights, *data, "--split", "threshold", "--out", exported)
    some = sorted((root / "mixed").glob("held_out_*.png"))[:3]
    deepir("detect", *some, "--weights", exported, "--out", out / "found")

    rows = {
        "as they came": "shipped.json",
        "with a threshold of this camera": "calibrated.json",
        "fine-tuned": "mine.json",
    }
    figures = Table(HEADS, [row(name, out / file) for name, file in rows.items()])
    (out / "table.md").write_text(figures.markdown(), "utf-8")
    print(f"\n{figures.markdown()}")
    more = gain(root, weights)
    print(
        f"gain in mNoCoAP {more.difference:.3f}, 95 % interval {more.interval.low:.3f} to"
        f" {more.interval.high:.3f} (paired bootstrap over the held-out frames)"
    )
    print(f"your detector: deepir detect FRAMES --weights {exported}")


def simulated(split: str, count: int, size: tuple[int, int], seeds: list[int]) -> Iterator[Sample]:
    """``count`` frames of the camera, ``size`` width and height, the same for the same seeds.

    Stripes and hot pixels are drawn anew for each frame: no place in the frame may be learnt.
    """
    for number in range(count):
        rng = np.random.default_rng([*seeds, number])
        scene = SCENES[BACKGROUNDS[number % len(BACKGROUNDS)]](size[::-1], rng)
        image, boxes, mask = place_targets(
            expose(scene, CAMERA, rng).image,
            count=int(rng.integers(MOST_TARGETS + 1)),
            rng=rng,
            scr=SCR,
            sigma=SIGMA,
            size=SIZE,
            ceiling=CAMERA.ceiling,
        )
        yield Sample(image, boxes, mask, f"{split}_{number:04d}")


def deepir(*arguments: object) -> None:
    """Print a command, run it, and stop where it fails."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ deepir {shlex.join(words)}", flush=True)
    status = run(words)
    if status:
        raise SystemExit(status)


HEADS = ("weights", "mNoCoAP", "Pd", "false objects a frame", "Pd at 1 false object a frame")


def row(name: str, result: Path) -> tuple[str, ...]:
    """Figures of one run of ``deepir eval``, with their 95 % intervals."""
    metrics = json.loads(result.read_text("utf-8"))["metrics"]
    figures = [
        "{:.3f} ({:.3f} to {:.3f})".format(metrics[key], *metrics[f"{key}_interval"])
        for key in ("mnocoap", "pd", "false_objects_per_frame")
    ]
    return (name, *figures, f"{metrics['pd_at']['1']:.3f}")


def gain(root: Path, weights: Path) -> PairedDifference:
    """Mean NoCo AP of the fine-tuned weights less that of those that came with deepir."""
    dataset = open_dataset("sirst-v2", root=root, split="held_out")
    detectors = [load_detector("oscar_nano", weights=weights), load_detector("oscar_nano")]
    mine, shipped = [evaluate(detector, dataset).scorer.hits for detector in detectors]
    return paired_interval(mine, shipped)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("fine-tuned"), help="folder to write")
    parser.add_argument("--train", type=int, default=40, help="frames to train on")
    parser.add_argument("--threshold", type=int, default=20, help="frames to calibrate on")
    parser.add_argument("--held-out", type=int, default=200, help="frames to evaluate on")
    parser.add_argument("--size", type=int, nargs=2, default=(320, 256), help="width, height")
    parser.add_argument("--iterations", type=int, help="of training (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="of the frames and the training")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
