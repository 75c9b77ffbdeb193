"""A sheet: every frame counted, some of them shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from deepir.contact_sheet.blocks import Block, blocks_of, summary_of
from deepir.contact_sheet.cards import Card, make_card
from deepir.contact_sheet.figures import Figures, FrameFigures
from deepir.data import Dataset
from deepir.passes import Pass, one_pass

WITHOUT_SHARE = 4
"""One in so many of the frames that are shown is one without a target."""

LEGEND = (
    "Frames: 0.5 to 99.9 % of their levels from black to white. Targets, the faintest first: from"
    " the darkest to the brightest pixel shown, boxes outlined. NoCo maps beneath:"
)


@dataclass(frozen=True)
class Sheet:
    """What a sheet shows, whatever it is drawn on; ``done`` says what could not be read."""

    title: str
    summary: str
    blocks: list[Block]
    cards: list[Card]
    done: Pass


def make_sheet(
    dataset: Dataset, *, count: int = 12, progress: Callable[[int, int], None] | None = None
) -> Sheet:
    """Count every frame of a split, and draw ``count`` of them: from faint targets to bright ones.

    A quarter of them are frames without a target, where there are any. Ctrl-C ends the counting
    early; frames that cannot be read are left out, and named in ``done``.

    Raises:
        DeepirError: no usable frame at all.
    """
    figures = Figures()
    done = one_pass(dataset, figures.take, progress=progress)
    cards = [make_card(dataset.read(one.id), one) for one in choose(figures.frames, count)]
    title = f"{dataset.name}  {dataset.split}"
    return Sheet(title, summary_of(figures), blocks_of(figures), cards, done)


def choose(frames: list[FrameFigures], count: int) -> list[FrameFigures]:
    """``count`` of the frames, or all: from the faintest target to the brightest, then without.

    Evenly spaced, the first and the last included; the same frames give the same choice.

    >>> frames = [FrameFigures(str(scr), (float(scr),)) for scr in range(9)]
    >>> [frame.id for frame in choose([*frames, FrameFigures("none", ())], 4)]
    ['0', '4', '8', 'none']
    """
    having = [frame for frame in frames if frame.scrs]
    having.sort(key=lambda frame: math.inf if math.isnan(frame.faintest) else frame.faintest)
    without = [frame for frame in frames if not frame.scrs]
    least = count - len(having)  # that have to be without one
    shown = min(max(count // WITHOUT_SHARE, least), len(without))
    return _spread(having, count - shown) + _spread(without, shown)


def _spread(frames: list[FrameFigures], count: int) -> list[FrameFigures]:
    if count >= len(frames):
        return frames
    if count < 2:
        return frames[len(frames) // 2 :][:count]
    return [frames[round(step * (len(frames) - 1) / (count - 1))] for step in range(count)]
