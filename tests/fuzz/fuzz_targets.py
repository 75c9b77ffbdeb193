"""What reads files from strangers, each as a function of the file's bytes.

A target raises only what nobody documents: every documented error is caught in it, and must be one
line. ``documented`` says which those are.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import fuzz_seeds as seeds
import numpy as np
from fuzz_mutations import right_sums

from deepir.audit import audit_dataset
from deepir.audit.lists import list_findings
from deepir.audit.report import audit_lines
from deepir.audit.run import facts_of
from deepir.calibration import Calibration
from deepir.card import read_card
from deepir.cli import run as run_command
from deepir.cli.options_file import read_options
from deepir.data import Excluding, Format, format_named, read_samples, without_listed
from deepir.data.coco_form import read_coco_file
from deepir.data.images import png
from deepir.data.mask_folders import write_mask_folder
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.frames import BadFrame, Frame, find_sources, read_image
from deepir.predictions import read_predictions
from deepir.saved_maps import open_maps
from deepir.saved_maps.record import RECORD

PIXELS = 2**18
"""Limit of a frame while fuzzing, so that no input is slow for its honest size."""

STATUSES = (0, 1, 2, 3)


class UndocumentedError(AssertionError):
    """An outcome that no docstring allows."""


@dataclass(frozen=True)
class Target:
    """``run`` takes the bytes of a file; ``words`` are what a mutation may insert into it."""

    seeds: Callable[[], list[bytes] | tuple[bytes, ...]]
    run: Callable[[bytes], None]
    words: tuple[str, ...] = ()
    is_text: bool = False


@contextlib.contextmanager
def documented(*kinds: type[Exception]) -> Iterator[None]:
    """Let errors of these kinds pass if they are one line, and take warnings for errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.filterwarnings("ignore", "a.npy of shape")  # documented, and one line too
        try:
            yield
        except kinds as error:
            if len(str(error).splitlines()) != 1:
                raise UndocumentedError(f"not one line: {error!r}") from error


@cache
def place() -> Path:
    """A folder for this process, in memory where there is such a disk."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="deepir-fuzz-", dir=memory if memory.is_dir() else None)
    os.environ["DEEPIR_MAX_PIXELS"] = str(PIXELS)
    return Path(folder)


def leave() -> None:
    """Remove the folder."""
    shutil.rmtree(place(), ignore_errors=True)
    place.cache_clear()
    maps.cache_clear()
    os.environ.pop("DEEPIR_MAX_PIXELS", None)


def put(name: str, content: bytes) -> Path:
    """Write a file below the folder."""
    path = place() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# Frames


def read_frames(name: str, content: bytes) -> None:
    """Every door to the frames of a file."""
    path = put(name, content)
    with documented():
        (source,) = find_sources([path])
        count = source.count()
        assert count is None or count > 0
        for number, one in enumerate(source.frames()):
            assert isinstance(one, Frame | BadFrame)
            if isinstance(one, BadFrame):
                assert len(one.reason.splitlines()) == 1, one.reason
            else:
                assert one.image.ndim == 2
                assert one.image.size <= PIXELS
            if number > 50:
                break
    with documented(FrameError):
        read_image(path)


def read_png(content: bytes) -> None:
    """A PNG as it is, and with right check sums."""
    read_frames("a.png", content)
    read_frames("a.png", right_sums(content))


# Datasets


def look_at(form: Format, root: Path) -> None:
    """Everything that can be asked of a dataset."""
    with documented(DeepirError):
        form.fits and form.fits(root)
        for split in form.splits(root)[:3]:
            with documented(DeepirError):
                look_at_split(form, root, split)
    with documented(DeepirError):
        list(audit_lines(audit_dataset(root, form)))


def look_at_split(form: Format, root: Path, split: str) -> None:
    """Open one split and read its frames."""
    dataset = form.open(root, split)
    dataset.left_out()
    dataset.every_id()
    assert not dataset.knows("nowhere")
    for sample_id in dataset.ids[:50]:
        dataset.identity(sample_id)
    for _ in read_samples(Excluding(dataset, frozenset(dataset.ids[50:]), "the rest")):
        pass


@cache
def images() -> tuple[bytes, bytes]:
    """The two frames of a small dataset as PNG."""
    one, other = (png(sample.image) for sample in seeds.samples())
    return one, other


def tree(name: str, *folders: str) -> Path:
    """A dataset with two images and no annotations yet."""
    root = place() / name
    if not root.exists():
        for folder in folders:
            put(f"{name}/{folder}/a.png", images()[0])
            put(f"{name}/{folder}/b.png", images()[1])
    return root


def read_coco(content: bytes) -> None:
    """An annotation file of COCO."""
    root = tree("coco", "images")
    path = put("coco/annotations/instances_test.json", content)
    with documented(DeepirError):
        read_coco_file(path)
    look_at(format_named("coco"), root)


def read_voc(content: bytes) -> None:
    """An annotation of Pascal VOC, in two ways of counting."""
    root = tree("voc", "JPEGImages")
    put("voc/Annotations/a.xml", content)
    put("voc/Annotations/b.xml", b"<annotation/>")
    for counting in ("voc", "voc-zero-based"):
        look_at(format_named(counting), root)


def read_labels(content: bytes) -> None:
    """A label file of YOLO."""
    root = tree("labels", "images/test")
    put("labels/labels/test/a.txt", content)
    look_at(format_named("yolo"), root)


def read_data_yaml(content: bytes) -> None:
    """The data.yaml of YOLO."""
    root = tree("yolo", "images/test")
    put("yolo/labels/test/a.txt", b"0 0.5 0.5 0.25 0.5\n")
    put("yolo/test.txt", b"images/test/a.png\n./images/test/b.png\n")
    put("yolo/data.yaml", content)
    look_at(format_named("yolo"), root)


def read_list(content: bytes) -> None:
    """A list of ids, of several layouts."""
    form, root = format_named("sirst-v2"), tree("sirst", "mixed")
    put("sirst/splits/test.txt", content)
    put("sirst/annotations/bboxes/a.xml", b"<annotation/>")
    with documented(DeepirError):
        look_at_split(form, root, "test")
    lists, _ = facts_of(root, form).lists()
    for one in lists:
        list_findings(one)
    root = tree("masks", "images", "masks")
    put("masks/img_idx/test_masks.txt", content)
    look_at(format_named("mask-folder"), root)
    with documented(DeepirError):
        whole = format_named("yolo").open(tree("plain", "images/test", "labels/test"), "test")
        without_listed(whole, put("left out.txt", content))


def read_mask(content: bytes) -> None:
    """A mask."""
    root = place() / "folder"
    if not root.exists():
        write_mask_folder(root, "test", seeds.samples())
    put("folder/masks/a.png", right_sums(content))
    look_at(format_named("mask-folder"), root)


# Everything else


def read_saved(content: bytes) -> None:
    """Saved detections."""
    path = put("detections.json", content)
    with documented(DeepirError):
        for entry in read_predictions(path).detections:
            entry.detections()


@cache
def maps() -> dict[str, bytes]:
    """Files of two saved maps, exact and as PNG, as a run left them."""
    tree("whole", "images")
    put("whole/annotations/instances_test.json", seeds.coco_seeds()[0])
    found = {}
    for form in ("png", "npy"):
        line = ("eval", "lcm", "--data", "coco", "--root", str(place() / "whole"))
        saving = ("--save-saliency", str(place() / form), "--saliency-format", form)
        with contextlib.redirect_stdout(io.StringIO()):
            assert run_command((*line, *saving)) == 0
        for path in (*sorted((place() / form).rglob("a.*")), place() / form / "lcm" / RECORD):
            found[path.relative_to(place()).as_posix()] = path.read_bytes()
    return found


def map_seeds() -> list[bytes]:
    """A byte for the name, then the file."""
    return [bytes([number]) + content for number, content in enumerate(maps().values())]


def read_maps(content: bytes) -> None:
    """Saved maps: the record, a note, a map."""
    names = list(maps())
    for name, kept in maps().items():
        put(name, kept)
    path = put(names[content[0] % len(names) if content else 0], right_sums(content[1:]))
    dataset = format_named("coco").open(place() / "whole", "test")
    put("others/a.png", right_sums(content[1:]))
    for folder in (path.parent, place() / "others"):
        with documented(DeepirError):
            saved = open_maps(folder)
            saved.detector.read(saved.response(dataset.read("a")))


def read_properties(content: bytes) -> None:
    """The card of a network, and its calibration."""
    try:
        stored = json.loads(content)
        if not isinstance(stored, dict):
            return
    except (ValueError, RecursionError):
        return
    properties = {
        key: text if isinstance(text, str) else json.dumps(text) for key, text in stored.items()
    }
    with documented(DeepirError):
        card = read_card(properties, "a file")
        assert read_card(card.properties(), "a file") == card
        if card.calibration is not None:
            use(Calibration.from_json(card.calibration))


def use(calibration: Calibration) -> None:
    """Ask a calibration what it is for."""
    stated = calibration.odds.probability(np.linspace(0, 1, 5))
    assert ((stated >= 0) & (stated <= 1)).all()
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration
    with documented(UsageError):
        assert 0 <= calibration.threshold_for(0.5) <= 1


def read_options_file(content: bytes) -> None:
    """Options of a training run."""
    with documented(UsageError):
        read_options(put("options.yaml", content))


def read_weights(content: bytes) -> None:
    """A file of weights and what it says of itself."""
    from deepir.models.running import chosen_card
    from deepir.models.trained import parse_trained
    from deepir.models.weight_files import parse_weight_file

    with documented(DeepirError):
        _, notes = parse_weight_file(content, "a file")
        with documented(DeepirError):
            chosen_card("tiny", notes, "a file")
    with documented(DeepirError):
        parse_trained(content, "a file")


def read_onnx(content: bytes) -> None:
    """A network in an ONNX file."""
    from deepir.runtime import open_onnx

    with documented(DeepirError):
        network = open_onnx(content, "a file", "onnxruntime")
        if network.card.calibration is not None:
            Calibration.from_json(network.card.calibration)


def read_run(content: bytes) -> None:
    """The record of a training run."""
    from deepir.training.record import differences, read_record

    with documented(DeepirError):
        record = read_record(put("run.json", content))
        if record is not None:
            differences(record, record)


COMMANDS = (
    (seeds.png_seeds, "a.png", ("detect", "a.png", "--detector", "lcm", "--out", "out")),
    (seeds.tiff_seeds, "a.tif", ("detect", "a.tif", "--detector", "lcm", "--out", "out")),
    (seeds.coco_seeds, "coco/annotations/instances_test.json", ("data", "check", "coco")),
    (seeds.data_yaml_seeds, "yolo/data.yaml", ("data", "convert", "yolo", "out", "--to", "voc")),
    (seeds.voc_seeds, "voc/Annotations/a.xml", ("data", "show", "voc", "--out", "sheet.html")),
    (
        seeds.predictions_seeds,
        "saved.json",
        ("score", "saved.json", "--data", "coco", "--root", "whole"),
    ),
)


def command_seeds() -> list[bytes]:
    """A byte for the command, then the file."""
    return [
        bytes([number]) + content
        for number, (make, *_) in enumerate(COMMANDS)
        for content in make()
    ]


def run_commands(content: bytes) -> None:
    """The command line: a status of its own, and nothing but lines of its own."""
    _, file, command = COMMANDS[content[0] % len(COMMANDS) if content else 0]
    for name, folder in (("coco", "images"), ("yolo", "images/test"), ("voc", "JPEGImages")):
        tree(name, folder)
    tree("whole", "images")
    put("whole/annotations/instances_test.json", seeds.coco_seeds()[0])
    put("yolo/labels/test/a.txt", b"0 0.5 0.5 0.25 0.5\n")
    put("voc/Annotations/b.xml", b"<annotation/>")
    put(file, content[1:])
    before = Path.cwd()
    os.chdir(place())
    try:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run_command(command)
    finally:
        os.chdir(before)
        shutil.rmtree(place() / "out", ignore_errors=True)
    lines = err.getvalue().splitlines()
    assert status in STATUSES, status
    assert all(line.startswith("deepir: ") for line in lines), lines
    assert status == 0 or lines or command[1] == "check", status
    if status == 2:
        assert len([line for line in lines if "warning" not in line]) == 1, lines


def _text(make: Callable[[], list[bytes]], run: Callable[[bytes], None], *words: str) -> Target:
    return Target(make, run, words, is_text=True)


JSON_WORDS = ("NaN", "-Infinity", "1e400", "null", "true", "[", "]", "{}", '"', "\\ud800", ",")
YAML_WORDS = ("&a ", "*a", "- ", ": ", "? ", "|\n", "!!python/object:os.system ", "<<: *a", "[{")
XML_WORDS = (
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "&b;",
    "<![CDATA[",
    "encoding='utf-7'",
    "<object>",
    "<bndbox>",
    "<xmin>1e999</xmin>",
)

TARGETS = {
    "png": Target(seeds.png_seeds, read_png, ("IHDR", "IDAT", "acTL", "fcTL", "PLTE", "tRNS")),
    "jpeg": Target(seeds.jpeg_seeds, partial(read_frames, "a.jpg")),
    "image": Target(seeds.other_image_seeds, partial(read_frames, "a.bmp"), ("VP8X", "VP8L")),
    "tiff": Target(seeds.tiff_seeds, partial(read_frames, "a.tif"), ("ImageJ=1\nimages=9\n",)),
    "npy": Target(seeds.npy_seeds, partial(read_frames, "a.npy"), ("'shape':", "True", "(9,")),
    "video": Target(seeds.video_seeds, partial(read_frames, "a.avi"), ("RIFF", "movi", "moov")),
    "mask": Target(seeds.png_seeds, read_mask),
    "coco": _text(seeds.coco_seeds, read_coco, *JSON_WORDS, '"counts"', '"bbox"', '"file_name"'),
    "voc": _text(seeds.voc_seeds, read_voc, *XML_WORDS),
    "labels": _text(seeds.label_seeds, read_labels, "nan", "1e-320", "\u2028", "0.5 ", "-"),
    "data-yaml": _text(seeds.data_yaml_seeds, read_data_yaml, *YAML_WORDS, "path: ", "train: "),
    "list": _text(seeds.list_seeds, read_list, "../", "a\n", "\ufeff", "\u2028", "/", "#"),
    "predictions": _text(seeds.predictions_seeds, read_saved, *JSON_WORDS, '"points"'),
    "maps": Target(map_seeds, read_maps, (*JSON_WORDS, "deepir-map")),
    "card": _text(seeds.card_seeds, read_properties, *JSON_WORDS, '\\"slope\\"', "1e308", "-0.0"),
    "options": _text(seeds.options_seeds, read_options_file, *YAML_WORDS),
    "weights": _text(seeds.weights_seeds, read_weights, *JSON_WORDS, '"F4"', '"__metadata__"'),
    "onnx": Target(seeds.onnx_seeds, read_onnx, JSON_WORDS),
    "record": _text(seeds.record_seeds, read_run, *JSON_WORDS),
    "command": _text(command_seeds, run_commands, *JSON_WORDS, *YAML_WORDS, *XML_WORDS),
}
"""Targets by name."""
