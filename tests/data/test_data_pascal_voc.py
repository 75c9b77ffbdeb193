"""Pascal VOC: three ways of counting, lists as they are shipped, annotations of other tools."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_frames import SHAPE, framed, noise

from deepir.data import PascalVoc, open_dataset, write_voc
from deepir.data.pascal_voc import COUNTING
from deepir.data.voc import MOST_XML_BYTES
from deepir.errors import DeepirError, FrameError, UsageError

COUNTED = {"voc": (4, 5, 6, 9), "voc-half-open": (4, 5, 7, 10), "voc-zero-based": (3, 4, 6, 9)}
"""Numbers in the file for the box 3, 4, 6, 9 in half-open pixels from 0."""


def xml(*boxes, name="target", size=""):
    sides = ("xmin", "ymin", "xmax", "ymax")
    objects = "".join(
        f"<object><name>{name}</name><difficult>1</difficult><bndbox>"
        + "".join(f"<{side}>{value}</{side}>" for side, value in zip(sides, box, strict=True))
        + "</bndbox></object>"
        for box in boxes
    )
    return f"<annotation>{size}{objects}</annotation>"


@pytest.fixture
def voc(save, tmp_path):
    """A dataset of one frame ``a`` with the annotation that is given."""

    def write(text, image="JPEGImages/a.png", **options):
        save(image)
        save("Annotations/a.xml", text)
        return PascalVoc.open(tmp_path, **options)

    return write


class TestCounting:
    @pytest.mark.parametrize("counting", COUNTING)
    def test_each_way_is_written_and_read(self, tmp_path, counting):
        assert list(write_voc(tmp_path, "test", [framed(mask=None)], counting=counting)) == []
        text = (tmp_path / "Annotations" / "a.xml").read_text("utf-8")
        for side, value in zip(("xmin", "ymin", "xmax", "ymax"), COUNTED[counting], strict=True):
            assert f"<{side}>{value}</{side}>" in text
        dataset = open_dataset(counting, root=tmp_path)
        assert dataset.name == counting
        assert dataset.read("a").boxes.tolist() == [[3, 4, 6, 9]]

    def test_a_box_of_one_pixel_has_equal_sides_as_published(self, voc):
        assert voc(xml((1, 1, 1, 1))).read("a").boxes.tolist() == [[0, 0, 1, 1]]

    def test_numbers_from_0_are_seen_and_the_other_format_is_named(self, voc):
        text = xml((0, 3, 6, 9))
        with pytest.raises(FrameError, match=r"before the first pixel.*voc-zero-based"):
            voc(text).read("a")
        read = voc(text, counting="voc-zero-based").read("a")
        assert read.boxes.tolist() == [[0, 3, 6, 9]]

    def test_an_unknown_way_is_refused(self, tmp_path):
        for call in (PascalVoc.open, lambda root, **more: write_voc(root, "test", [], **more)):
            with pytest.raises(UsageError, match=r"'voc-open'.*mean 'voc-half-open'"):
                call(tmp_path, counting="voc-open")

    @given(
        counting=st.sampled_from(sorted(COUNTING)),
        box=st.tuples(*[st.floats(0, 1000, width=32)] * 4),
    )
    def test_sides_that_are_said_to_be_kept_are(self, counting, box):
        corners = COUNTING[counting]
        boxes = np.array([box], np.float32)
        read = np.float32(corners.box(corners.stored(boxes[0].tolist())))
        assert corners.keeps(boxes) == np.array_equal(read, boxes[0])
        assert corners.keeps(np.rint(boxes))


class TestLists:
    def test_without_lists_everything_is_one_split(self, voc):
        dataset = voc(xml(), image="JPEGImages/a.jpg")
        assert (dataset.split, dataset.ids) == ("all", ["a"])
        assert dataset.read("a").mask is None

    def test_lists_of_a_class_are_no_splits(self, voc, save):
        save("JPEGImages/b 1.png")
        save("ImageSets/Main/test.txt", "a\n")
        save("ImageSets/Main/ship_test.txt", "a -1\nc  1\n")
        save("ImageSets/Main/odd.txt", "b 1\n")
        voc(xml())
        dataset = voc(xml(), split="odd")
        assert dataset.ids == ["b 1"]
        with pytest.raises(UsageError, match="unknown split 'ship_test'"):
            voc(xml(), split="ship_test")

    def test_another_tree_is_refused(self, tmp_path):
        with pytest.raises(UsageError, match="no folders 'JPEGImages' and 'Annotations'"):
            PascalVoc.open(tmp_path)


class TestAnnotations:
    @pytest.mark.parametrize(
        ("width", "height", "fits"),
        [(30, 20, True), (0, 0, True), ("", "x", True), (10**12, 20, True), (20, 30, False)],
    )
    def test_a_size_is_compared_where_it_says_something(self, voc, width, height, fits):
        size = f"<size><width>{width}</width><height>{height}</height></size>"
        dataset = voc(xml((1, 1, 2, 2), size=size))
        if fits:
            assert len(dataset.read("a").boxes) == 1
        else:
            with pytest.raises(FrameError, match=r"\(20, 30\) pixels.*\(30, 20\)"):
                dataset.read("a")

    def test_what_hangs_over_by_rounding_is_put_on_the_edge(self, voc):
        dataset = voc(xml((-0.3, 0, 30.4, 19)), counting="voc-zero-based")
        assert dataset.read("a").boxes.tolist() == [[0, 0, 30, 19]]

    @pytest.mark.parametrize("box", [(1, 1, 31, 20), (5, 5, 3, 9)])
    def test_a_box_that_is_none_is_a_bad_frame(self, voc, box):
        with pytest.raises(FrameError, match="of 'a'"):
            voc(xml(box)).read("a")

    def test_a_missing_annotation_is_a_bad_frame(self, voc, save, tmp_path):
        save("JPEGImages/b.png")
        voc(xml())
        with pytest.raises(FrameError, match="no annotation"):
            PascalVoc.open(tmp_path).read("b")

    def test_classes_become_one(self, voc):
        assert voc(xml((1, 1, 2, 2))).left_out() == {}
        ship = voc(xml((1, 1, 2, 2), name="ship"))
        assert ship.left_out() == {"classes 'ship' become one, 'target'": ["a"]}
        assert voc("no").left_out() == {}

    def test_an_annotation_beyond_all_measure_is_refused(self, voc, tmp_path):
        dataset = voc(xml())
        with (tmp_path / "Annotations" / "a.xml").open("wb") as stream:
            stream.truncate(MOST_XML_BYTES + 1)
        with pytest.raises(DeepirError, match=f"a file of up to {MOST_XML_BYTES} is wanted"):
            dataset.read("a")

    @settings(max_examples=40)
    @given(st.text(max_size=60))
    def test_no_text_is_more_than_an_error(self, tmp_path_factory, text):
        root = tmp_path_factory.mktemp("voc")
        (root / "JPEGImages").mkdir()
        (root / "Annotations").mkdir()
        (root / "Annotations" / "a.xml").write_bytes(text.encode(errors="replace"))
        np.save(root / "JPEGImages" / "a.npy", noise())
        with pytest.raises(DeepirError):
            PascalVoc.open(root).read("a")


def test_masks_are_listed_as_lost(tmp_path):
    lost = write_voc(tmp_path, "test", [framed("a"), framed("b", boxes=())])
    assert lost == {"masks are left out": ["a", "b"]}
    assert PascalVoc.open(tmp_path).read("b").image.shape == SHAPE
