"""What the fast approximation of IPI or NIPPS loses against the published step, frame by frame.

    python benchmarks/approximation_loss.py ipi|nipps --root SIRST_V2 --saliency DIR
        [--split test_full] [--pixels 300000 330000] [--kept]

Default mode, peak read-out, frames with so many pixels, smallest first and by id. A frame of
640x512 takes a minute at the published step, so maps are saved in DIR, and a later run goes on with
those that are there; --kept leaves out frames whose map at the published step is not there yet.
Prints mNoCoAP, recall cap, Pd and false objects a frame of both, and the difference with its 95 %
interval by the paired bootstrap (seed 0).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from approximations import ipi_fast, nipps_fast

from deepir.catalogue import load_detector
from deepir.data import SirstV2
from deepir.map_detector import MapDetector, MapResponse
from deepir.metrics import paired_interval
from deepir.saved_maps import Archives
from deepir.saved_maps.folder import MapArchive
from deepir.scoring import Scorer
from deepir.structures import Sample

FAST = {"ipi": ipi_fast, "nipps": nipps_fast}


def main() -> None:
    """Print a Markdown table of two rows, and their difference."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=sorted(FAST))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--saliency", type=Path, required=True)
    parser.add_argument("--split", default="test_full")
    parser.add_argument("--pixels", type=int, nargs=2, default=(300_000, 330_000))
    parser.add_argument("--kept", action="store_true")
    options = parser.parse_args()
    dataset = SirstV2.open(options.root, options.split)
    archives = Archives(options.saliency, resume=True)
    detectors = [load_detector(options.name), FAST[options.name]()]
    kept = [(one, archives.of(one), Scorer(one.cut)) for one in detectors]
    for sample in by_size(dataset, *options.pixels):
        if options.kept and kept[0][1].find(sample) is None:
            continue
        for detector, archive, scorer in kept:
            response = found(detector, archive, sample)
            scorer.update(sample, detector.read(response), None)
    tell(options.name, [(one.name, scorer) for one, _, scorer in kept])


def by_size(dataset: SirstV2, least: int, most: int) -> list[Sample]:
    """Frames with so many pixels, the smallest first."""
    samples = [sample for sample in dataset if least <= sample.image.size <= most]
    return sorted(samples, key=lambda sample: (sample.image.size, sample.id))


def found(detector: MapDetector, archive: MapArchive, sample: Sample) -> MapResponse:
    """The response to a frame, from its map where that is saved."""
    known = archive.find(sample)
    if known is not None:
        return known.response
    start = time.process_time()
    response = detector.respond(sample.image)
    archive.keep(sample, response, 1e3 * (time.process_time() - start))
    return response


def tell(name: str, rows: list[tuple[str, Scorer]]) -> None:
    """The table."""
    (_, exact), (_, fast) = rows
    print("| detector | frames | targets | mNoCoAP | recall cap | Pd | false a frame |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for told, scorer in rows:
        figures, targets = scorer.figures(draws=1), int(scorer.hits.targets.sum())
        keys = ("mnocoap", "recall_cap", "pd", "false_objects_per_frame")
        cells = " | ".join(f"{figures[key]:.3f}" for key in keys)
        print(f"| {told} | {scorer.frames} | {targets} | {cells} |")
    loss = paired_interval(exact.hits, fast.hits)
    low, high = loss.interval.low, loss.interval.high
    print(f"\n{name} less {name}_fast: {loss.difference:.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
