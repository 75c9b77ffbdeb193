"""YOLO: trees as they are shipped, labels with few digits, settings from strangers."""

from __future__ import annotations

import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_frames import framed, noise

from deepir.data import Yolo, recognise_format, write_yolo
from deepir.data.writer import MASKS, ROUNDED
from deepir.data.yolo import OUTLINES, yolo_splits
from deepir.data.yolo_labels import in_pixels, label_lines, read_label
from deepir.errors import DeepirError, FrameError, UsageError

LABEL = "0 0.15 0.325 0.1 0.25\n"
"""The box 3, 4, 6, 9 of a frame of 30x20 pixels."""

BOX = [3, 4, 6, 9]


@pytest.fixture
def tree(save, tmp_path):
    """Write images with a label each, and other files; returns the root."""

    def write(*images, **texts):
        for name in images:
            save(name)
            folder, _, rest = name.rpartition("images/")
            save(f"{folder}labels/{rest.rpartition('.')[0]}.txt", LABEL)
        for name, text in texts.items():
            save(name.replace("__", "/").replace("_dot_", "."), text)
        return tmp_path

    return write


class TestTrees:
    def test_folders_of_splits_with_settings(self, tree, save):
        root = tree("images/train/a.png", "images/val/deep/b.jpg", "images/val/c.png")
        save(
            "data.yaml",
            "path: ../elsewhere\ntrain: images/train\nval: [images/val]  # our own\nnc: 1\n",
        )
        assert yolo_splits(root) == ["train", "val"]
        assert Yolo.open(root, "val").ids == ["c", "deep/b"]
        for split, name in (("train", "a"), ("val", "c"), ("val", "deep/b")):
            assert Yolo.open(root, split).read(name).boxes.tolist() == [BOX]

    def test_folders_of_splits_without_settings(self, tree):
        root = tree("images/train/a.png", "images/test/b.png")
        assert yolo_splits(root) == ["test", "train"]
        assert Yolo.open(root).ids == ["b"]
        assert Yolo.open(root, "train").read("a").boxes.tolist() == [BOX]

    def test_one_folder_is_one_split(self, tree):
        root = tree("images/b.png", "images/a.png")
        dataset = Yolo.open(root)
        assert (dataset.split, dataset.ids) == ("all", ["a", "b"])

    @pytest.mark.parametrize("settings", [None, "train: ../train/images\nval: ../valid/images\n"])
    def test_each_split_with_folders_of_its_own(self, tree, save, settings):
        root = tree("train/images/a.png", "valid/images/b.png")
        if settings:
            save("data.yaml", settings + "test: ../test/images\nroboflow: {license: MIT}\n")
        splits = ["train", "val"] if settings else ["train", "valid"]
        assert yolo_splits(root) == splits
        dataset = Yolo.open(root, splits[1])
        assert dataset.ids == ["b"]
        assert dataset.read("b").boxes.tolist() == [BOX]

    @pytest.mark.parametrize("prefix", ["./", "", "absolute"])
    def test_lists_give_their_own_order(self, tree, save, prefix):
        root = tree("images/b.png", "images/a.png", "images/c.png")
        prefix = f"{root}/" if prefix == "absolute" else prefix
        save("lists.yml", "train: train.txt\nval: val.txt\n")
        save("train.txt", f"{prefix}images/b.png\r\n{prefix}images/a.png\n")
        save("val.txt", f"{prefix}images/c.png")
        assert Yolo.open(root, "train").ids == ["b", "a"]
        assert Yolo.open(root, "val").read("c").boxes.tolist() == [BOX]
        assert all(map(Yolo.open(root, "val").knows, "abc"))

    def test_lists_may_lie_below_the_folder(self, tree, save):
        root = tree("images/b.png")
        save("data.yaml", "train: lists/train.txt\n")
        save("lists/train.txt", "images/b.png\n")
        assert Yolo.open(root).read("b").boxes.tolist() == [BOX]

    def test_one_name_in_two_splits_keeps_its_folder(self, tree):
        root = tree("images/train/0001.png", "images/val/0001.png", "images/val/0002.png")
        assert Yolo.open(root, "val").ids == ["val/0001", "val/0002"]
        assert Yolo.open(root, "train").ids == ["train/0001"]
        other = tree("other/train/images/1.png", "other/valid/images/1.png") / "other"
        assert Yolo.open(other, "valid").ids == ["valid/1"]

    def test_a_folder_named_otherwise_is_no_part_of_an_id(self, tree, save):
        root = tree("images/train2017/a.png")
        save("data.yaml", "train: images/train2017\n")
        assert Yolo.open(root).ids == ["a"]

    def test_labels_lie_beside_images_of_another_tree(self, save, tmp_path):
        save("pictures/a.png")
        save("pictures/a.txt", LABEL)
        save("data.yaml", "train: pictures")
        assert Yolo.open(tmp_path).read("a").boxes.tolist() == [BOX]


class TestLabels:
    @pytest.fixture
    def labelled(self, tree, save):
        def write(text):
            root = tree("images/a.png")
            save("labels/a.txt", text)
            return Yolo.open(root)

        return write

    @pytest.mark.parametrize("text", ["", "\n \n", None])
    def test_nothing_is_a_frame_without_targets(self, labelled, tmp_path, text):
        dataset = labelled(text or "")
        if text is None:
            (tmp_path / "labels" / "a.txt").unlink()
        read = dataset.read("a")
        assert read.boxes.shape == (0, 4)
        assert read.mask is None

    def test_six_digits_give_back_whole_pixels(self, labelled):
        read = labelled("0 0.366667 0.475000 0.733333 0.950000\n1 0.983333 0.975 0.033333 0.05")
        assert read.read("a").boxes.tolist() == [[0, 0, 22, 19], [29, 19, 30, 20]]

    def test_fractions_stay(self, labelled):
        (box,) = labelled("0 0.5 0.5 0.05 0.05").read("a").boxes.tolist()
        assert box == pytest.approx([14.25, 9.5, 15.75, 10.5])

    def test_an_outline_is_read_as_its_box_and_listed(self, labelled):
        dataset = labelled("0 0.1 0.2 0.2 0.2 0.2 0.45 0.15 0.3\n")
        assert dataset.read("a").boxes.tolist() == [BOX]
        assert list(dataset.left_out()) == [OUTLINES, "classes '0' become one, 'target'"]

    def test_classes_become_one(self, labelled, save):
        save("data.yaml", "train: images\nnames: [target, ship]\n")
        assert labelled(LABEL).left_out() == {}
        assert labelled(LABEL + LABEL.replace("0", "1", 1)).left_out() == {
            "classes 'ship', 'target' become one, 'target'": ["a"]
        }

    @pytest.mark.parametrize(
        "line",
        [
            "0",
            "0 1 2 3",
            "0 0.5 0.5 0.1 0.1 0.9",
            "ship 0.5 0.5 0.1 0.1",
            "0 a b c d",
            "-1 0.5 0.5 0.1 0.1",
            "0.5 0.5 0.5 0.1 0.1",
            "0 nan 0.5 0.1 0.1",
            "0 inf 0.5 0.1 0.1",
            "0 320 256 10 10",
            "9999999999999 0.5 0.5 0.1 0.1",
        ],
    )
    def test_a_line_of_another_form_ends_the_run(self, labelled, line):
        dataset = labelled(f"{LABEL}{line}\n")
        with pytest.raises(DeepirError, match=r"labels.a.txt', line 2: .* are wanted") as caught:
            dataset.read("a")
        assert not isinstance(caught.value, FrameError)
        assert dataset.left_out() == {}

    @pytest.mark.parametrize("line", ["0 0.9 0.5 0.3 0.1", "0 0.5 0.5 0 0.1", "0 0.5 0.5 -0.1 0.1"])
    def test_a_box_that_is_none_is_a_bad_frame(self, labelled, line):
        with pytest.raises(FrameError, match="of 'a'"):
            labelled(line).read("a")

    def test_labels_that_are_no_text_end_the_run(self, labelled, tmp_path):
        dataset = labelled("")
        (tmp_path / "labels" / "a.txt").write_bytes(b"\xff\xff")
        with pytest.raises(DeepirError, match="not readable"):
            dataset.read("a")


class TestRefused:
    def test_another_tree(self, save, tmp_path):
        save("images/a.png")
        with pytest.raises(UsageError, match=r"is not YOLO: no data.yaml"):
            Yolo.open(tmp_path)

    def test_a_split_without_any_label(self, save, tmp_path):
        save("images/a.png")
        save("data.yaml", "train: images")
        with pytest.raises(DeepirError, match="has no folder of labels 'labels'"):
            Yolo.open(tmp_path)

    def test_two_images_of_one_id(self, tree):
        root = tree("images/a.png", "images/a.jpg")
        with pytest.raises(DeepirError, match=r"two images have the id 'a': .*a.jpg' and .*a.png'"):
            Yolo.open(root)

    def test_a_frame_twice_in_a_list(self, tree, save):
        root = tree("images/a.png")
        save("data.yaml", "train: train.txt")
        save("train.txt", "images/a.png\nimages/a.png")
        with pytest.raises(DeepirError, match="'a' stands more than once"):
            Yolo.open(root)

    @pytest.mark.parametrize("line", ["../a.png", "/data/a.png", "images/../../a.png"])
    def test_a_list_that_leaves_the_folder(self, tree, save, line):
        root = tree("images/a.png")
        save("data.yaml", "train: train.txt")
        save("train.txt", line)
        with pytest.raises(DeepirError, match="leaves the dataset's folder"):
            Yolo.open(root)

    def test_a_missing_image_is_a_bad_frame(self, tree, save):
        root = tree("images/a.png")
        save("data.yaml", "train: train.txt")
        save("train.txt", "images/a.png\nimages/b.png")
        dataset = Yolo.open(root)
        for name in ("b", "nowhere"):
            with pytest.raises(FrameError):
                dataset.read(name)

    @pytest.mark.parametrize(
        "text",
        [
            "train: [",
            "- a\n- b",
            "train",
            "[a]: b",
            "[" * 5_000,
            "!!python/object/apply:os.system [ls]",
            b"\xff\xfe\x00",
            b"train: \x00",
            "train: images\n1.5: x\n? [a]\n: b",
            'train: "\\UFFFFFFFF"',
            f"%YAML 1.{'9' * 5000}\n---\ntrain: images",
            "train: images\nval: a\ntrain: b",
            "train: &a [*a]",
            "train: images\nx: " + "y" * 2**18,
        ],
    )
    def test_settings_that_cannot_be_used(self, tree, save, text):
        root = tree("images/a.png")
        save("data.yaml", text)
        with pytest.raises(DeepirError, match=r"data\.yaml"):
            Yolo.open(root)

    def test_a_bomb_of_aliases_does_not_grow(self, tree, save):
        root = tree("images/a.png")
        rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
        save("data.yaml", "\n".join(["a0: &a0 [x, x]", *rows, "train: images"]))
        assert Yolo.open(root).ids == ["a"]

    def test_a_bomb_is_no_name_of_a_class_and_no_path(self, tree, save):
        root = tree("images/a.png")
        rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
        more = ["train: images", "path: *a29", f"names: {{0: *a29, 1: ship, {'9' * 30}: no}}"]
        save("data.yaml", "\n".join(["a0: &a0 [x, x]", *rows, *more]))
        assert Yolo.open(root).tree.classes == {1: "ship"}

    @pytest.mark.parametrize(
        "value", ["{a: b}", "''", "[[a]]", "~", "../../..", "/", "no place", "n" * 5000]
    )
    def test_splits_that_lead_nowhere_are_none(self, tree, save, value):
        root = tree("images/a.png")
        save("data.yaml", f"val: {value}\ntrain: images\n")
        assert yolo_splits(root) == ["train"]

    @settings(max_examples=40)
    @given(st.text(max_size=60))
    def test_no_text_is_more_than_an_error(self, tmp_path_factory, text):
        root = tmp_path_factory.mktemp("yolo")
        (root / "images").mkdir()
        (root / "labels").mkdir()
        np.save(root / "images" / "a.npy", noise())
        (root / "labels" / "a.txt").write_bytes(text.encode(errors="replace"))
        (root / "data.yaml").write_bytes(text.encode(errors="replace"))
        for name in ("data.yaml", "labels/a.txt"):
            with suppress(DeepirError):
                Yolo.open(root).read("a")
            (root / name).unlink()


class TestWriting:
    def test_the_tree_is_the_usual_one(self, tmp_path):
        assert write_yolo(tmp_path, "train", [framed("a", mask=None)]) == {}
        assert write_yolo(tmp_path, "val", [framed("b", boxes=())]) == {MASKS: ["b"]}
        files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
        assert files == {
            "data.yaml",
            "images/train/a.png",
            "images/val/b.png",
            "labels/train/a.txt",
            "labels/val/b.txt",
            "train.txt",
            "val.txt",
        }
        assert (tmp_path / "data.yaml").read_text() == (
            'train: train.txt\n"val": val.txt\nnc: 1\nnames:\n  0: target\n'
        )
        assert (tmp_path / "train.txt").read_text() == "./images/train/a.png\n"
        assert (tmp_path / "labels/train/a.txt").read_text() == "0 0.15 0.325 0.1 0.25\n"

    def test_a_frame_of_another_split_stays_where_it_is(self, tmp_path):
        frames = [framed("a", mask=None), framed("b", mask=None)]
        write_yolo(tmp_path, "train", frames[:1])
        write_yolo(tmp_path, "both", frames)
        assert not (tmp_path / "images" / "both" / "a.png").exists()
        assert Yolo.open(tmp_path, "both").ids == ["a", "b"]
        assert Yolo.open(tmp_path, "train").ids == ["a"]

    @pytest.mark.parametrize("split", ["names", "path", "nc"])
    def test_a_split_called_like_another_entry_is_refused(self, tmp_path, split):
        with pytest.raises(UsageError, match="name the split otherwise"):
            write_yolo(tmp_path, split, [framed()])
        assert list(tmp_path.iterdir()) == []

    def test_settings_that_lead_elsewhere_are_not_changed(self, tree, save):
        root = tree("images/a.png")
        save("data.yaml", "path: ..\ntrain: images")
        with pytest.raises(UsageError, match="write into another folder"):
            write_yolo(root, "val", [framed("b")])


@given(
    sides=st.tuples(*[st.integers(1, 4000)] * 2),
    shares=st.lists(st.tuples(*[st.floats(0, 1)] * 4), max_size=4),
    digits=st.sampled_from([0, 3, 23]),
)
def test_whole_pixels_come_back_from_labels_and_fractions_nearly(sides, shares, digits):
    corners = [np.sort(np.array(one).reshape(2, 2), axis=0) * sides for one in shares]
    fine = np.rint(np.reshape(corners, (-1, 4)) * 2**digits) / 2**digits
    shape = sides[::-1]
    for form in ("{}", "{:.6f}"):
        lines = [
            " ".join(form.format(float(word)) for word in line.split()[1:])
            for line in label_lines(np.float32(fine), shape)
        ]
        read = in_pixels([read_label(f"0 {line}", "").box for line in lines], shape)
        if digits and form != "{}":
            np.testing.assert_allclose(read, fine, atol=2.1e-6 * max(sides))
        else:
            np.testing.assert_allclose(read, np.float32(fine), atol=1.1e-6 * max(sides))
        if not digits:
            np.testing.assert_array_equal(read, fine)


def test_a_fraction_that_shares_do_not_give_back_is_listed(tmp_path):
    frame = framed(boxes=[(3, 4, 6.00001, 9)], mask=None)
    assert write_yolo(tmp_path, "test", [frame]) == {ROUNDED: ["a"]}
    assert Yolo.open(tmp_path).read("a").boxes.tolist() == [BOX]


def test_without_pyyaml_it_is_named(tree, save, monkeypatch):
    root = tree("images/a.png")
    assert Yolo.open(root).ids == ["a"]
    save("data.yaml", "train: images")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert recognise_format(root).name == "yolo"
    with pytest.raises(UsageError, match=r"data\.yaml' needs PyYAML.*pip install pyyaml"):
        Yolo.open(root)
