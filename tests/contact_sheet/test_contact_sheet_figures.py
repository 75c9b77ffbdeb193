"""The figures of a dataset are those of a plain count."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from frames_in_memory import Frames

from deepir.contact_sheet.blocks import AT, ROWS, blocks_of, summary_of
from deepir.contact_sheet.figures import Figures, FrameFigures, own_mask
from deepir.contact_sheet.sheet import choose, make_sheet
from deepir.errors import DeepirError
from deepir.scr import local_scr
from deepir.structures import Sample

COUNT = 10


@pytest.fixture(scope="module")
def frames():
    return list(Frames(COUNT).frames)


@pytest.fixture(scope="module")
def figures(frames):
    counted = Figures()
    for one in frames:
        counted.take(one)
    return counted


def sample(image, boxes=(), name="a", mask=None):
    return Sample(np.asarray(image), boxes, mask, name)


def counted(*samples):
    figures = Figures()
    for one in samples:
        figures.take(one)
    return figures


def block(figures, title):
    return next(one for one in blocks_of(figures) if one.title == title)


class TestFigures:
    def test_they_are_those_of_a_plain_count(self, frames, figures):
        boxes = [box for one in frames for box in one.boxes.tolist()]
        assert figures.targets == Counter(len(one.boxes) for one in frames)
        assert figures.widths == [box[2] - box[0] for box in boxes]
        assert figures.heights == [box[3] - box[1] for box in boxes]
        assert figures.sizes == {(60, 50): COUNT}
        assert figures.without_target == sum(not len(one.boxes) for one in frames)
        assert sum(figures.areas) == sum(int(one.mask.sum()) for one in frames)

    def test_scr_is_that_of_the_targets_own_pixels(self, frames, figures):
        one = next(one for one in frames if len(one.boxes) > 1)
        own = [
            local_scr(one.image, box, boxes=one.boxes, mask=own_mask(one, box)) for box in one.boxes
        ]
        assert next(found for found in figures.frames if found.id == one.id).scrs == tuple(own)

    def test_without_a_mask_the_box_is_the_target(self):
        figures = counted(sample(np.zeros((9, 9)), [(1, 1, 3, 4)]))
        assert figures.areas == [6.0]

    def test_holes_are_no_warning(self):
        image = np.random.default_rng(0).random((30, 30))
        image[3, 3], image[14, 15], image[20, 20] = np.nan, np.inf, -np.inf
        figures = counted(sample(image, [(13, 13, 17, 17)]))
        assert math.isfinite(figures.scrs[0])

    def test_a_target_without_a_ring_has_no_scr(self):
        figures = counted(sample(np.eye(3), [(0, 0, 3, 3)]))
        assert math.isnan(figures.frames[0].faintest)
        assert block(figures, "Targets, percentiles").rows[-1] == ("local SCR", *"-----")

    def test_depths_and_the_bits_in_use(self):
        whole = [np.full((2, 2), level, np.uint16) for level in (900, 16383)]
        figures = counted(
            *map(sample, whole), sample(np.zeros((2, 2), np.uint8)), sample(np.ones((2, 2)))
        )
        assert block(figures, "Bit depth").rows == (
            ("16 bit, 14 used", "2"),
            ("8 bit, 0 used", "1"),
            ("64-bit float", "1"),
        )

    def test_no_frame_at_all_has_tables_too(self):
        assert [len(one.rows) for one in blocks_of(Figures())] == [0, 0, 1, 0, 4]
        assert summary_of(Figures()) == "0 frames, 0 targets, 0 without a target"


class TestBlocks:
    def test_every_frame_is_in_every_count(self, figures):
        for one in blocks_of(figures)[:4]:
            assert sum(int(row[1]) for row in one.rows) == COUNT

    def test_rare_values_share_a_row(self):
        names = [f"{letter}_1" for letter in "abcdefgh"] + ["a_2"] * 3
        figures = counted(
            *(sample(np.zeros((2, 2 + at)), name=one) for at, one in enumerate(names))
        )
        source, size = block(figures, "Source"), block(figures, "Frame size")
        assert len(source.rows) == len(size.rows) == ROWS
        assert (source.rows[0], source.rows[-1]) == (("a", "4", "0"), ("3 others", "3", "0"))
        assert size.rows[-1] == ("6 others", "6")

    @pytest.mark.parametrize(
        ("most", "last"), [(0, "0"), (3, "3"), (5, "5"), (6, "5 to 6"), (40, "5 to 40")]
    )
    def test_frames_with_many_targets_share_a_row(self, most, last):
        figures = Figures()
        figures.targets.update([0, most])
        rows = block(figures, "Targets a frame").rows
        assert rows[-1][0] == last
        assert sum(int(count) for _, count in rows) == 2

    def test_percentiles_are_those_of_the_targets(self, figures):
        row = block(figures, "Targets, percentiles").rows[0]
        expected = np.percentile(figures.widths, AT)
        assert [float(cell) for cell in row[1:]] == pytest.approx(expected, rel=0.01)


class TestChoice:
    def test_it_goes_from_faint_to_bright_and_ends_without(self, figures):
        chosen = choose(figures.frames, 8)
        faintest = [one.faintest for one in chosen if one.scrs]
        assert faintest == sorted(faintest)
        every = [one.faintest for one in figures.frames if one.scrs]
        assert (faintest[0], faintest[-1]) == (min(every), max(every))
        assert [bool(one.scrs) for one in chosen] == sorted(
            (bool(one.scrs) for one in chosen), reverse=True
        )

    @pytest.mark.parametrize("having", [0, 1, 2, 5, 20])
    @pytest.mark.parametrize("without", [0, 1, 5, 20])
    @pytest.mark.parametrize("count", [1, 2, 3, 12, 30])
    def test_as_many_as_asked_for_or_all_and_none_twice(self, having, without, count):
        frames = [FrameFigures(f"t{number}", (float(number),)) for number in range(having)]
        frames += [FrameFigures(f"n{number}", ()) for number in range(without)]
        chosen = [one.id for one in choose(frames, count)]
        assert len(chosen) == min(count, having + without)
        assert len(set(chosen)) == len(chosen)


class TestSheet:
    def test_it_shows_what_it_counts(self, frames, figures):
        one = make_sheet(Frames(COUNT), count=5)
        assert (one.title, one.summary) == ("in-memory  all", summary_of(figures))
        assert one.blocks == blocks_of(figures)
        assert [card.id for card in one.cards] == [each.id for each in choose(figures.frames, 5)]
        assert one.done.taken == [each.id for each in frames]

    def test_frames_that_cannot_be_read_are_named(self):
        ids = Frames(3).ids
        one = make_sheet(Frames(3, damaged=ids[1:2]))
        assert sorted(card.id for card in one.cards) == sorted({*ids} - {ids[1]})
        assert [skipped.id for skipped in one.done.skipped] == [ids[1]]

    def test_no_usable_frame_is_an_error(self):
        with pytest.raises(DeepirError, match="damaged"):
            make_sheet(Frames(2, damaged=Frames(2).ids))
