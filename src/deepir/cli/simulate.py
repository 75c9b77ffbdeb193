"""``deepir simulate``: infrared-like frames with exact truth, in the layout of SIRST-V2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, validators

from deepir.choices import Clutter
from deepir.cli.options import Whole
from deepir.cli.terminal import progress_bar

if TYPE_CHECKING:
    from deepir.structures import Sample

Positive = Annotated[Whole, Parameter(validator=validators.Number(gte=1))]
MOST_FRAMES = 1_000_000  # ids count in six digits
MOST_PIXELS = 2**26  # a frame, and several copies of it, has to fit into memory


def simulate(
    *,
    out: Path = Path("deepir-simulated"),
    count: Positive = 16,
    width: Positive = 320,
    height: Positive = 256,
    clutter: Clutter = "mixed",
    bits: Literal[8, 14] = 14,
    seed: Whole = 0,
    split: str = "test_full",
) -> int:
    """Simulate frames with boxes and masks, to be used with --data sirst-v2 --root OUT.

    Args:
        out: folder to write into.
        count: number of frames.
        width: pixels a row.
        height: rows.
        clutter: kind of background.
        bits: 8, or 14 stored in 16-bit PNG.
        seed: same seed, same frames.
        split: name of the list of ids; it begins the ids too where another split of the folder
            has the same ones.
    """
    from deepir.data import write_sirst_v2
    from deepir.errors import UsageError
    from deepir.simulate import SimulatedFrames
    from deepir.writing import check_output_folder

    if seed < 0:
        raise UsageError(f"a seed is a whole number from 0 on, got {seed}")
    if count > MOST_FRAMES or width * height > MOST_PIXELS:
        raise UsageError(
            f"at most {MOST_FRAMES} frames of {MOST_PIXELS} pixels, got {count} of {width}x{height}"
        )
    frames = SimulatedFrames(count, seed=seed, shape=(height, width), clutter=clutter, bits=bits)
    check_output_folder(out)
    prefix = f"{split}-" if _taken(out, split) & {*frames.ids} else ""
    with progress_bar("simulate") as progress:

        def told() -> Iterator[Sample]:
            for done, sample in enumerate(frames, start=1):
                yield replace(sample, id=prefix + sample.id)
                progress(done, count)

        write_sirst_v2(out, split, told())
    print(f"{count} frames of {width}x{height}, {bits} bits: {out}")
    print(f"next: deepir eval lcm --data sirst-v2 --root {out} --split {split}")
    return 0


def _taken(out: Path, split: str) -> set[str]:
    """Ids of the other splits in a folder."""
    from deepir.data.listing import read_ids
    from deepir.data.sirst import SPLITS, looks_like_sirst_v2, sirst_v2_splits

    if not looks_like_sirst_v2(out):
        return set()
    others = (other for other in sirst_v2_splits(out) if other != split)
    return {one for other in others for one in read_ids(out / SPLITS / f"{other}.txt")}
