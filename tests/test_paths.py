"""A path may be text or an object, wherever the public interface takes one."""

from __future__ import annotations

import inspect
import os
import re
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest

import deepir
from deepir import networks
from deepir.audit import audit_dataset
from deepir.catalogue import load_detector
from deepir.data import (
    CATALOGUE,
    FORMATS,
    convert_dataset,
    format_named,
    open_dataset,
    read_samples,
    recognise_format,
    without_listed,
    write_coco,
    write_mask_folder,
    write_sirst_v2,
    write_voc,
    write_yolo,
)
from deepir.frames import find_sources, read_image
from deepir.predictions import read_predictions
from deepir.simulate import SimulatedFrames
from deepir.structures import Sample
from deepir.weights import packaged

MANUAL = Path(__file__).parents[1] / "docs" / "api" / "index.md"
ROOMS = re.findall(r"generated/api/(\S+)", MANUAL.read_text("utf-8"))
OF_PATHS = {"BadFrame", "Coco", "Frame", "MaskFolder", "PascalVoc", "SirstV2", "Source"}
OF_PATHS |= {"Sample", "Yolo"}
"""Values that the package makes (a `Sample` turns text into a path): their fields are paths."""


class Place:
    """A path of another kind, as an object of some other package is."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


KINDS = pytest.mark.parametrize("kind", [str, Path, Place])
WRITERS = {
    "sirst-v2": write_sirst_v2,
    "mask-folder": write_mask_folder,
    "coco": write_coco,
    "voc": write_voc,
    "yolo": write_yolo,
}


@pytest.fixture(scope="module")
def samples():
    return list(SimulatedFrames(3, seed=2, shape=(40, 50)))


@pytest.fixture
def root(tmp_path, samples):
    """A dataset in the layout of SIRST-V2."""
    write_sirst_v2(tmp_path / "own", "test_full", samples)
    return tmp_path / "own"


def public(room):
    """Names and functions of a room's page, methods of its classes too."""
    module = import_module(room)
    own = [name for name, value in vars(module).items() if is_of(value, room)]
    for name in getattr(module, "__all__", own):
        value = getattr(module, name)
        if inspect.isclass(value) and issubclass(value, Exception):
            continue
        yield name, value
        if inspect.isclass(value):
            methods = (one for one in vars(value) if not one.startswith("_"))
            yield from ((f"{name}.{one}", getattr(value, one)) for one in methods)


def is_of(value, room):
    return getattr(value, "__module__", None) == room and not value.__name__.startswith("_")


@pytest.mark.parametrize("room", ROOMS)
def test_no_public_function_insists_on_a_path_object(room):
    for name, value in public(room):
        if callable(value) and name not in OF_PATHS:
            for parameter in inspect.signature(value).parameters.values():
                told = re.findall(r"\w*Path\b", str(parameter.annotation))
                assert set(told) <= {"AnyPath"}, f"{room}.{name}({parameter})"


@KINDS
@pytest.mark.parametrize("name", WRITERS)
def test_datasets_are_written_and_opened(name, kind, samples, tmp_path):
    root = tmp_path / "made"
    WRITERS[name](kind(root), "test_full", samples)
    assert recognise_format(kind(root)).name == name
    form = FORMATS[name]
    assert form.splits(kind(root)) == ["test_full"]
    assert form.fits(kind(root))
    for opened in (
        type(open_dataset(name, root=root, split="test_full")).open(kind(root), "test_full"),
        open_dataset(name, root=kind(root), split="test_full"),
        CATALOGUE[name](kind(root), "test_full"),
        form.open(kind(root), "test_full"),
    ):
        assert isinstance(opened.root, Path)
        assert [sample.id for sample in opened] == [sample.id for sample in samples]
        assert all(isinstance(sample.path, Path) for sample in opened)


@KINDS
def test_a_format_writes_frame_by_frame(kind, samples, tmp_path):
    for name, form in FORMATS.items():
        writer = form.writer(kind(tmp_path / name))
        writer.add("test", samples[0])
        writer.finish({"test": [samples[0].id]})
        assert open_dataset(name, root=tmp_path / name).ids == [samples[0].id]


@KINDS
def test_datasets_are_converted_checked_and_cut(kind, root, tmp_path, samples):
    done = convert_dataset(
        format_named("sirst-v2"), kind(root), format_named("coco"), kind(tmp_path / "coco")
    )
    assert done.frames == len(samples)
    assert audit_dataset(kind(tmp_path / "coco"), format_named("coco")).frames == len(samples)
    assert audit_dataset(kind(root), format_named("sirst-v2")).frames == len(samples)
    (tmp_path / "without.txt").write_text(f"{samples[1].id}\n", "utf-8")
    whole = open_dataset("sirst-v2", root=root)
    rest = without_listed(whole, kind(tmp_path / "without.txt"))
    assert [sample.id for sample in rest] == [samples[0].id, samples[2].id]
    assert rest.split == "test_full without 1 ids of without.txt"


@KINDS
def test_frames_are_read(kind, tmp_path, samples):
    path = tmp_path / "frame.png"
    cv2.imwrite(str(path), samples[0].image)
    for read in (read_image, deepir.read_image):
        np.testing.assert_array_equal(read(kind(path)), samples[0].image)
    for inputs in (kind(tmp_path), [kind(tmp_path)], kind(path), (kind(path),)):
        (source,) = find_sources(inputs)
        assert (source.id, source.path) == ("frame", path)
    assert Sample(samples[0].image, [], path=kind(path)).path == path


@KINDS
def test_weights_and_detections_are_read(kind, tmp_path):
    for name in ("oscar_nano", "oscar_small"):
        weights = kind(packaged(name))
        assert load_detector(name, weights=weights, engine="onnxruntime").name == name
        assert networks.CATALOGUE[name](weights=weights).name == name
    (tmp_path / "found.json").write_text('{"detections": [{"id": "a", "points": []}]}', "utf-8")
    assert read_predictions(kind(tmp_path / "found.json")).detections[0].id == "a"


@pytest.mark.parametrize("name", ["simulated", *FORMATS])
def test_a_dataset_is_a_row_of_samples(name, tmp_path, samples):
    if name == "simulated":
        dataset = open_dataset(name)
    else:
        writer = FORMATS[name].writer(tmp_path)
        for sample in samples:
            writer.add("test", sample)
        writer.finish({"test": [sample.id for sample in samples]})
        dataset = open_dataset(name, root=tmp_path)
    count = len(dataset)
    assert [sample.id for sample in dataset] == dataset.ids
    assert len(dataset.ids) == count
    for index in (0, count - 1, -1, np.int64(1)):
        assert dataset[index].id == dataset.ids[index]
        np.testing.assert_array_equal(dataset[index].image, dataset.read(dataset.ids[index]).image)
    for index in (count, -count - 1):
        with pytest.raises(IndexError):
            dataset[index]
    with pytest.raises(TypeError, match="slice"):
        dataset[:2]
    assert dataset.ids[0] in dataset
    assert dataset[0] not in dataset


def test_a_loop_stops_at_what_cannot_be_used_and_read_samples_goes_on(root, samples):
    bad = root / "mixed" / f"{samples[1].id}.png"
    bad.write_bytes(b"no picture")
    dataset = open_dataset("sirst-v2", root=os.fspath(root))
    loop = iter(dataset)
    assert next(loop).id == samples[0].id
    with pytest.raises(deepir.FrameError, match=re.escape(bad.name)):
        next(loop)
    assert next(loop).id == samples[2].id  # and it can go on
    assert [hasattr(one, "reason") for one in read_samples(dataset)] == [False, True, False]
