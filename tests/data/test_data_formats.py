"""Formats are told by their trees; what fits none or two is said."""

from __future__ import annotations

import pytest
from small_frames import framed

from deepir.data import CATALOGUE, FORMATS, format_named, open_dataset, recognise_format
from deepir.errors import UsageError


def test_every_format_is_a_dataset_by_name():
    assert set(CATALOGUE) == {"simulated", *FORMATS}
    assert {"sirst-v2", "mask-folder", "coco", "voc", "yolo"} < set(FORMATS)
    assert all(name == form.name and form.sign for name, form in FORMATS.items())


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UsageError, match=r"unknown format 'yollo': did you mean 'yolo'"):
        format_named("yollo")


@pytest.mark.parametrize("name", FORMATS)
def test_a_dataset_wants_a_root_that_is_there(name, tmp_path):
    for root in (None, tmp_path / "nowhere", tmp_path):
        with pytest.raises(UsageError):
            open_dataset(name, root=root)


@pytest.mark.parametrize("name", FORMATS)
def test_an_unknown_split_gets_the_nearest(name, tmp_path):
    writer = FORMATS[name].writer(tmp_path)
    writer.add("test_full", framed())
    writer.finish({"test_full": ["a"]})
    with pytest.raises(UsageError, match=r"'test_ful'.*mean 'test_full'"):
        open_dataset(name, root=tmp_path, split="test_ful")


def test_no_tree_at_all_says_what_was_looked_for(tmp_path, save):
    save("pictures/a.png")
    save("settings.yaml", "- no\n- dataset\n")
    for words in (
        "sirst-v2: mixed/ and splits/",
        "coco: JSON",
        "voc: JPEGImages/",
        "yolo: images/",
    ):
        with pytest.raises(UsageError, match=words):
            recognise_format(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        recognise_format(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="has no format that is known"):
        recognise_format(tmp_path / "pictures" / "a.png")


def test_two_trees_in_one_are_named(tmp_path, save):
    save("images/a.png")
    save("masks/a.png")
    save("labels/a.txt", "")
    with pytest.raises(UsageError, match="may be mask-folder or yolo: say which with --data"):
        recognise_format(tmp_path)
    with pytest.raises(UsageError, match="say which with --from"):
        recognise_format(tmp_path, option="--from")


def test_one_annotation_file_is_coco(save):
    path = save("a.json", '{"images": [], "annotations": []}')
    assert recognise_format(path).name == "coco"
