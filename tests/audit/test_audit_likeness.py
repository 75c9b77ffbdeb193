"""Near-duplicates across splits, against plain correlations; and the published dataset."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from deepir.audit import audit_dataset
from deepir.audit.likeness import LIMIT, Portrait, alike, thumbnail
from deepir.audit.published import compare_published
from deepir.audit.report import LINES, audit_json, audit_lines
from deepir.data import FORMATS
from deepir.data.manifest import load_manifest


def plain_correlation(one, other):
    """Pearson's correlation of 32x32 area averages of images whose sides are multiples of 32."""

    def averages(image):
        rows, columns = image.shape[0] // 32, image.shape[1] // 32
        return image.reshape(32, rows, 32, columns).mean(axis=(1, 3)).ravel()

    return np.corrcoef(averages(one.astype(float)), averages(other.astype(float)))[0, 1]


class TestLikeness:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
    def test_it_is_the_correlation_of_area_averages(self, dtype):
        rng = np.random.default_rng(1)
        scene = rng.integers(0, 200, (64, 96))
        for noise in (0, 5, 40, 200):
            one = scene.astype(dtype)
            other = (scene + rng.integers(0, noise + 1, scene.shape)).astype(dtype)
            expected = plain_correlation(one, other)
            assert thumbnail(one) @ thumbnail(other) == pytest.approx(expected, abs=2e-6)

    def test_gain_offset_and_size_change_nothing(self):
        scene = np.random.default_rng(2).random((32, 32))
        large = np.kron(3 * scene + 7, np.ones((4, 5)))
        assert thumbnail(scene) @ thumbnail(large) == pytest.approx(1)

    @pytest.mark.parametrize("level", [0, 1, 255, 0.1, 1e-30, 1e30])
    def test_a_constant_image_resembles_nothing(self, level):
        constant = thumbnail(np.full((50, 70), level))
        assert not constant.any()

    def test_holes_count_as_the_mean(self):
        scene = np.random.default_rng(3).random((64, 64))
        holes = scene.copy()
        holes[5, 7], holes[9, 9] = np.nan, np.inf
        assert thumbnail(scene) @ thumbnail(holes) > 0.99
        assert np.isfinite(thumbnail(holes)).all()

    def test_pairs_are_those_of_a_plain_loop(self):
        rng = np.random.default_rng(4)
        base = rng.random((6, 1024)) - 0.5
        rows = [base[index % 6] + rng.normal(0, 0.02, 1024) for index in range(30)]
        portraits = [
            Portrait("s", str(index), index, f"{index}.png", thumbnail(row.reshape(32, 32)))
            for index, row in enumerate(rows)
        ]
        later, earlier = portraits[:18], portraits[18:]
        expected = {
            (one.id, other.id)
            for one in later
            for other in earlier
            if np.corrcoef(rows[one.key], rows[other.key])[0, 1] > LIMIT
        }
        pairs = list(alike(later, earlier, lambda *_: pytest.fail("none is that close")))
        assert {(pair.id, pair.other_id) for pair in pairs} == expected
        assert len(expected) > 20
        values = [pair.correlation for pair in pairs if pair.id == "3"]
        assert values == sorted(values, reverse=True)


class TestAcrossSplits:
    def test_copies_and_near_copies_of_an_earlier_split_are_told(self, root, audit):
        mixed = root / "mixed"
        shutil.copy(mixed / "train_0.png", mixed / "test_1.png")
        image = cv2.imread(str(mixed / "train_1.png"), cv2.IMREAD_GRAYSCALE)
        image[0, 0] ^= 7
        cv2.imwrite(str(mixed / "val_0.png"), image)
        found = [one for one in audit().findings if "image" in one.kind]
        assert [(one.kind, one.split, one.id) for one in found] == [
            ("near-duplicate image", "val", "val_0"),
            ("duplicate image", "test", "test_1"),
        ]
        assert found[0].reason.startswith("like 'train_1' of train (correlation ")
        assert found[1].reason == "the same pixels as 'train_0' of train"

    def test_one_line_an_image_and_every_pair_in_the_json(self, root, audit):
        mixed = root / "mixed"
        for copy in ("train_1", "val_0", "val_1", "test_0"):
            shutil.copy(mixed / "train_0.png", mixed / f"{copy}.png")
        found = audit()
        likes = [one for one in found.findings if one.kind == "duplicate image"]
        assert [one.id for one in likes] == ["val_0", "val_1", "test_0"]
        assert likes[0].reason.endswith(", and like 1 more")
        assert likes[2].reason.endswith(", and like 3 more")
        pairs = audit_json(found, root)["pairs"]
        assert len(pairs) == 2 + 2 + 4
        assert all(pair["identical"] for pair in pairs)

    def test_one_frame_in_two_lists_is_no_duplicate_of_itself(self, root, audit):
        (root / "splits" / "test.txt").write_text("test_0\ntest_1\ntrain_0")
        assert [one.kind for one in audit().findings] == ["overlapping splits"]


class TestReport:
    def test_lines_are_those_of_the_json(self, root, audit):
        (root / "mixed" / "val_0.png").unlink()
        (root / "splits" / "val.txt").write_text("val_0\nval_1\n\nx")
        found = audit()
        lines, report = list(audit_lines(found)), audit_json(found, root)
        assert lines[0] == "sirst-v2: 7 frames, 6 targets; compared: train 2, val 3, test 2"
        assert lines[1 : 1 + len(found.findings)] == [one.line for one in found.findings]
        assert lines[-1] == "5 findings: 1 empty id, 4 missing file"
        assert report["counts"] == {"empty id": 1, "missing file": 4}
        assert report["published"] is None
        assert [one["file"] for one in report["findings"]] == [one.file for one in found.findings]

    def test_many_findings_of_a_kind_are_counted(self, root, audit):
        many = [f"lost_{number}" for number in range(LINES)]
        (root / "splits" / "extra.txt").write_text("\n".join(many))
        lines = list(audit_lines(audit()))
        assert len(lines) == 1 + LINES + 2
        assert lines[-2] == f"... and {2 * LINES} more: missing file"


@pytest.fixture
def official(shared, tmp_path):
    """The beginning of the published dataset, its files copied."""
    source = shared("data", "sirst-v2")
    listed = (source / "splits" / "mini_test.txt").read_text().split()
    names = [
        *(f"mixed/{name}.png" for name in listed),
        *(f"annotations/bboxes/{name}.xml" for name in listed),
        *(f"annotations/masks/{name}_pixels0.png" for name in listed),
        "splits/mini_test.txt",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, tmp_path / name)
    return tmp_path


class TestPublished:
    def test_another_dataset_is_not_the_published_one(self, root):
        assert compare_published(root, load_manifest("sirst-v2")) is None

    @pytest.mark.data
    def test_a_part_of_it_is_counted(self, official):
        found = audit_dataset(official, FORMATS["sirst-v2"])
        assert found.published.images == (4, 1024)
        assert found.published.others == (9, 2067)
        assert found.findings == []

    @pytest.mark.data
    def test_what_was_changed_is_named(self, official):
        path = official / "annotations" / "bboxes" / "Misc_70.xml"
        path.write_text(path.read_text().replace("Target", "target"))
        image = official / "mixed" / "Misc_96.png"
        image.write_bytes(image.read_bytes() + b"\0")
        found = audit_dataset(official, FORMATS["sirst-v2"])
        assert [(one.kind, one.file) for one in found.findings] == [
            ("not as published", "annotations/bboxes/Misc_70.xml"),
            ("not as published", "mixed/Misc_96.png"),
        ]
        assert found.published.images == (3, 1024)

    @pytest.mark.data
    def test_line_ends_of_another_system_are_no_change(self, official):
        for path in (*official.rglob("*.xml"), *official.rglob("*.txt")):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert audit_dataset(official, FORMATS["sirst-v2"]).findings == []

    @pytest.mark.data
    def test_the_whole_of_it(self, shared):
        root = shared("data", "sirst-v2")
        found = audit_dataset(root, FORMATS["sirst-v2"])
        lines = list(audit_lines(found))
        assert lines[1].startswith("1,024 of 1,024 images are the published benchmark")
        assert found.counts == {"box and mask": 1, "near-duplicate image": 21}
        assert [one.id for one in found.findings if one.kind == "box and mask"] == ["Misc_111"]
        like = [one.split for one in found.findings if one.kind == "near-duplicate image"]
        assert (like.count("val_full"), like.count("test_full")) == (13, 8)
        assert (found.frames, found.targets) == (1024, 648)
