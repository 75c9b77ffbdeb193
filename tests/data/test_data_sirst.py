"""SIRST-V2: what is written is read back; what does not fit is said."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from deepir.data import SirstV2, SkippedSample, read_samples, write_sirst_v2
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.structures import Sample

RNG = np.random.default_rng(3)


def sample(name="a", *, dtype=np.uint8, boxes=((3, 4, 6, 9),), mask="boxes"):
    image = RNG.integers(0, np.iinfo(dtype).max, (20, 30), dtype=dtype)
    pixels = np.zeros(image.shape, bool)
    for x0, y0, x1, y1 in boxes:
        pixels[int(y0) : int(y1), int(x0) : int(x1)] = True
    return Sample(image, boxes, pixels if mask == "boxes" else mask, name)


@pytest.fixture
def root(tmp_path):
    write_sirst_v2(tmp_path, "train_full", [sample("a"), sample("deep/b"), sample("c", boxes=())])
    return tmp_path


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_reading_what_was_written_is_identity(self, tmp_path, dtype):
        written = [sample("a", dtype=dtype), sample("ä 火", dtype=dtype, boxes=())]
        assert write_sirst_v2(tmp_path, "train_full", written) == 2
        dataset = SirstV2.open(tmp_path, "train_full")
        assert dataset.ids == ["a", "ä 火"]
        for expected, read in zip(written, read_samples(dataset), strict=True):
            assert read.image.dtype == dtype
            np.testing.assert_array_equal(read.image, expected.image)
            np.testing.assert_array_equal(read.boxes, expected.boxes)
            np.testing.assert_array_equal(read.mask, expected.mask)
            assert read.path.is_file()

    def test_boxes_between_pixels_survive(self, tmp_path):
        given = sample(boxes=((0.25, 1.5, 29.875, 20),))
        write_sirst_v2(tmp_path, "one", [given])
        read = SirstV2.open(tmp_path, "one").read("a")
        np.testing.assert_array_equal(read.boxes, given.boxes)

    def test_coordinates_on_disk_start_at_one(self, root):
        text = (root / "annotations" / "bboxes" / "a.xml").read_text("utf-8")
        sides = ("xmin", "ymin", "xmax", "ymax")
        assert all(
            f"<{side}>{value}</{side}>" in text
            for side, value in zip(sides, (4, 5, 7, 10), strict=True)
        )

    def test_without_a_mask_the_boxes_are_the_mask(self, tmp_path):
        write_sirst_v2(tmp_path, "one", [sample(mask=None)])
        np.testing.assert_array_equal(SirstV2.open(tmp_path, "one").read("a").mask, sample().mask)

    def test_a_list_may_have_any_line_ends_and_a_mark_at_its_start(self, root):
        path = root / "splits" / "train_full.txt"
        path.write_bytes(b"\xef\xbb\xbf" + b"a\r\n\r\n  c  \r\n")
        assert SirstV2.open(root, "train_full").ids == ["a", "c"]

    def test_samples_that_end_early_are_a_split_all_the_same(self, tmp_path):
        def interrupted():
            yield sample("a")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_sirst_v2(tmp_path, "some", interrupted())
        assert SirstV2.open(tmp_path, "some").ids == ["a"]

    def test_no_sample_is_no_split(self, tmp_path):
        assert write_sirst_v2(tmp_path, "none", []) == 0
        with pytest.raises(DeepirError):
            SirstV2.open(tmp_path, "none")


class TestReading:
    def test_an_image_of_another_size_than_its_mask_is_named_with_both(self, root):
        mask = root / "annotations" / "masks" / "a_pixels0.png"
        cv2.imwrite(str(mask), np.zeros((5, 7), np.uint8))
        with pytest.raises(FrameError, match=r"\(7, 5\).*\(30, 20\)"):
            SirstV2.open(root, "train_full").read("a")

    @pytest.mark.parametrize("level", [1, 255])
    def test_masks_may_be_0_and_1_or_0_and_255(self, root, level):
        pixels = sample().mask
        path = root / "annotations" / "masks" / "a_pixels0.png"
        cv2.imwrite(str(path), pixels.astype(np.uint8) * level)
        np.testing.assert_array_equal(SirstV2.open(root, "train_full").read("a").mask, pixels)

    def test_colour_is_read_as_opencv_reads_grey(self, root):
        colour = RNG.integers(0, 255, (20, 30, 3), dtype=np.uint8)
        path = root / "mixed" / "a.png"
        cv2.imwrite(str(path), colour)
        expected = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        read = SirstV2.open(root, "train_full").read("a").image
        np.testing.assert_array_equal(read, expected)

    def test_without_a_folder_of_masks_there_is_none(self, root):
        for path in (root / "annotations" / "masks").rglob("*.png"):
            path.unlink()
        (root / "annotations" / "masks" / "deep").rmdir()
        (root / "annotations" / "masks").rmdir()
        assert SirstV2.open(root, "train_full").read("a").mask is None

    def test_unusable_ids_come_as_skipped_in_their_place(self, root):
        (root / "mixed" / "deep" / "b.png").write_bytes(b"no")
        read = list(read_samples(SirstV2.open(root, "train_full")))
        assert [one.id for one in read] == ["a", "deep/b", "c"]
        assert [isinstance(one, SkippedSample) for one in read] == [False, True, False]

    def test_samples_are_read_when_they_are_asked_for(self, root):
        reading = read_samples(SirstV2.open(root, "train_full"))
        assert next(reading).id == "a"
        (root / "annotations" / "bboxes" / "deep" / "b.xml").write_text("no")
        with pytest.raises(DeepirError):
            next(reading)


class TestIds:
    def test_every_image_is_known_in_whatever_split(self, root):
        write_sirst_v2(root, "val_full", [sample("v")])
        dataset = SirstV2.open(root, "train_full")
        assert all(map(dataset.knows, ("a", "v", "deep/b")))
        assert not any(map(dataset.knows, ("", ".", "nowhere", "../mixed/a", "deep", str(root))))

    @pytest.mark.parametrize("name", ["../a", "/a", "", "a\\b", "c:a", "a/../../b"])
    def test_an_id_that_leaves_the_folder_is_not_written(self, tmp_path, name):
        with pytest.raises(FrameError, match="cannot name a file"):
            write_sirst_v2(tmp_path / "in", "one", [sample(name)])
        assert list(tmp_path.rglob("*")) == []

    def test_an_id_twice_in_a_list_is_an_error(self, root):
        (root / "splits" / "twice.txt").write_text("a\nc\na")
        with pytest.raises(DeepirError, match="'a' stands more than once"):
            SirstV2.open(root, "twice")

    def test_floating_point_frames_are_no_png(self, tmp_path):
        with pytest.raises(FrameError, match="float64"):
            write_sirst_v2(tmp_path, "one", [Sample(np.ones((4, 4)), [], None, "a")])

    @pytest.mark.parametrize("split", ["", ".", "..", "a/b", "../a", "/a"])
    def test_a_split_is_a_plain_name(self, tmp_path, split):
        with pytest.raises(UsageError, match="split"):
            write_sirst_v2(tmp_path, split, [sample()])


@pytest.fixture
def official(shared):
    return shared("data", "sirst-v2")


@pytest.mark.data
class TestRealData:
    def test_test_full_is_what_the_paper_counts(self, official):
        dataset = SirstV2.open(official)
        assert (dataset.split, len(dataset)) == ("test_full", 256)
        assert len(SirstV2.open(official, "trainval_full")) == 768

    def test_boxes_are_the_bounds_of_the_mask(self, official):
        dataset = SirstV2.open(official)
        seen = 0
        for name in [name for name in dataset.ids if name.startswith("Misc_")][:8]:
            one = dataset.read(name)
            grown = np.zeros(one.image.shape, bool)
            for x0, y0, x1, y1 in one.boxes.astype(int):
                assert one.mask[y0:y1, x0:x1].any(axis=0).all()
                assert one.mask[y0:y1, x0:x1].any(axis=1).all()
                grown[y0:y1, x0:x1] = True
                seen += 1
            assert not (one.mask & ~grown).any()
        assert seen >= 8

    def test_an_annotation_without_a_box_is_a_frame_without_targets(self, official):
        dataset = SirstV2.open(official)
        one = dataset.read(next(name for name in dataset.ids if name.startswith("iraytek-")))
        assert one.boxes.shape == (0, 4)
        assert not one.mask.any()
