"""Over all formats: what is written is read back, but for what is listed as lost."""

from __future__ import annotations

import signal

import cv2
import numpy as np
import pytest
from small_frames import SHAPE, assert_same, framed

from deepir.data import FORMATS, convert_dataset, open_dataset, recognise_format
from deepir.data.converting import RENAMED, UNLISTED
from deepir.data.images import ANEW
from deepir.data.mask_folders import BOUNDS
from deepir.data.writer import MADE, MASKS, ROUNDED
from deepir.errors import DeepirError, UsageError
from deepir.structures import Sample

WITHOUT_MASKS = ("voc", "voc-half-open", "voc-zero-based", "yolo")
FROM_MASKS = ("mask-folder", "sirst-v1", "dnanet", "basicirstd", "irstd-1k")
PNG_ONLY = ("sirst-v2",)

ODD_IDS = ("z", "deep/er/b", "ä 火", "a.b", "x.png", "#7", "007", "train", "-1", "'q\"", "a 1")
FRAMES = {
    name: framed(
        name,
        boxes=[(3, 4, 6, 9), (0, 0, 1, 1), (29, 10, 30, 20)][: number % 4],
        dtype=(np.uint8, np.uint16)[number % 2],
    )
    for number, name in enumerate(ODD_IDS)
}
SPLITS = {
    "train": ["z", "deep/er/b", "a.b", "#7", "-1"],
    "val_1": ["ä 火", "x.png", "a 1"],
    "test": ["train", "007", "'q\""],
    "both": ["007", "z", "ä 火"],
}


@pytest.fixture(params=FORMATS)
def form(request):
    return FORMATS[request.param]


def write(form, root, frames=FRAMES, splits=SPLITS):
    """Write frames as splits; what is lost by id."""
    writer = form.writer(root)
    homes = {name: split for split in reversed(splits) for name in splits[split]}
    lost = {name: writer.add(homes[name], frames[name]) for name in homes}
    writer.finish(splits)
    return lost


def expected_loss(name):
    return [MASKS] if name in WITHOUT_MASKS else []


def test_reading_what_was_written_is_identity(form, tmp_path):
    lost = write(form, tmp_path / "D")
    assert set(map(tuple, lost.values())) == {tuple(expected_loss(form.name))}
    assert form.splits(tmp_path / "D") == sorted(SPLITS)
    for split, ids in SPLITS.items():
        dataset = open_dataset(form.name, root=tmp_path / "D", split=split)
        assert (dataset.split, dataset.ids, len(dataset)) == (split, ids, len(ids))
        for sample_id in ids:
            read = dataset.read(sample_id)
            assert_same(read, FRAMES[sample_id], mask=form.name not in WITHOUT_MASKS)
            assert read.path.is_file()
            assert (read.mask is None) == (form.name in WITHOUT_MASKS)


def test_all_ids_are_known_and_no_others(form, tmp_path):
    write(form, tmp_path / "D")
    dataset = form.open(tmp_path / "D", "test")
    assert all(map(dataset.knows, ODD_IDS))
    assert not any(map(dataset.knows, ("", ".", "nowhere", "../a", "deep", str(tmp_path))))


def test_the_tree_tells_the_format(form, tmp_path):
    write(form, tmp_path / "D")
    found = recognise_format(tmp_path / "D").name
    family = "voc" if form.name.startswith("voc") else form.name
    assert found == ("mask-folder" if form.name in FROM_MASKS else family)
    if form.name in FROM_MASKS:
        layout = open_dataset("mask-folder", root=tmp_path / "D", split="test").name
        assert layout == ("basicirstd" if form.name == "mask-folder" else form.name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint32, np.int8])
def test_every_depth_survives_where_a_file_can_hold_it(form, tmp_path, dtype):
    frame = framed(dtype=dtype)
    if form.name in PNG_ONLY:
        with pytest.raises(
            DeepirError, match=f"a PNG holds uint8 or uint16, 'a' is {frame.image.dtype}"
        ):
            write(form, tmp_path, {"a": frame}, {"test": ["a"]})
        return
    write(form, tmp_path, {"a": frame}, {"test": ["a"]})
    assert_same(form.open(tmp_path, "test").read("a"), frame, mask=form.name not in WITHOUT_MASKS)


def test_boxes_between_pixels_survive_or_are_listed(form, tmp_path):
    frame = framed(boxes=[(0.25, 1.5, 29.875, 20), (3, 4, 6.1, 9)], mask=None)
    lost = write(form, tmp_path, {"a": frame}, {"test": ["a"]})["a"]
    read = form.open(tmp_path, "test").read("a")
    same = np.array_equal(read.boxes, frame.boxes)
    assert same != bool({BOUNDS, ROUNDED} & set(lost))
    assert same == (form.name not in FROM_MASKS)
    assert (MADE in lost) == (form.name in (*FROM_MASKS, "sirst-v2"))


def test_a_mask_that_its_boxes_do_not_tell_survives_or_is_listed(form, tmp_path):
    mask = np.zeros(SHAPE, bool)
    mask[2:9, 3:5] = mask[15, 20] = True
    frame = framed(boxes=[(3, 4, 6, 9), (8, 8, 10, 10)], mask=mask)
    lost = write(form, tmp_path, {"a": frame}, {"test": ["a"]})["a"]
    read = form.open(tmp_path, "test").read("a")
    if form.name in WITHOUT_MASKS:
        assert lost == [MASKS]
    else:
        np.testing.assert_array_equal(read.mask, mask)
    if form.name in FROM_MASKS:
        assert lost == [BOUNDS]
        assert read.boxes.tolist() == [[3, 2, 5, 9], [20, 15, 21, 16]]
    else:
        np.testing.assert_array_equal(read.boxes, frame.boxes)


def test_a_split_of_frames_without_targets_is_a_split(form, tmp_path):
    frames = {name: framed(name, boxes=()) for name in ("a", "b")}
    write(form, tmp_path, frames, {"test": ["b", "a"]})
    dataset = form.open(tmp_path, "test")
    assert dataset.ids == ["b", "a"]
    for name in dataset.ids:
        assert_same(dataset.read(name), frames[name], mask=form.name not in WITHOUT_MASKS)


def test_one_pixel_is_a_frame_and_a_target(form, tmp_path):
    frame = Sample(np.array([[7]], np.uint8), [(0, 0, 1, 1)], np.ones((1, 1), bool), "a")
    write(form, tmp_path, {"a": frame}, {"test": ["a"]})
    assert_same(form.open(tmp_path, "test").read("a"), frame, mask=form.name not in WITHOUT_MASKS)


@pytest.mark.parametrize(
    "name", ["../a", "/a", "", "a\\b", "c:a", "a//b", "a\n", " a", "a\x85b", "\udcff"]
)
def test_an_id_that_no_list_can_hold_is_not_written(form, tmp_path, name):
    with pytest.raises(DeepirError, match="cannot name a file"):
        form.writer(tmp_path / "in").add("test", framed(name))
    assert list(tmp_path.rglob("*")) == []


@pytest.fixture
def source(tmp_path):
    """The frames in a layout that holds everything."""
    write(FORMATS["sirst-v2"], tmp_path / "source")
    return tmp_path / "source"


def convert(source, target, out, **options):
    return convert_dataset(FORMATS["sirst-v2"], source, FORMATS[target], out, **options)


class TestConversion:
    def test_there_and_back_is_identity(self, form, source, tmp_path):
        there = convert(source, form.name, tmp_path / "there")
        assert there.frames == len(FRAMES)
        assert {split: set(ids) for split, ids in there.splits.items()} == {
            split: set(ids) for split, ids in SPLITS.items()
        }
        assert there.lost == ({MASKS: there.lost[MASKS]} if form.name in WITHOUT_MASKS else {})
        back = convert_dataset(form, tmp_path / "there", FORMATS["sirst-v2"], tmp_path / "back")
        assert list(back.lost) == ([MADE] if form.name in WITHOUT_MASKS else [])
        for path in (source / "splits").iterdir():
            copy = tmp_path / "back" / "splits" / path.name
            assert copy.read_bytes() == path.read_bytes()
        for split in SPLITS:
            dataset = open_dataset("sirst-v2", root=tmp_path / "back", split=split)
            for sample_id in dataset.ids:
                assert_same(dataset.read(sample_id), FRAMES[sample_id])

    def test_files_are_copied_byte_by_byte(self, form, tmp_path, save):
        colour = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)
        original = save("source/mixed/a.png", colour)
        write(FORMATS["sirst-v2"], tmp_path / "source", {"b": framed("b")}, {"test": ["b"]})
        save("source/annotations/bboxes/a.xml", "<annotation/>")
        save("source/annotations/masks/a_pixels0.png", np.zeros(SHAPE, np.uint8))
        save("source/splits/test.txt", "a\nb")
        assert not convert(tmp_path / "source", form.name, tmp_path / "out").lost.get(ANEW)
        read = form.open(tmp_path / "out", "test").read("a")
        assert read.path.read_bytes() == original.read_bytes()
        grey = cv2.imread(str(original), cv2.IMREAD_GRAYSCALE)
        np.testing.assert_array_equal(read.image, grey)

    def test_splits_may_be_chosen_and_renamed(self, form, source, tmp_path):
        done = convert(source, form.name, tmp_path / "out", splits={"val_1": "val", "test": "test"})
        assert done.splits == {"val": SPLITS["val_1"], "test": SPLITS["test"]}
        assert form.splits(tmp_path / "out") == ["test", "val"]

    def test_progress_counts_every_frame_once(self, source, tmp_path):
        told = []
        convert(source, "coco", tmp_path / "out", progress=lambda *counts: told.append(counts))
        assert told == [(done, len(FRAMES)) for done in range(1, len(FRAMES) + 1)]

    def test_unusable_frames_are_skipped_and_in_no_list(self, form, source, tmp_path):
        (source / "mixed" / "z.png").write_bytes(b"no")
        done = convert(source, form.name, tmp_path / "out")
        assert [one.id for one in done.skipped] == ["z"]
        for split, ids in SPLITS.items():
            expected = [name for name in ids if name != "z"]
            assert form.open(tmp_path / "out", split).ids == expected == done.splits[split]

    def test_images_in_no_list_are_listed_as_lost(self, source, tmp_path, save):
        save("source/mixed/spare/a.png")
        assert convert(source, "coco", tmp_path / "out").lost == {UNLISTED: ["spare/a"]}
        some = convert(source, "coco", tmp_path / "some", splits={"test": "test"})
        assert some.lost == {}

    def test_no_usable_frame_is_an_error(self, source, tmp_path):
        for path in (source / "mixed").rglob("*.png"):
            path.write_bytes(b"no")
        with pytest.raises(DeepirError, match=r"none of the 11 frames .* is usable; the first"):
            convert(source, "coco", tmp_path / "out")

    def test_after_ctrl_c_the_lists_hold_what_was_written(self, form, source, tmp_path):
        def interrupt(number, total):
            if number == 4:
                signal.raise_signal(signal.SIGINT)

        done = convert(source, form.name, tmp_path / "out", progress=interrupt)
        assert (done.interrupted, done.frames) == (True, 4)
        written = set()
        for split in form.splits(tmp_path / "out"):
            dataset = form.open(tmp_path / "out", split)
            written |= set(dataset.ids)
            for sample_id in dataset.ids:
                dataset.read(sample_id)
        assert len(written) == 4

    def test_an_error_that_ends_the_run_leaves_a_dataset(self, form, source, tmp_path):
        (source / "annotations" / "bboxes" / "-1.xml").write_text("no")
        with pytest.raises(DeepirError, match="no usable XML"):
            convert(source, form.name, tmp_path / "out", splits={"train": "train"})
        assert form.open(tmp_path / "out", "train").ids == SPLITS["train"][:-1]

    @pytest.mark.parametrize("splits", [{"tset": "a"}, {"test": "../a"}, {"test": "a/b"}])
    def test_unknown_splits_and_names_that_are_no_files_are_refused(self, source, tmp_path, splits):
        with pytest.raises(UsageError, match="split"):
            convert(source, "voc", tmp_path / "out", splits=splits)
        assert not (tmp_path / "out").exists()

    def test_two_splits_of_one_name_are_refused(self, source, tmp_path):
        with pytest.raises(UsageError, match="two splits cannot have one name"):
            convert(source, "voc", tmp_path / "out", splits={"test": "a", "train": "a"})

    def test_one_folder_in_the_other_is_refused(self, source):
        for out in (source, source / "coco", source.parent):
            with pytest.raises(UsageError, match="must not lie in each other"):
                convert(source, "coco", out)


def test_an_id_of_two_frames_gets_the_name_of_its_split(tmp_path, save):
    for split, level in (("train", 10), ("valid", 20)):
        save(f"{split}/0001.png", np.full((8, 9), level, np.uint8))
        save(f"{split}/only_{split}.png")
        names = ("0001.png", f"only_{split}.png")
        images = [f'{{"id": {n}, "file_name": "{name}"}}' for n, name in enumerate(names)]
        save(
            f"{split}/_annotations.coco.json",
            f'{{"images": [{", ".join(images)}], "annotations": []}}',
        )
    done = convert_dataset(
        FORMATS["coco"], tmp_path, FORMATS["voc"], tmp_path.parent / f"{tmp_path.name}-out"
    )
    assert done.splits == {
        split: [f"{split}/0001", f"{split}/only_{split}"] for split in ("train", "valid")
    }
    assert done.lost == {RENAMED: ["train/0001", "valid/0001"]}
    dataset = open_dataset("voc", root=tmp_path.parent / f"{tmp_path.name}-out", split="valid")
    assert (dataset.read("valid/0001").image == 20).all()


@pytest.mark.data
@pytest.mark.parametrize("name", ["Misc_111", "Misc_70", "iraytek-81", "202105-Enhance-1"])
def test_official_frames_survive(form, shared, tmp_path, name):
    official = open_dataset("sirst-v2", root=shared("data", "sirst-v2"), split="trainvaltest_full")
    if name not in official.ids:
        pytest.skip(f"no frame {name}")
    frame = official.read(name)
    lost = write(form, tmp_path, {name: frame}, {"test": [name]})[name]
    read = form.open(tmp_path, "test").read(name)
    odd = name == "Misc_111" and form.name in FROM_MASKS
    assert lost == ([BOUNDS] if odd else expected_loss(form.name))
    if not odd:
        assert_same(read, frame, mask=form.name not in WITHOUT_MASKS)
    assert read.path.read_bytes() == frame.path.read_bytes()
