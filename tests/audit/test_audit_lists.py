"""Lists of ids, files that no list knows, and frames that two splits share."""

from __future__ import annotations

import shutil
import signal

import cv2
import pytest

from deepir.audit import audit_dataset
from deepir.data import FORMATS
from deepir.errors import DeepirError


def told(found):
    return [(one.kind, one.split, one.id) for one in found.findings]


def listing(root, split="val"):
    return root / "splits" / f"{split}.txt"


class TestLists:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("val_0\nval_1\n", []),
            ("\ufeffval_0\r\n  val_1  \r\n", []),
            ("val_0\n\nval_1", [("empty id", "val", "")]),
            ("val_0\nval_1\nval_0\nval_0", [("duplicate id", "val", "val_0")]),
            ("val_0\nval_1\n/etc/x", [("foreign id", "val", "/etc/x")]),
        ],
    )
    def test_what_stands_in_a_list(self, root, audit, text, expected):
        listing(root).write_bytes(text.encode())
        assert told(audit()) == expected

    def test_an_empty_list_leaves_its_images_without_id(self, root, audit):
        listing(root).write_text("\n")
        assert told(audit()) == [
            ("empty id", "val", ""),
            ("file without id", "", "val_0"),
            ("file without id", "", "val_1"),
        ]

    def test_a_list_that_is_no_text_hides_no_frame(self, root, audit):
        listing(root).write_bytes(b"\xff\xfe\x00")
        (root / "mixed" / "val_1.png").write_bytes(b"no")
        found = audit()
        assert found.frames == 6
        assert told(found) == [("unusable list", "val", ""), ("unreadable file", "", "val_1")]

    def test_no_list_at_all_is_an_error(self, root, audit):
        for path in (root / "splits").iterdir():
            path.unlink()
        with pytest.raises(DeepirError, match="no list of ids"):
            audit()


class TestSharedFrames:
    def test_splits_that_share_frames_are_told_once(self, root, audit):
        listing(root, "test").write_text("test_0\ntest_1\ntrain_0\nval_1\ntrain_1")
        found = audit()
        assert told(found) == [("overlapping splits", "test", "")] * 2
        assert found.findings[0].reason == "2 of its frames are in train too: train_0, train_1"
        assert found.findings[1].reason == "1 of its frames are in val too: val_1"

    @pytest.mark.parametrize("name", ["trainval", "trainval_v1", "trainvaltest_full", "all"])
    def test_lists_that_are_unions_by_design_are_not_compared(self, root, audit, name):
        listing(root, name).write_text("train_0\nval_0")
        assert told(audit()) == []

    def test_of_the_official_lists_three_are_compared(self, root, audit):
        for split in ("train", "val", "test"):
            listing(root, split).rename(listing(root, f"{split}_full"))
        listing(root, "test_v1").write_text("train_0\ntest_0")
        found = audit()
        assert (told(found), found.compared) == ([], ["train_full", "val_full", "test_full"])


class TestFilesWithoutId:
    def test_an_unlisted_frame_is_one_finding(self, root, audit):
        listing(root).write_text("val_0")
        (one,) = audit().findings
        assert (one.kind, one.file, one.id) == ("file without id", "mixed/val_1.png", "val_1")
        assert "annotations/bboxes/val_1.xml" in one.reason
        assert "annotations/masks/val_1_pixels0.png" in one.reason

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("mixed/extra.png", "no split lists it"),
            ("mixed/val_0.jpg", "no image is called so"),
            ("annotations/masks/val_0.png", "no mask is called so"),
            ("annotations/bboxes/val_0.txt", "no annotation is called so"),
            ("mixed/deep/val_0.png", "no split lists it"),
        ],
    )
    def test_a_stray_file(self, root, audit, name, reason):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / "mixed" / "val_0.png", root / name)
        (one,) = audit().findings
        assert (one.kind, one.file, one.reason) == ("file without id", name, reason)

    def test_hidden_files_are_passed_over(self, root, audit):
        (root / "mixed" / ".thumbs").mkdir()
        for name in ("mixed/._val_0.png", "mixed/.thumbs/a.png", "annotations/masks/.DS_Store"):
            (root / name).write_bytes(b"")
        assert audit().findings == []


class TestOtherFormats:
    def test_two_images_of_one_id(self, write, audit):
        root = write("basicirstd")
        shutil.copy(root / "images" / "val_0.png", root / "images" / "val_0.bmp")
        found = audit(place=root).findings
        assert [(one.kind, one.id) for one in found] == [("duplicate id", "val_0")]
        assert "images/val_0.png" in found[0].reason

    def test_a_mask_of_another_size(self, write, audit):
        root = write("dnanet")
        shutil.copy(root / "images" / "val_0.png", root / "masks" / "val_0.png")
        small = cv2.imread(str(root / "masks" / "val_0.png"))[:5, :6]
        cv2.imwrite(str(root / "masks" / "val_0.png"), small)
        (one,) = audit("dnanet", place=root).findings
        assert (one.kind, one.file) == ("size mismatch", "masks/val_0.png")

    def test_coco_boxes_are_seen_where_the_reader_refuses_the_frame(self, write, audit):
        root = write("coco")
        path = root / "annotations" / "instances_val.json"
        text = path.read_text()
        start = text.index('"bbox": [') + len('"bbox": [')
        path.write_text(text[:start] + "45, 3, 20, 2" + text[text.index("]", start) :])
        (one,) = audit(place=root).findings
        assert (one.kind, one.file) == ("box outside", "instances_val.json")
        assert "(45, 3, 65, 5)" in one.reason

    def test_a_coco_box_beyond_all_numbers_is_a_finding(self, write, audit):
        root = write("coco")
        path = root / "annotations" / "instances_val.json"
        text = path.read_text()
        start = text.index('"bbox": [') + len('"bbox": [')
        path.write_text(text[:start] + "1e308, 3, 1e308, 2" + text[text.index("]", start) :])
        (one,) = audit(place=root).findings
        assert one.kind == "unusable frame"
        assert "box coordinates are numbers up to 1e+09" in one.reason

    def test_coco_images_that_nothing_names(self, write, audit):
        root = write("coco")
        shutil.copy(root / "images" / "val_0.png", root / "images" / "extra.png")
        (one,) = audit(place=root).findings
        assert (one.kind, one.file) == ("file without id", "images/extra.png")

    def test_a_coco_file_that_does_not_open_hides_no_other(self, write, audit):
        root = write("coco")
        (root / "annotations" / "instances_val.json").write_text('{"images": 3, "annotations": 4}')
        (root / "images" / "test_1.png").write_bytes(b"no")
        found = audit(place=root)
        assert [(one.kind, one.split) for one in found.findings] == [
            ("unusable list", "val"),
            ("unusable frame", "test"),
        ]
        assert found.frames == 4

    def test_a_yolo_label_of_another_form(self, write, audit):
        root = write("yolo")
        next(root.glob("labels/**/val_0.txt")).write_text("0 12 13 14")
        (one,) = audit(place=root).findings
        assert (one.kind, one.id) == ("unusable frame", "val_0")
        assert "labels" in one.reason
        assert str(root) not in one.reason

    def test_a_voc_box_on_the_border_is_rounding(self, write, audit):
        root = write("voc-zero-based")
        path = root / "Annotations" / "val_0.xml"
        text = path.read_text()
        start, end = text.index("<xmin>"), text.index("</bndbox>")
        corners = "<xmin>{}</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax>"
        for left, count in ((-0.4, 0), (-0.6, 1)):
            path.write_text(text[:start] + corners.format(left) + text[end:])
            found = audit("voc-zero-based", place=root).findings
            assert [one.kind for one in found] == ["box outside"] * count


def test_ctrl_c_keeps_what_was_found(root):
    (root / "mixed" / "train_0.png").write_bytes(b"no")

    def progress(done, total):
        if done == 1:
            signal.raise_signal(signal.SIGINT)

    found = audit_dataset(root, FORMATS["sirst-v2"], progress=progress)
    # Frames that were begun are finished; with many workers these may be all.
    assert found.interrupted == (found.frames < 6)
    assert ("unreadable file", "train", "train_0") in told(found)
