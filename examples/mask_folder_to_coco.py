"""Convert a folder of masks to COCO, and back, and say what each direction loses.

    python examples/mask_folder_to_coco.py NUDT-SIRST --out converted
    deepir data convert NUDT-SIRST coco/ --to coco          # the first half, as a command

The layouts of SIRST v1, NUAA-SIRST, NUDT-SIRST and IRSTD-1k are told by their tree
(docs/formats.md). Without a folder: a small one is simulated as DNANet lays it out, and then one
box of the COCO file is drawn a pixel wider, as annotators do: a mask folder has no place for that.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from deepir.data import (
    Conversion,
    Format,
    convert_dataset,
    format_named,
    recognise_format,
    write_mask_folder,
)
from deepir.errors import DeepirError
from deepir.simulate import SimulatedFrames
from deepir.writing import check_output_folder, write_json

COCO = format_named("coco")


def main(arguments: list[str] | None = None) -> None:
    """Run the example; ``arguments`` are those of the command line."""
    options = parsed(arguments)
    out: Path = options.out
    check_output_folder(out)
    if (out / "coco").exists() or (out / "back").exists():
        raise SystemExit(f"{out} holds an earlier result: name a new folder with --out")
    root = options.folder or simulated(out / "folder", options.frames, options.size)
    source = recognise_format(root)
    layout = source.open(root, source.splits(root)[0]).name
    print(f"{root}: {source.name}, laid out as {layout}")

    report("to coco", convert_dataset(source, root, COCO, out / "coco"))
    if options.folder is None:
        widen_a_box(out / "coco")
    back = format_named(layout)
    report(f"back to {layout}", convert_dataset(COCO, out / "coco", back, out / "back"))
    compare(source, root, back, out / "back")


def report(title: str, done: Conversion) -> None:
    """Splits, losses and frames that could not be used."""
    splits = ", ".join(f"{name} {len(ids)}" for name, ids in done.splits.items())
    print(f"\n{title}: {done.frames} frames ({splits})")
    for kind, ids in done.lost.items():
        print(f"  lost: {kind}: {len(ids)} ({', '.join(ids[:3])}{' ...' if len(ids) > 3 else ''})")
    if not done.lost:
        print("  lost: nothing")
    for skipped in done.skipped:
        print(f"  skipped {skipped.id!r}: {skipped.reason}")


def compare(source: Format, root: Path, back: Format, copy: Path) -> None:
    """Hold every frame that came back against the one that left."""
    print("\nwhat came back, by split:")
    for split in back.splits(copy):
        before, after = source.open(root, split), back.open(copy, split)
        kept = [name for name in after.ids if before.knows(name)]
        pairs = [(before.read(name), after.read(name)) for name in kept]
        levels = sum(np.array_equal(one.image, two.image) for one, two in pairs)
        masks = sum(np.array_equal(one.mask, two.mask) for one, two in pairs)
        boxes = sum(np.array_equal(one.boxes, two.boxes) for one, two in pairs)
        print(
            f"  {split}: {len(kept)} of {len(before)} frames under their ids; {levels} with all"
            f" levels, {masks} with all pixels of the mask, {boxes} with all boxes"
        )


def widen_a_box(root: Path) -> None:
    """Draw the first box of a COCO dataset a pixel wider to the right."""
    path = min((root / "annotations").glob("*.json"))
    content = json.loads(path.read_text("utf-8"))
    content["annotations"][0]["bbox"][2] += 1
    write_json(path, content)
    print(f"\n{path}: the first box is a pixel wider now")


def simulated(root: Path, frames: int, size: tuple[int, int]) -> Path:
    """Two splits of simulated frames, 14 bits in 16-bit PNG."""
    samples = list(SimulatedFrames(2 * frames, seed=0, shape=size[::-1], bits=14))
    write_mask_folder(root, "train", samples[:frames], layout="dnanet")
    write_mask_folder(root, "test", samples[frames:], layout="dnanet")
    return root


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="your folder of images and masks")
    parser.add_argument("--out", type=Path, default=Path("converted"), help="folder to write")
    parser.add_argument("--frames", type=int, default=8, help="simulated frames a split")
    parser.add_argument("--size", type=int, nargs=2, default=(320, 256), help="of simulated frames")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main()
    except DeepirError as error:
        raise SystemExit(f"{error}") from None
