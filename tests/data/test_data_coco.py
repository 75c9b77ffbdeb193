"""COCO: files as they come from other tools, and what is wrong with them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_frames import SHAPE, framed, noise

from deepir.data import Coco, write_coco
from deepir.data.coco import CROWDS, UNBOXED
from deepir.data.coco_form import read_coco_file
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.structures import Sample


@pytest.fixture
def coco(save, tmp_path):
    """Write images ``a`` and ``b`` and an annotation file; open it."""

    def write(*annotations, path="instances_test.json", images=None, place="images", **more):
        for name in ("a", "b"):
            save(f"{place}/{name}.png")
        images = images or [{"id": n, "file_name": f"{name}.png"} for n, name in enumerate("ab")]
        content = {"images": images, "annotations": list(annotations), **more}
        save(path, json.dumps(content))
        return Coco.open(tmp_path)

    return write


def target(bbox=(3, 4, 3, 5), image=0, **more):
    return {"image_id": image, "bbox": bbox, **more}


class TestTrees:
    @pytest.mark.parametrize(
        ("path", "place", "split"),
        [
            ("instances_test.json", ".", "test"),
            ("annotations/instances_test.json", "images", "test"),
            ("annotations/instances_val2017.json", "val2017", "val2017"),
            ("annotations/instances_val2017.json", "images/val2017", "val2017"),
            ("annotations/test.json", "images", "test"),
            ("valid/_annotations.coco.json", "valid", "valid"),
            ("valid/annotations.json", "valid/images", "valid"),
            ("annotations.json", "images", "all"),
            ("labels.json", "data", "all"),
        ],
    )
    def test_images_lie_beside_or_below_the_file(self, coco, path, place, split):
        dataset = coco(target(), path=path, place=place)
        assert (dataset.split, dataset.ids) == (split, ["a", "b"])
        assert dataset.read("a").boxes.tolist() == [[3, 4, 6, 9]]
        assert dataset.read("b").boxes.shape == (0, 4)

    def test_one_file_may_be_the_root(self, coco, tmp_path):
        coco(target())
        dataset = Coco.open(tmp_path / "instances_test.json")
        assert (dataset.split, dataset.ids) == ("test", ["a", "b"])
        assert len(dataset.read("a").boxes) == 1
        assert dataset.knows("b")

    def test_files_of_other_tasks_are_no_splits(self, coco, save):
        save("annotations/captions_test.json", '{"images": [], "annotations": []}')
        save("package.json", '{"images": 1}')
        save("list.json", "")
        dataset = coco(path="annotations/instances_test.json")
        assert dataset.split == "test"

    def test_ids_of_other_splits_are_known(self, coco, save):
        save(
            "instances_val.json", '{"images": [{"id": 1, "file_name": "v.png"}], "annotations": []}'
        )
        dataset = coco()
        assert all(map(dataset.knows, ("a", "b", "v")))
        with pytest.raises(FrameError, match="no image 'v'"):
            dataset.read("v")

    def test_names_of_other_systems_and_suffixes(self, coco, save):
        save("images/deep/c.png")
        save("images/a.jpg")
        names = ("./a.png", "a.jpg", "deep\\c.png", "b.png")
        images = [{"id": name, "file_name": name} for name in names]
        dataset = coco(target(image="a.jpg"), images=images)
        assert dataset.ids == ["a.png", "a.jpg", "deep/c", "b"]
        assert [len(dataset.read(name).boxes) for name in dataset.ids] == [0, 1, 0, 0]

    def test_two_files_of_one_split_are_refused(self, coco, save):
        text = '{"images": [], "annotations": []}'
        save("a/instances_test.json", text)
        with pytest.raises(UsageError, match="two annotation files are of the split 'test'"):
            coco(path="b/instances_test.json")

    def test_without_a_file_there_is_no_coco(self, tmp_path):
        with pytest.raises(UsageError, match="is not COCO: no JSON file"):
            Coco.open(tmp_path)
        with pytest.raises(UsageError, match="no such folder"):
            Coco.open(tmp_path / "nowhere")
        with pytest.raises(UsageError, match="--root"):
            Coco.open(None)

    def test_of_several_splits_one_is_to_be_named(self, coco, save, tmp_path):
        save("instances_x.json", '{"images": [], "annotations": []}')
        coco()
        (tmp_path / "instances_test.json").rename(tmp_path / "instances_y.json")
        with pytest.raises(UsageError, match="the splits x, y: name one with --split"):
            Coco.open(tmp_path)
        with pytest.raises(DeepirError, match="split 'x' is empty"):
            Coco.open(tmp_path, "x")


class TestAnnotations:
    def test_fractions_and_what_hangs_over_by_rounding(self, coco):
        dataset = coco(target((0.25, -0.2, 29.85, 5.5)), target((1, 1, 2.5, 1)))
        read = dataset.read("a").boxes.tolist()
        assert read == [[0.25, 0, 30, pytest.approx(5.3)], [1, 1, 3.5, 2]]

    @pytest.mark.parametrize(
        ("bbox", "words"),
        [
            ((20, 1, 11, 4), "leaves its frame"),
            ((1, 1, 0, 4), "is empty"),
            ((1, 1, -3, 4), "empty"),
        ],
    )
    def test_a_box_that_is_none_is_a_bad_frame(self, coco, bbox, words):
        dataset = coco(target(bbox))
        with pytest.raises(FrameError, match=words):
            dataset.read("a")
        dataset.read("b")

    def test_masks_of_every_form(self, coco):
        outline = [[3, 4, 6, 4, 6, 9, 3, 9]]
        runs = {"size": [20, 30], "counts": [0, 1, 599]}
        dataset = coco(
            target(segmentation=outline), {"image_id": 0, "segmentation": runs}, target(image=1)
        )
        read = dataset.read("a")
        assert read.boxes.tolist() == [[3, 4, 6, 9], [0, 0, 1, 1]]
        assert read.mask.sum() == 16
        assert read.mask[0, 0]
        assert dataset.read("b").mask is None

    def test_a_frame_without_targets_has_an_empty_mask_where_others_have_one(self, coco):
        dataset = coco(target(segmentation=[[3, 4, 6, 4, 6, 9, 3, 9]]))
        assert dataset.read("b").mask.sum() == 0

    def test_without_any_segmentation_there_is_no_mask(self, coco):
        dataset = coco(target(segmentation=[]))
        assert dataset.read("a").mask is None
        assert dataset.read("b").mask is None

    def test_crowds_are_no_targets_and_classes_are_one(self, coco):
        crowd = {"size": [20, 30], "counts": [0, 600]}
        dataset = coco(
            target(category_id=1),
            target((0, 0, 30, 20), iscrowd=1, segmentation=crowd, category_id=1),
            target(image=1, category_id=2),
            categories=[{"id": 1, "name": "ship"}, {"id": 2, "name": "bird"}],
        )
        assert len(dataset.read("a").boxes) == 1
        assert dataset.left_out() == {
            CROWDS: ["a"],
            "classes 'bird', 'ship' become one, 'target'": ["a", "b"],
        }

    @pytest.mark.parametrize(
        ("annotation", "words"),
        [
            ({"image_id": 0, "id": 7}, "annotation 7 has neither"),
            ({"image_id": 0, "id": 7, "segmentation": [[1, 1, 1, 1]]}, "no pixel"),
            (target(segmentation=[[1]]), "an outline"),
            (target(segmentation={"size": [5, 5], "counts": [25]}), r"\[5, 5\].*\[20, 30\]"),
        ],
    )
    def test_what_cannot_be_read_is_a_bad_frame_that_names_the_file(self, coco, annotation, words):
        dataset = coco(annotation)
        with pytest.raises(FrameError, match=f"'a' in .*instances_test.json': .*{words}"):
            dataset.read("a")

    def test_another_size_than_the_files_is_named_with_both(self, coco):
        images = [{"id": 1, "file_name": "a.png", "width": 31, "height": 20}]
        with pytest.raises(FrameError, match=r"\(31, 20\).*\(30, 20\)"):
            coco(images=images).read("a")

    def test_a_missing_image_is_a_bad_frame_that_says_where_was_looked(self, coco):
        with pytest.raises(FrameError, match=r"no image 'x.png'; looked in .*images"):
            coco(images=[{"id": 1, "file_name": "x.png"}]).read("x")


class TestRefused:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("{", "do not fit"),
            ("[]", "do not fit"),
            ('{"images": []}', "annotations: Field required"),
            ('{"images": [{"id": 1}], "annotations": []}', "file_name: Field required"),
            ('{"images": [{"id": 1, "file_name": ""}], "annotations": []}', "file_name"),
            (
                '{"images": [], "annotations": [{"image_id": 3}]}',
                "of an image 3 that is not listed",
            ),
            (
                '{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}],'
                ' "annotations": []}',
                "two images of the id 1",
            ),
            (
                '{"images": [{"id": 1, "file_name": "a"}],'
                ' "annotations": [{"image_id": 1, "bbox": [1, 2, 3]}]}',
                "bbox.3: Field required",
            ),
            (
                '{"images": [{"id": 1, "file_name": "a"}],'
                ' "annotations": [{"image_id": 1, "bbox": [1, 2, 3, NaN]}]}',
                "do not fit",
            ),
            ('{"images": [], "annotations": ' + "[" * 100_000, "do not fit"),
            ("\x00", "do not fit"),
        ],
    )
    def test_a_file_of_another_form_is_one_line(self, save, content, words):
        with pytest.raises(DeepirError, match=words) as caught:
            read_coco_file(save("a.json", content))
        assert not isinstance(caught.value, FrameError)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", ["../a.png", "/etc/a.png", "http://x/a.png", "..\\a.png", "."])
    def test_an_image_outside_the_folder_is_refused(self, coco, name):
        with pytest.raises(DeepirError, match="leaves the dataset's folder"):
            coco(images=[{"id": 1, "file_name": name}])

    def test_names_of_any_length_are_bad_frames(self, coco):
        name = "n" * 5000
        with pytest.raises(FrameError, match="no image"):
            coco(images=[{"id": 1, "file_name": name}]).read(name)

    def test_numbers_of_any_size_are_errors(self, coco):
        huge = {"size": [20, 30], "counts": [10**1000]}
        with pytest.raises(FrameError, match="got 1 that add up to 1000"):
            coco(target(segmentation=huge)).read("a")
        with pytest.raises(DeepirError, match="do not fit"):
            coco(images=[{"id": 1, "file_name": "a.png", "width": 10**1000}])

    def test_one_file_twice_is_refused(self, coco):
        images = [{"id": n, "file_name": "a.png"} for n in range(2)]
        with pytest.raises(DeepirError, match=r"'a.png' stands more than once"):
            coco(images=images)

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path):
        with pytest.raises(DeepirError, match="cannot read annotations"):
            read_coco_file(tmp_path)

    @settings(max_examples=40)
    @given(st.binary(max_size=40))
    def test_no_bytes_are_more_than_an_error(self, tmp_path_factory, content):
        path = tmp_path_factory.mktemp("coco") / "a.json"
        path.write_bytes(b'{"images": [' + content)
        with pytest.raises(DeepirError):
            read_coco_file(path)


class TestWriting:
    def test_a_frame_of_two_splits_has_one_number(self, tmp_path):
        frames = [framed("a"), framed("b", boxes=())]
        assert write_coco(tmp_path, "train", frames) == write_coco(tmp_path, "all", frames) == {}
        content = json.loads((tmp_path / "annotations" / "instances_train.json").read_text())
        assert [image["file_name"] for image in content["images"]] == ["a.png", "b.png"]
        (one,) = content["annotations"]
        assert {key: one[key] for key in ("id", "image_id", "category_id", "bbox", "iscrowd")} == {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "bbox": [3, 4, 3, 5],
            "iscrowd": 0,
        }
        assert one["area"] == 15
        assert content["categories"] == [{"id": 1, "name": "target"}]

    def test_a_mask_without_boxes_is_listed(self, tmp_path):
        frame = Sample(noise(), [], np.eye(*SHAPE, dtype=bool), "a")
        assert write_coco(tmp_path, "test", [frame]) == {UNBOXED: ["a"]}

    def test_frames_with_and_without_masks_may_be_mixed(self, tmp_path):
        frames = [framed("a"), framed("b", mask=None), framed("c", boxes=())]
        write_coco(tmp_path, "test", frames)
        masks = [Coco.open(tmp_path).read(name).mask for name in "abc"]
        assert masks[0].sum() == 15
        assert masks[1] is None
        assert not masks[2].any()

    @settings(max_examples=25)
    @given(st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 4), max_size=5))
    def test_every_box_comes_back_exactly(self, tmp_path_factory, shares):
        sides = np.array([30, 20, 30, 20])
        corners = [np.sort(np.array(one).reshape(2, 2), axis=0).ravel() * sides for one in shares]
        boxes = [box for box in np.float32(corners).reshape(-1, 4) if (box[2:] > box[:2]).all()]
        root = tmp_path_factory.mktemp("coco")
        write_coco(root, "test", [Sample(noise(), boxes, None, "a")])
        np.testing.assert_array_equal(Coco.open(root).read("a").boxes, np.reshape(boxes, (-1, 4)))
