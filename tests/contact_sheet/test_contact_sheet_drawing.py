"""Cards show targets and their NoCo maps; sheets hold all of their text, and ask for nothing."""

from __future__ import annotations

import base64
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from frames_in_memory import Frames

from deepir.contact_sheet import Sheet, draw_png, make_sheet, render_html
from deepir.contact_sheet.blocks import Block, blocks_of
from deepir.contact_sheet.cards import (
    CARD_H,
    CARD_W,
    EMPTY,
    FRAME_W,
    GAP,
    MARK,
    SCALE,
    SIDE,
    SMALL_SIDE,
    make_card,
    noco_colours,
)
from deepir.contact_sheet.figures import Figures
from deepir.contact_sheet.png import BLOCK_WIDTHS, WIDTH
from deepir.contact_sheet.sheet import LEGEND
from deepir.contact_sheet.text import LARGE, PLAIN, SMALL, fitted, text_width
from deepir.noco import noco_map
from deepir.passes import Pass
from deepir.structures import Sample


def card_of(sample):
    figures = Figures()
    figures.take(sample)
    return make_card(sample, figures.frames[0])


def frame(shape=(90, 120), boxes=((50, 40, 54, 43),), dtype=np.uint8, level=200):
    image = np.random.default_rng(8).integers(20, 30, shape).astype(dtype)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] += np.asarray(level).astype(dtype)
    return Sample(image, boxes, None, "a")


def tiles(card):
    """The room of the enlarged targets, and that of the maps."""
    column = card.picture[:, FRAME_W + GAP :]
    return column[:SIDE], column[SIDE + GAP :]


class TestCard:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 900), (700, 2), (256, 320), (1080, 1920)])
    @pytest.mark.parametrize("count", [0, 1, 3, 7])
    def test_frames_of_any_size_give_one_size_of_picture(self, shape, count):
        rng = np.random.default_rng(8)
        places = rng.integers(0, [shape[1], shape[0]], (count, 2))
        boxes = [(x, y, x + 1, y + 1) for x, y in places.tolist()]
        card = card_of(Sample(rng.random(shape), boxes, None, "a"))
        assert card.picture.shape == (CARD_H, CARD_W, 3)
        assert card.picture.dtype == np.uint8

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
    def test_a_target_is_enlarged_with_its_box_and_its_map(self, dtype):
        sample = frame(dtype=dtype)
        zoom, noco = tiles(card_of(sample))
        crop = SIDE // SCALE
        left, top = (50 + 54 - crop) // 2, (40 + 43 - crop) // 2
        inside = zoom[
            (40 - top) * SCALE : (43 - top) * SCALE, (50 - left) * SCALE : (54 - left) * SCALE
        ]
        assert inside.max() == 255
        assert inside.min() > 200
        rows, columns = np.nonzero((zoom == MARK).all(axis=2))
        assert (rows.min(), rows.max()) == ((40 - top) * SCALE - 1, (43 - top) * SCALE)
        assert (columns.min(), columns.max()) == ((50 - left) * SCALE - 1, (54 - left) * SCALE)
        values = noco_map(sample.image, sample.boxes)[top : top + crop, left : left + crop]
        expected = noco_colours(values).repeat(SCALE, axis=0).repeat(SCALE, axis=1)
        np.testing.assert_array_equal(noco, expected)

    def test_up_to_four_targets_stand_in_two_rows(self):
        boxes = [(10 + 20 * number, 30, 13 + 20 * number, 33) for number in range(5)]
        for count in (2, 3, 4, 5):
            zoom, _ = tiles(card_of(frame(boxes=boxes[:count])))
            corners = [
                zoom[y : y + SMALL_SIDE, x : x + SMALL_SIDE]
                for y in (0, SIDE - SMALL_SIDE)
                for x in (0, SIDE - SMALL_SIDE)
            ]
            shown = [not (corner == EMPTY).all() for corner in corners]
            assert shown == [number < count for number in range(4)]

    def test_a_target_larger_than_a_tile_is_shown_whole(self):
        zoom, _ = tiles(card_of(frame((300, 400), [(100, 100, 300, 180)])))
        rows, columns = np.nonzero((zoom == MARK).all(axis=2))
        assert 0 < columns.min() < columns.max() < SIDE - 1
        assert 0 < rows.min() < rows.max() < SIDE - 1

    def test_the_faintest_target_comes_first_and_the_line_says_so(self):
        sample = frame(boxes=[(10, 10, 13, 13), (60, 50, 63, 53)])
        sample.image[10:13, 10:13] = 255
        sample.image[50:53, 60:63] = 40
        line = card_of(sample).line
        scrs = [float(word) for word in line.partition("SCR ")[2].split()]
        assert line.startswith("120 x 90, 8 bit, 2 targets, SCR ")
        assert scrs == sorted(scrs)
        assert scrs[1] > 5 * scrs[0]

    def test_more_than_four_targets_are_hinted_at(self):
        boxes = [(10 + 20 * number, 30, 13 + 20 * number, 33) for number in range(5)]
        line = card_of(frame(boxes=boxes)).line
        assert "5 targets" in line
        assert line.endswith(" ...")

    def test_a_frame_without_target_says_so(self):
        assert card_of(frame(boxes=())).line == "120 x 90, 8 bit, no target"

    def test_holes_are_drawn_without_a_warning(self):
        sample = frame(dtype=np.float64)
        sample.image[30:60, 30:70] = np.nan
        sample.image[41, 51] = 7.0
        card_of(sample)


class TestText:
    @pytest.mark.parametrize("size", [SMALL, PLAIN, LARGE])
    @pytest.mark.parametrize("width", [0, 5, 30, 200, 2000])
    def test_what_is_fitted_fits(self, size, width):
        for text in ("", "a", "S20210422_S6_338", "W" * 300, "火 ü" * 40):
            assert text_width(fitted(text, width, size), size) <= width

    def test_beginning_and_end_are_kept(self):
        short = fitted("scene_" + "x" * 200 + "_000123", 150, PLAIN)
        assert short.startswith("scene")
        assert short.endswith("123")
        assert "..." in short

    def test_the_legend_fits(self):
        assert fitted(LEGEND, WIDTH - 186, SMALL) == LEGEND


@pytest.fixture(scope="module")
def sheet():
    return make_sheet(Frames(8), count=5)


def long_texts(sheet):
    name = "N" * 90
    rows = ((name, "123,456,789"),)
    blocks = [Block(name, (name, name), rows, (1.0,)) for _ in BLOCK_WIDTHS]
    cards = [replace(sheet.cards[0], id=name * 3, line=name * 3)]
    return replace(sheet, title=name * 9, summary=name * 9, blocks=blocks, cards=cards)


class TestPng:
    def test_the_same_sheet_is_the_same_picture(self, sheet):
        np.testing.assert_array_equal(draw_png(sheet), draw_png(sheet))

    @pytest.mark.parametrize("count", [0, 1, 3, 4, 13])
    def test_any_number_of_frames_fits(self, sheet, count):
        cards = (sheet.cards * 3)[:count]
        picture = draw_png(replace(sheet, cards=cards))
        rows = -(-count // 3)
        empty = draw_png(replace(sheet, cards=[]))
        assert picture.shape[1] == WIDTH
        assert picture.shape[0] > empty.shape[0] + rows * CARD_H - 1
        np.testing.assert_array_equal(picture[: empty.shape[0] - 30], empty[:-30])

    def test_no_text_reaches_the_margin(self, sheet):
        picture = draw_png(long_texts(sheet))
        margins = np.concatenate([picture[:, :26], picture[:, -26:]], axis=1)
        assert (margins == margins[0, 0]).all()

    def test_no_text_of_a_table_reaches_the_next_one(self, sheet):
        picture = draw_png(long_texts(sheet))
        gap = (WIDTH - 56 - sum(BLOCK_WIDTHS)) // 4
        right = 28
        for width in BLOCK_WIDTHS[:-1]:
            right += width
            between = picture[84:240, right + 2 : right + gap - 2]
            assert (between == picture[0, 0]).all()
            right += gap

    def test_no_frame_at_all_is_a_sheet_too(self):
        empty = Sheet("none", "", blocks_of(Figures()), [], Pass())
        assert draw_png(empty).shape[1] == WIDTH
        assert "<table>" in render_html(empty)


class Links(HTMLParser):
    """Everything that a browser could ask for, and the text of a page."""

    def __init__(self):
        super().__init__()
        self.asked, self.tags, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        wanted = ("src", "href", "action", "data", "poster", "srcset", "background")
        self.asked += [value for name, value in attributes if name in wanted]

    def handle_data(self, data):
        self.words.append(data)


def parsed(text):
    links = Links()
    links.feed(text)
    links.close()
    return links


class TestHtml:
    def test_it_asks_for_nothing(self, sheet):
        text = render_html(sheet)
        page = parsed(text)
        assert page.asked
        assert all(address.startswith("data:") for address in page.asked)
        assert not {"script", "iframe", "object", "base"} & set(page.tags)
        assert "url(" not in text
        assert "@import" not in text
        assert "default-src 'none'" in text

    def test_it_holds_the_pictures_of_the_cards(self, sheet):
        pictures = [
            cv2.imdecode(np.frombuffer(base64.b64decode(address.partition(",")[2]), np.uint8), 1)
            for address in parsed(render_html(sheet)).asked
            if address.startswith("data:image/png")
        ]
        for picture, card in zip(pictures[1:], sheet.cards, strict=True):  # the first is the legend
            np.testing.assert_array_equal(picture, card.picture)

    def test_it_holds_every_figure(self, sheet):
        words = " ".join(parsed(render_html(sheet)).words)
        cells = [cell for one in sheet.blocks for row in one.rows for cell in row]
        texts = [sheet.title, sheet.summary, *cells, *(card.line for card in sheet.cards)]
        assert all(text in words for text in texts)

    def test_names_are_text_and_never_markup(self, sheet):
        nasty = '"><script>alert(1)</script>&amp;火'
        named = replace(sheet, title=nasty, cards=[replace(sheet.cards[0], id=nasty, line=nasty)])
        page = parsed(render_html(named))
        assert "script" not in page.tags
        assert nasty in page.words
