"""Each kind of damage to a dataset is one finding that names the file, and none hides another."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from deepir.data import FORMATS

IMAGE, MASK, XML = (
    "mixed/val_0.png",
    "annotations/masks/val_0_pixels0.png",
    "annotations/bboxes/val_0.xml",
)


def kinds(found):
    return [(one.kind, one.file, one.id) for one in found.findings]


def cut(path):
    path.write_bytes(path.read_bytes()[:60])


def store(path, levels):
    path.write_bytes(cv2.imencode(".png", levels)[1].tobytes())


def corners(path, change):
    """Rewrite the corners of the first box of an annotation."""
    text = path.read_text()
    numbers = [float(re.search(rf"<{side}>(.*?)</{side}>", text)[1]) for side in SIDES]
    for side, number in zip(SIDES, change(*numbers), strict=True):
        text = re.sub(rf"<{side}>.*?</{side}>", f"<{side}>{number:g}</{side}>", text, count=1)
    path.write_text(text)


SIDES = ("xmin", "ymin", "xmax", "ymax")


def box(change):
    return lambda root: corners(root / XML, change)


DAMAGE = {
    "image cut off": (lambda root: cut(root / IMAGE), "unreadable file", IMAGE),
    "image gone": (lambda root: (root / IMAGE).unlink(), "missing file", "mixed/val_0"),
    "image empty": (lambda root: (root / IMAGE).write_bytes(b""), "unreadable file", IMAGE),
    "mask cut off": (lambda root: cut(root / MASK), "unreadable file", MASK),
    "mask gone": (
        lambda root: (root / MASK).unlink(),
        "missing file",
        "annotations/masks/val_0_pixels0",
    ),
    "mask of another size": (
        lambda root: store(root / MASK, np.zeros((7, 9), np.uint8)),
        "size mismatch",
        MASK,
    ),
    "no XML": (lambda root: (root / XML).write_text("<annotation>"), "unreadable file", XML),
    "a word as corner": (box(lambda *_: [float("nan")] * 4), "unreadable file", XML),
    "annotation gone": (
        lambda root: (root / XML).unlink(),
        "missing file",
        "annotations/bboxes/val_0",
    ),
    "another size said": (
        lambda root: (root / XML).write_text(
            (root / XML).read_text().replace("<width>50<", "<width>51<")
        ),
        "size mismatch",
        XML,
    ),
    "box one pixel aside": (box(lambda a, b, c, d: (a + 1, b, c + 1, d)), "box and mask", XML),
    "box elsewhere": (box(lambda *_: (1, 1, 3, 3)), "box and mask", XML),
}


def test_a_sound_dataset_has_no_finding(audit):
    found = audit()
    assert found.findings == []
    assert (found.frames, found.targets, found.data) == (6, 6, "sirst-v2")
    assert found.splits == {"test": 2, "train": 2, "val": 2}
    assert found.compared == ["train", "val", "test"]
    assert not found.interrupted


@pytest.mark.parametrize("name", FORMATS)
def test_what_the_writers_write_has_no_finding(name, write, audit):
    found = audit(name, place=write(name))
    assert found.findings == []
    assert (found.frames, found.targets) == (6, 6)


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_one_finding(root, audit, name):
    damage, kind, file = DAMAGE[name]
    damage(root)
    assert kinds(audit()) == [(kind, file, "val_0")]
    assert audit().findings[0].split == "val"


def test_a_size_mismatch_names_both_sizes(root, audit):
    store(root / MASK, np.zeros((7, 9), np.uint8))
    assert audit().findings[0].reason == "9x7 pixels, its image has 50x40"


def test_an_empty_box_is_named(root, audit):
    corners(root / XML, lambda a, b, c, d: (a, b, a, d))
    first, second = audit().findings
    assert (first.kind, first.file) == ("empty box", XML)
    assert (second.kind, second.file) == ("box and mask", MASK)


def test_a_box_outside_is_named_with_the_size(root, audit):
    corners(root / XML, lambda a, b, c, d: (a, b, 60, d))
    first, second = audit().findings
    assert (first.kind, second.kind) == ("box outside", "box and mask")
    assert "leaves its frame of 50x40 pixels" in first.reason
    assert re.search(r"\(\d+, \d+, 59, \d+\)", first.reason)


def test_a_target_without_a_box_is_named(root, audit):
    mask = cv2.imread(str(root / MASK), cv2.IMREAD_GRAYSCALE)
    mask[:2, :3] = 255
    store(root / MASK, mask)
    (one,) = audit().findings
    assert (one.kind, one.file) == ("box and mask", MASK)
    assert "(0, 0, 3, 2)" in one.reason


def test_a_box_without_a_target_is_named(root, audit):
    store(root / MASK, np.zeros((40, 50), np.uint8))
    (one,) = audit().findings
    assert (one.kind, one.file) == ("box and mask", XML)
    assert "which has no other target" in one.reason


def test_no_folder_of_masks_is_no_finding(root, audit):
    for path in (root / "annotations" / "masks").iterdir():
        path.unlink()
    (root / "annotations" / "masks").rmdir()
    assert audit().findings == []


def test_a_frame_in_several_lists_is_looked_at_once(root, audit):
    (root / "splits" / "trainval.txt").write_text("train_0\nval_0\n")
    cut(root / IMAGE)
    found = audit()
    assert kinds(found) == [("unreadable file", IMAGE, "val_0")]
    assert found.frames == 6


def test_one_damage_does_not_hide_another(root, audit):
    cut(root / IMAGE)
    (root / XML).write_text("no")
    (root / MASK).unlink()
    cut(root / "mixed" / "test_1.png")
    (root / "splits" / "val.txt").write_text("val_0\nval_1\nval_1\n\nnowhere\n../x")
    found = {(one.kind, one.id) for one in audit().findings}
    assert found == {
        ("duplicate id", "val_1"),
        ("empty id", ""),
        ("foreign id", "../x"),
        ("unreadable file", "val_0"),
        ("missing file", "val_0"),
        ("unreadable file", "test_1"),
        ("missing file", "nowhere"),
    }


def test_progress_counts_every_frame(audit):
    told = []
    audit(progress=lambda *counts: told.append(counts))
    assert told == [(number, 6) for number in range(1, 7)]
