"""The picture of one frame on a sheet: the frame, its targets enlarged, their NoCo maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.contact_sheet.figures import FrameFigures, depth_of
from deepir.contact_sheet.text import SMALL, text_width, write
from deepir.holes import patch_holes
from deepir.noco import noco_map
from deepir.overlay import Colour, Picture, stretch_to_8bit
from deepir.structures import Image, Sample

FRAME_W, FRAME_H = 320, 256
"""Room of a frame, which most sensors' 5:4 fills."""

SCALE = 4
"""A pixel of the frame is as many pixels wide where its target is enlarged."""

SIDE, SMALL_SIDE = 124, 60
"""Of an enlarged target alone, and as one of up to four."""

MOST_TARGETS = 4
GAP = 8
CARD_W, CARD_H = FRAME_W + GAP + SIDE, FRAME_H

BACKDROP: Colour = (24, 22, 20)
EMPTY: Colour = (38, 35, 32)
MARK: Colour = (60, 200, 255)
FAINT: Colour = (160, 158, 155)
NO_TARGET = "no target"


@dataclass(frozen=True, eq=False)
class Card:
    """One frame of a sheet: ``picture`` (256, 452, 3), its id, and a line about it."""

    id: str
    line: str
    picture: Picture


def make_card(sample: Sample, figures: FrameFigures) -> Card:
    """Draw one frame; at most four of its targets are enlarged, the faintest first."""
    scrs = [math.inf if math.isnan(scr) else scr for scr in figures.scrs]
    shown = np.argsort(scrs, kind="stable")[:MOST_TARGETS]
    boxes = [_rectangle(box) for box in sample.boxes]
    picture = np.full((CARD_H, CARD_W, 3), BACKDROP, dtype=np.uint8)
    picture[:, :FRAME_W] = _frame(sample.image, boxes)
    noco = noco_map(patch_holes(sample.image).filled, sample.boxes)
    side = SIDE if len(shown) == 1 else SMALL_SIDE
    zooms = [_zoom(sample.image, boxes[index], side) for index in shown]
    maps = [_noco(noco, boxes[index], side) for index in shown]
    picture[:SIDE, FRAME_W + GAP :] = _tiled(zooms)
    picture[SIDE + GAP :, FRAME_W + GAP :] = _tiled(maps)
    return Card(sample.id, _line(sample, figures, len(shown)), picture)


def _line(sample: Sample, figures: FrameFigures, shown: int) -> str:
    """Size, depth, and how far the targets stand out.

    SCRs are those of the enlarged ones, the faintest first.
    """
    height, width = sample.image.shape
    said = f"{width} x {height}, {depth_of(sample.image)}, "
    if not figures.scrs:
        return said + NO_TARGET
    ordered = sorted(figures.scrs, key=lambda scr: (math.isnan(scr), scr))[:shown]
    values = " ".join("-" if math.isnan(scr) else f"{scr:.1f}" for scr in ordered)
    more = len(figures.scrs) - shown
    count = f"{len(figures.scrs)} targets, " if len(figures.scrs) > 1 else ""
    return f"{said}{count}SCR {values}{' ...' if more else ''}"


def _rectangle(box: NDArray[np.float32]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = np.rint(box).astype(int).tolist()
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def _frame(image: Image, boxes: list[tuple[int, int, int, int]]) -> Picture:
    """The frame as large as it fits, a bracket around each target."""
    height, width = image.shape
    factor = min(FRAME_W / width, FRAME_H / height)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    grey = cv2.resize(stretch_to_8bit(image), size, interpolation=how)
    picture = np.full((FRAME_H, FRAME_W, 3), EMPTY, dtype=np.uint8)
    left, top = (FRAME_W - size[0]) // 2, (FRAME_H - size[1]) // 2
    picture[top : top + size[1], left : left + size[0]] = np.asarray(grey)[:, :, None]
    for box in boxes:
        x0, y0, x1, y1 = (round(side * factor) for side in box)
        _brackets(picture, (left + x0, top + y0, left + x1, top + y1))
    return picture


def _brackets(picture: Picture, box: tuple[int, int, int, int]) -> None:
    """Corners 4 px outside a box, inside the picture where the box is at its border."""
    height, width = picture.shape[:2]
    x0, y0 = max(box[0] - 5, 0), max(box[1] - 5, 0)
    x1, y1 = min(box[2] + 4, width - 1), min(box[3] + 4, height - 1)
    arm = max(3, min(x1 - x0, y1 - y0) // 4)
    for x, across in ((x0, arm), (x1, -arm)):
        for y, down in ((y0, arm), (y1, -arm)):
            cv2.line(picture, (x, y), (x + across, y), MARK, 1)
            cv2.line(picture, (x, y), (x, y + down), MARK, 1)


@dataclass(frozen=True)
class _Window:
    """What a tile shows of a frame: ``crop`` pixels a side from ``left`` and ``top`` on.

    It may reach beyond the frame.
    """

    left: int
    top: int
    crop: int
    side: int  # of the tile

    @classmethod
    def around(cls, box: tuple[int, int, int, int], side: int) -> _Window:
        """At `SCALE` unless the target needs more room."""
        crop = max(side // SCALE, 3 * max(box[2] - box[0], box[3] - box[1]) // 2)
        left, top = (box[0] + box[2] - crop) // 2, (box[1] + box[3] - crop) // 2
        return cls(left, top, crop, side)

    def part(self, values: NDArray[Any]) -> NDArray[Any]:
        """What lies in the frame of it; at least one pixel, as the target does."""
        rows = slice(max(self.top, 0), self.top + self.crop)
        return values[rows, max(self.left, 0) : self.left + self.crop]

    def tile(self, part: Picture) -> Picture:
        """The part enlarged, with what is outside of the frame plain."""
        whole = np.full((self.crop, self.crop, 3), EMPTY, dtype=np.uint8)
        y, x = max(-self.top, 0), max(-self.left, 0)
        whole[y : y + part.shape[0], x : x + part.shape[1]] = part
        how = cv2.INTER_AREA if self.crop > self.side else cv2.INTER_NEAREST
        return np.asarray(cv2.resize(whole, (self.side, self.side), interpolation=how), np.uint8)

    def outline(self, tile: Picture, box: tuple[int, int, int, int]) -> None:
        """Draw a box around its pixels."""
        scale = self.side / self.crop
        near = [
            round((at - start) * scale) - 1 for at, start in zip(box[:2], self.start, strict=True)
        ]
        far = [round((at - start) * scale) for at, start in zip(box[2:], self.start, strict=True)]
        cv2.rectangle(tile, near, far, MARK, 1)

    @property
    def start(self) -> tuple[int, int]:
        """Left and top."""
        return self.left, self.top


def _zoom(image: Image, box: tuple[int, int, int, int], side: int) -> Picture:
    """A target and what is around it, from its darkest to its brightest, its box outlined."""
    window = _Window.around(box, side)
    part = window.part(image)
    seen = np.isfinite(part).any()
    grey = stretch_to_8bit(part, percentiles=(0, 100)) if seen else np.zeros(part.shape, np.uint8)
    tile = window.tile(np.repeat(grey[:, :, None], 3, axis=2))
    window.outline(tile, box)
    return tile


def _noco(values: NDArray[np.float64], box: tuple[int, int, int, int], side: int) -> Picture:
    """NoCo map around a target."""
    window = _Window.around(box, side)
    return window.tile(noco_colours(window.part(values)))


def noco_colours(values: NDArray[np.float64]) -> Picture:
    """Colours (H, W, 3) of NoCo values (H, W): from 0, nearly black, to 1, bright yellow."""
    levels = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), dtype=np.uint8)


def _tiled(tiles: list[Picture]) -> Picture:
    """One tile, or up to four in two rows; room without a tile is plain, or says why."""
    if len(tiles) == 1:
        return tiles[0]
    whole = np.full((SIDE, SIDE, 3), EMPTY, dtype=np.uint8)
    if not tiles:
        left = (SIDE - text_width(NO_TARGET, SMALL)) // 2
        write(whole, NO_TARGET, (left, SIDE // 2 + 4), size=SMALL, colour=FAINT)
        return whole
    whole[SMALL_SIDE : SIDE - SMALL_SIDE] = BACKDROP
    whole[:, SMALL_SIDE : SIDE - SMALL_SIDE] = BACKDROP
    for number, tile in enumerate(tiles):
        row, column = divmod(number, 2)
        y, x = row * (SIDE - SMALL_SIDE), column * (SIDE - SMALL_SIDE)
        whole[y : y + SMALL_SIDE, x : x + SMALL_SIDE] = tile
    return whole
