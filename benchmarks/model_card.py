"""Write the page of a network, NAME.md, from the results of its runs.

    deepir eval NAME --data sirst-v2 --root SIRST_V2 --json test.json --worst worst
    deepir eval NAME --data sirst-v2 --root SIRST_V2 --plant scr=3,5,8 --seed 0 --json plant.json
    python benchmarks/model_card.py NAME --weights NAME.onnx --out NAME.md
        --test test.json --plant plant.json --training runs/final/run.json
        [--twin runs/twin/run.json] [--worst worst/worst.json] [--words words.json]
        [--reading published.json] [--reading no-scene.json] [--reading no-duplicates.json]
        [--seed-run 0 val-0.json test-0.json] [--seed-run 1 val-1.json test-1.json]

``words.json`` holds what no figure says: {"about": "...", "failures": ["...", ...]}.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from deepir.catalogue import load_detector
from deepir.model_card import Measured, Seed, Words, model_card
from deepir.writing import write_text

RESULTS = ("test", "plant", "training")
OPTIONAL = ("twin", "worst")


def main() -> None:
    """Read the results, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for kind in RESULTS:
        parser.add_argument(f"--{kind}", type=Path, required=True)
    for kind in (*OPTIONAL, "words"):
        parser.add_argument(f"--{kind}", type=Path)
    parser.add_argument("--reading", type=Path, action="append", default=[])
    parser.add_argument("--seed-run", nargs=3, action="append", default=[])
    options = vars(parser.parse_args())
    detector = load_detector(options["name"], weights=options["weights"])
    calibration = detector.calibration
    if calibration is None:
        raise SystemExit(f"{options['weights']} is not calibrated: run `deepir calibrate` first")
    given = [kind for kind in (*RESULTS, *OPTIONAL) if options[kind]]
    measured = Measured(
        calibration=calibration,
        clutter=detector.clutter,
        readings=[read(path) for path in options["reading"]],
        seeds=[
            Seed(int(seed), read(Path(val)), read(Path(test)))
            for seed, val, test in options["seed_run"]
        ],
        **{kind: read(options[kind]) for kind in given},
    )
    words = Words(**read(options["words"])) if options["words"] else None
    page = model_card(options["name"], measured, words)
    write_text(options["out"], page)
    print(f"wrote {options['out']}")


def read(path: Path) -> dict[str, Any]:
    """Content of a JSON file that holds an object."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
