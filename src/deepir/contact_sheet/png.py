"""A sheet as one picture."""

from __future__ import annotations

import numpy as np

from deepir.contact_sheet.blocks import Block
from deepir.contact_sheet.cards import BACKDROP, CARD_H, CARD_W, FAINT, MARK, Card, noco_colours
from deepir.contact_sheet.sheet import LEGEND, Sheet
from deepir.contact_sheet.text import (
    LARGE,
    PLAIN,
    SMALL,
    fitted,
    text_width,
    write,
    write_right,
)
from deepir.overlay import Colour, Picture

COLUMNS = 3
MARGIN, BETWEEN = 28, 24
WIDTH = 2 * MARGIN + COLUMNS * CARD_W + (COLUMNS - 1) * BETWEEN
CAPTION_H = 42
ROW_H = 20
BLOCK_H = 2 * ROW_H + 6 * ROW_H + 16
HEAD_H = 84

TEXT: Colour = (235, 235, 235)
BAR: Colour = (96, 72, 40)
RULE: Colour = (70, 66, 62)

BLOCK_WIDTHS = (218, 232, 192, 290, 368)
"""Of the five tables; with the gaps between them they fill the page."""


def draw_png(sheet: Sheet) -> Picture:
    """Picture (H, W, 3) of a sheet, blue green red as OpenCV writes it."""
    rows = -(-len(sheet.cards) // COLUMNS)
    height = HEAD_H + BLOCK_H + ROW_H + MARGIN + rows * (CARD_H + CAPTION_H + BETWEEN)
    page = np.full((height, WIDTH, 3), BACKDROP, dtype=np.uint8)
    _head(page, sheet)
    gap = (WIDTH - 2 * MARGIN - sum(BLOCK_WIDTHS)) // (len(BLOCK_WIDTHS) - 1)
    left = MARGIN
    for block, width in zip(sheet.blocks, BLOCK_WIDTHS, strict=True):
        _block(page[HEAD_H:, left : left + width], block)
        left += width + gap
    _legend(page, HEAD_H + BLOCK_H)
    top = HEAD_H + BLOCK_H + ROW_H + MARGIN
    for number, card in enumerate(sheet.cards):
        row, column = divmod(number, COLUMNS)
        x = MARGIN + column * (CARD_W + BETWEEN)
        y = top + row * (CARD_H + CAPTION_H + BETWEEN)
        _card(page[y : y + CARD_H + CAPTION_H, x : x + CARD_W], card)
    return page


def _head(page: Picture, sheet: Sheet) -> None:
    room = WIDTH - 2 * MARGIN
    write(page, fitted(sheet.title, room, LARGE), (MARGIN, 40), size=LARGE, colour=TEXT)
    write(page, fitted(sheet.summary, room, PLAIN), (MARGIN, 64), size=PLAIN, colour=FAINT)


def _block(place: Picture, block: Block) -> None:
    """A table at the top left of a place: title, heads, rule, rows."""
    width = place.shape[1]
    write(place, block.title, (0, 14), size=PLAIN, colour=MARK)
    ends = _column_ends(block, width)
    lines = [block.heads, *block.rows]
    place[2 * ROW_H - 1, :] = RULE
    for number, share in enumerate(block.shares):
        top = (number + 2) * ROW_H + 3
        place[top : top + ROW_H - 5, : round(share * width)] = BAR
    for number, cells in enumerate(lines):
        base = (number + 1) * ROW_H + 14
        colour = FAINT if number == 0 else TEXT
        room = ends[1] - text_width(cells[1], SMALL) - 12
        write(place, fitted(cells[0], room, SMALL), (4, base), size=SMALL, colour=colour)
        for cell, end in zip(cells[1:], ends[1:], strict=True):
            write_right(place, cell, (end - 4, base), size=SMALL, colour=colour)


def _column_ends(block: Block, width: int) -> list[int]:
    """Where the columns end; those of figures share what the first leaves."""
    figures = len(block.heads) - 1
    each = max(
        text_width(cells[column], SMALL)
        for cells in (block.heads, *block.rows)
        for column in range(1, figures + 1)
    )
    each = min(each + 16, width // len(block.heads))
    return [width - (figures - number) * each for number in range(figures + 1)]


def _legend(page: Picture, top: int) -> None:
    """One line with the colours of NoCo at its end."""
    base = top + 14
    line = fitted(LEGEND, WIDTH - 2 * MARGIN - 130, SMALL)
    write(page, line, (MARGIN, base), size=SMALL, colour=FAINT)
    left = MARGIN + text_width(line, SMALL) + 10
    for text, shift in (("0", 0), ("1", 104)):
        write(page, text, (left + shift, base), size=SMALL, colour=FAINT)
    bar = noco_colours(np.linspace(0, 1, 80)[None].repeat(10, axis=0))
    page[base - 9 : base + 1, left + 16 : left + 96] = bar


def _card(place: Picture, card: Card) -> None:
    place[:CARD_H] = card.picture
    write(place, fitted(card.id, CARD_W, PLAIN), (0, CARD_H + 18), size=PLAIN, colour=TEXT)
    write(place, fitted(card.line, CARD_W, SMALL), (0, CARD_H + 36), size=SMALL, colour=FAINT)
