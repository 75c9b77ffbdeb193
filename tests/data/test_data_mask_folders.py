"""Folders of masks: each published layout, recognised from its tree or named."""

from __future__ import annotations

import numpy as np
import pytest
from small_frames import SHAPE, framed, noise

from deepir.data import MaskFolder, open_dataset, write_mask_folder
from deepir.data.mask_folders import LAYOUTS, recognised_layout
from deepir.data.writer import MADE
from deepir.errors import DeepirError, FrameError, UsageError


def mask(*pixels, level=255):
    levels = np.zeros(SHAPE, np.uint8)
    for x, y in pixels:
        levels[y, x] = level
    return levels


TREES = {
    "sirst-v1": (
        ["images/Misc_1.png", "masks/Misc_1_pixels0.png", "bboxes/Misc_1.xml"],
        {"idx_427/train.txt": "train", "idx_427/test.txt": "test"},
    ),
    "dnanet": (
        ["images/Misc_1.png", "masks/Misc_1.png"],
        {"50_50/train.txt": "train", "50_50/test.txt": "test"},
    ),
    "basicirstd": (
        ["images/Misc_1.png", "masks/Misc_1.png"],
        {"img_idx/train_NUAA-SIRST.txt": "train", "img_idx/test_NUAA-SIRST.txt": "test"},
    ),
    "irstd-1k": (
        ["IRSTD1k_Img/Misc_1.png", "IRSTD1k_Label/Misc_1.png"],
        {"trainval.txt": "trainval", "test.txt": "test"},
    ),
}


@pytest.fixture
def tree(save, tmp_path):
    """Write the files of one layout; every list holds the one frame."""

    def write(layout):
        images, lists = TREES[layout]
        for name in images:
            if "bboxes" not in name:
                is_mask = "mask" in name or "Label" in name
                save(name, mask((4, 5), (5, 6)) if is_mask else None)
        for name in lists:
            save(name, "Misc_1")
        return tmp_path

    return write


class TestLayouts:
    @pytest.mark.parametrize("layout", TREES)
    def test_each_is_recognised_and_may_be_named(self, tree, layout):
        root = tree(layout)
        for name in ("mask-folder", layout):
            for split in TREES[layout][1].values():
                dataset = open_dataset(name, root=root, split=split)
                assert (dataset.name, dataset.split, dataset.ids) == (layout, split, ["Misc_1"])
                read = dataset.read("Misc_1")
                assert read.boxes.tolist() == [[4, 5, 6, 7]]
                assert read.mask.sum() == 2

    def test_every_layout_has_its_tree_here(self):
        assert set(TREES) == set(LAYOUTS)

    def test_lists_of_basicirstd_may_lie_in_the_folder_itself(self, tree, save, tmp_path):
        root = tree("basicirstd")
        for name in ("train_NUAA-SIRST.txt", "test_NUAA-SIRST.txt"):
            (root / "img_idx" / name).rename(root / name)
        save("README.txt", "Cite us")
        dataset = MaskFolder.open(tmp_path)
        assert (dataset.name, dataset.split) == ("basicirstd", "test")

    def test_several_shares_are_told_apart(self, tree, save):
        root = tree("dnanet")
        save("80_20/test.txt", "Misc_1")
        assert open_dataset("dnanet", root=root, split="80_20-test").ids == ["Misc_1"]
        assert open_dataset("dnanet", root=root, split="50_50-train").ids == ["Misc_1"]

    def test_without_lists_everything_is_one_split(self, save, tmp_path):
        for name in ("b", "a", "deep/c"):
            save(f"images/{name}.png")
            save(f"masks/{name}.png", mask())
        save("images/._a.png", b"left by another system")
        save("masks/notes.txt", "not an image")
        dataset = MaskFolder.open(tmp_path)
        assert (dataset.split, dataset.ids) == ("all", ["a", "b", "deep/c"])

    def test_lists_may_name_files(self, tree, save, tmp_path):
        tree("irstd-1k")
        save("test.txt", "Misc_1.png\r\n")
        assert MaskFolder.open(tmp_path, "test").ids == ["Misc_1"]

    def test_an_unknown_tree_says_what_was_looked_for(self, tmp_path):
        for call in (lambda: MaskFolder.open(tmp_path), lambda: recognised_layout(tmp_path)):
            with pytest.raises(UsageError, match="neither IRSTD1k_Img/ and IRSTD1k_Label/, nor"):
                call()
        with pytest.raises(UsageError, match="is no sirst-v1: no folders 'images' and 'masks'"):
            open_dataset("sirst-v1", root=tmp_path)
        with pytest.raises(UsageError, match=r"'sirst-v3'.*mean 'sirst-v1'"):
            MaskFolder.open(tmp_path, layout="sirst-v3")
        with pytest.raises(UsageError, match=r"'sirst-v3'.*mean 'sirst-v1'"):
            write_mask_folder(tmp_path, "test", [], layout="sirst-v3")


@pytest.fixture
def one(save, tmp_path):
    """A dataset of one frame ``a`` with the mask that is given."""

    def write(levels, name="masks/a.png"):
        save("images/a.png")
        save(name, levels)
        return MaskFolder.open(tmp_path)

    return write


class TestMasks:
    @pytest.mark.parametrize("level", [1, 3, 255])
    def test_any_level_above_0_is_a_target(self, one, level):
        assert one(mask((4, 5), level=level)).read("a").boxes.tolist() == [[4, 5, 5, 6]]

    def test_smooth_edges_are_cut_at_half_the_maximum(self, one):
        levels = mask((4, 5), level=200)
        levels[5, 5], levels[5, 6] = 101, 100
        assert one(levels).read("a").boxes.tolist() == [[4, 5, 6, 6]]

    def test_sixteen_bits_are_levels_like_others(self, one):
        assert one(mask((4, 5)).astype(np.uint16) * 200).read("a").mask.sum() == 1

    def test_pixels_that_touch_by_a_corner_are_one_target(self, one):
        assert len(one(mask((4, 5), (5, 6), (9, 9))).read("a").boxes) == 2

    def test_an_empty_mask_is_a_frame_without_targets(self, one):
        read = one(mask()).read("a")
        assert read.boxes.shape == (0, 4)
        assert not read.mask.any()

    def test_any_suffix_that_can_be_read(self, one):
        assert one(mask((4, 5)), "masks/a.bmp").read("a").mask.sum() == 1

    def test_another_size_is_named_with_both(self, one):
        with pytest.raises(FrameError, match=r"mask of 'a' has \(31, 20\).*\(30, 20\)"):
            one(np.zeros((20, 31), np.uint8)).read("a")


class TestBadFrames:
    def test_a_missing_file_is_named(self, one, save, tmp_path):
        one(mask())
        save("images/b.png")
        save("images/c.txt", "")
        save("img_idx/test.txt", "a\nb\nc")
        dataset = MaskFolder.open(tmp_path)
        dataset.read("a")
        with pytest.raises(FrameError, match=r"no image of 'b' in .*masks"):
            dataset.read("b")
        with pytest.raises(FrameError, match=r"no image of 'c' in .*images"):
            dataset.read("c")

    def test_two_files_of_one_id_are_named(self, one, save):
        save("images/a.jpg")
        with pytest.raises(FrameError, match=r"two images for one id: 'a.jpg' and 'a.png'"):
            one(mask()).read("a")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("../a", "leaves the dataset's folder"),
            ("/a", "leaves"),
            ("a\na", "more than once"),
            ("a\na.png", "more than once"),
            ("\n \n", "is empty"),
        ],
    )
    def test_a_list_that_cannot_be_used_ends_the_run(self, one, save, tmp_path, text, words):
        one(mask())
        save("img_idx/test.txt", text)
        with pytest.raises(DeepirError, match=words) as caught:
            MaskFolder.open(tmp_path)
        assert not isinstance(caught.value, FrameError)

    def test_a_list_that_is_no_text_ends_the_run(self, one, save, tmp_path):
        one(mask())
        save("img_idx/test.txt", b"\xff\xfe\xff")
        with pytest.raises(DeepirError, match="not readable"):
            MaskFolder.open(tmp_path)


class TestWriting:
    def test_lists_are_called_as_basicirstd_calls_them(self, tmp_path):
        root = tmp_path / "MINE"
        assert write_mask_folder(root, "train", [framed("a")]) == {}
        assert write_mask_folder(root, "test", [framed("b")]) == {}
        assert sorted(path.name for path in (root / "img_idx").iterdir()) == [
            "test_MINE.txt",
            "train_MINE.txt",
        ]
        assert MaskFolder.open(root).ids == ["b"]
        renamed = root.rename(tmp_path / "YOURS")
        assert MaskFolder.open(renamed, "train").ids == ["a"]

    def test_without_a_mask_the_boxes_are_filled_and_listed(self, tmp_path):
        lost = write_mask_folder(tmp_path, "test", [framed(mask=None)], layout="sirst-v1")
        assert lost == {MADE: ["a"]}
        assert MaskFolder.open(tmp_path).read("a").mask.sum() == 15

    def test_samples_that_end_early_are_a_split_all_the_same(self, tmp_path):
        def interrupted():
            yield framed("a")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_mask_folder(tmp_path, "test", interrupted())
        assert MaskFolder.open(tmp_path).ids == ["a"]

    def test_no_sample_is_no_split(self, tmp_path):
        assert write_mask_folder(tmp_path, "test", []) == {}
        assert list(tmp_path.iterdir()) == []

    def test_an_image_that_was_changed_is_not_taken_from_its_file(self, tmp_path, save):
        path = save("old.png", noise(seed=1))
        frame = framed("a")
        object.__setattr__(frame, "path", path)
        write_mask_folder(tmp_path / "new", "test", [frame])
        read = MaskFolder.open(tmp_path / "new").read("a")
        np.testing.assert_array_equal(read.image, frame.image)
