"""``deepir data convert``: one command from any format into any other."""

from __future__ import annotations

import json
import shutil
import signal

import pytest

from deepir.data import FORMATS, SirstV2
from deepir.data.images import ImageWriter

SPLITS = ["half", "test_full"]


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def convert(deepir, sirst_root, out):
    return lambda *options: deepir("data", "convert", sirst_root, out, *options)


@pytest.mark.parametrize("name", FORMATS)
def test_there_and_back(deepir, convert, sirst_root, out, tmp_path, name):
    done = convert("--to", name)
    assert (done.status, done.err) == (0, "")
    assert f"4 frames, sirst-v2 to {name} (half 2, test_full 4): {out}" in done.out
    (lost,) = [line for line in done.out.splitlines() if line.startswith("lost: ")]
    masked = name not in ("voc", "voc-half-open", "voc-zero-based", "yolo")
    assert lost.startswith("lost: nothing" if masked else "lost: masks are left out: 4 frames (")
    back = deepir("data", "convert", out, tmp_path / "back", "--to", "sirst-v2", "--from", name)
    assert back.status == 0
    if masked:  # boxes of mask folders come in the order of their pixels
        before, after = contents(sirst_root), contents(tmp_path / "back")
        assert set(before) == set(after)
        assert all(before[name] == after[name] for name in before if not name.endswith(".xml"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_scored_as_the_original_is(convert, evaluate, sirst, out, name):
    convert("--to", name)
    chosen = ("--data", name, "--root", out, "--split", "test_full")
    ours, theirs = (evaluate("eval", "lcm", *each)[1] for each in (chosen, sirst))
    assert ours["metrics"]["mnocoap"] == pytest.approx(theirs["metrics"]["mnocoap"])
    assert ours["metrics"]["pd"] == theirs["metrics"]["pd"]
    assert ours["data"] == ("basicirstd" if name == "mask-folder" else name)


def test_the_other_verbs_take_formats_too(deepir, convert, evaluate, out, ids, tmp_path):
    convert("--to", "yolo")
    chosen = ("--data", "yolo", "--root", out)
    test = (*chosen, "--split", "test_full")
    saved = {"detections": [{"id": name, "points": []} for name in ids]}
    (tmp_path / "saved.json").write_text(json.dumps(saved))
    assert evaluate("score", tmp_path / "saved.json", *test)[1]["metrics"]["pd"] == 0.0
    assert deepir("bench", "lcm", "max_mean", *test).status == 0
    without = tmp_path / "ids.txt"
    without.write_text(ids[0])
    assert " 3 frames" in deepir("eval", "lcm", *test, "--without", without).out


@pytest.fixture
def one_core():
    torch = pytest.importorskip("torch", reason="networks are PyTorch modules")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_core")
def test_a_network_is_trained_on_a_format(deepir, convert, out, tmp_path):
    convert("--to", "coco")
    chosen = ("--data", "coco", "--root", out)
    short = ("--iterations", 2, "--crop", 64, "--batch", 2, "--device", "cpu", "--no-tensorboard")
    run = ("train", "oscar_nano", "--work-dir", tmp_path / "run", *chosen, *short)
    deepir(*run).refused("--train-split and --val-split", status=2)
    done = deepir(*run, "--train-split", "half", "--val-split", "none")
    assert done.status == 0, done.err

    deepir("data", "convert", out, tmp_path / "named", "--to", "yolo", "--split", "half=train")
    named = ("--data", "yolo", "--root", tmp_path / "named")
    run = ("train", "oscar_nano", "--work-dir", tmp_path / "second", *named, *short)
    assert deepir(*run, "--val-split", "none").status == 0
    assert (tmp_path / "run" / "last.safetensors").is_file()


@pytest.mark.usefixtures("one_core")
def test_a_network_is_calibrated_and_exported_on_a_format(
    deepir, convert, out, tmp_path, monkeypatch
):
    pytest.importorskip("onnxscript", reason="torch exports with onnxscript")
    from opinionated import LAYOUT, opinionated

    from deepir.models import CATALOGUE
    from deepir.models.cascade import Cascade
    from deepir.models.trained import write_trained

    monkeypatch.setitem(CATALOGUE, "oscar_nano", lambda: Cascade(LAYOUT))
    convert("--to", "voc")
    chosen = ("--data", "voc", "--root", out)
    weights, calibrated = (tmp_path / f"{name}.safetensors" for name in ("weights", "calibrated"))
    write_trained(weights, "oscar_nano", opinionated(), {})
    line = ("calibrate", weights, "--out", calibrated, *chosen, "--split", "test_full")
    done = deepir(*line, "--false-alarms-per-frame", 5)
    assert "calibrated on voc test_full (4 frames)" in done.out, done.err
    lists = out / "ImageSets" / "Main"
    ids = [(lists / f"{name}.txt").read_text().split() for name in SPLITS]
    (lists / "rest.txt").write_text("\n".join(one for one in ids[1] if one not in ids[0]))
    splits = ("--split", "half", "--val-split", "rest", "--int8", "--frames", 2)
    done = deepir("export", calibrated, "--out", tmp_path / "nano.onnx", *chosen, *splits)
    assert "calibrated on 2 frames of voc half: on voc rest" in done.out, done.err


def test_the_format_is_recognised_and_the_next_command_named(deepir, convert, out, tmp_path):
    convert("--to", "coco")
    done = deepir("data", "convert", out, tmp_path / "yolo", "--to", "yolo")
    assert "coco to yolo" in done.out
    assert (
        f"next: deepir eval lcm --data yolo --root {tmp_path / 'yolo'} --split test_full"
        in done.out
    )


def test_splits_are_chosen_and_renamed(convert, out):
    done = convert("--to", "yolo", "--split", "half=train", "--split", "test_full")
    assert "(train 2, test_full 4)" in done.out
    assert {path.name for path in (out / "images").iterdir()} == {"train", "test_full"}


def test_unusable_frames_are_named_and_the_rest_converted(deepir, own_root, out, ids):
    (own_root / "mixed" / f"{ids[0]}.png").write_bytes(b"no")
    done = deepir("data", "convert", own_root, out, "--to", "voc")
    assert done.status == 3
    assert f"skipped '{ids[0]}'" in done.err
    assert "partial: 1 frames are not in" in done.err
    assert "3 frames" in done.out


def test_ctrl_c_keeps_what_was_written(convert, out, monkeypatch):
    written = ImageWriter.write

    def interrupting(self, sample):
        signal.raise_signal(signal.SIGINT)
        return written(self, sample)

    monkeypatch.setattr(ImageWriter, "write", interrupting)
    done = convert("--to", "sirst-v2")
    assert done.status == 130
    assert "interrupted" in done.err
    assert "the 1 frames finished by then" in done.err
    dataset = SirstV2.open(out)
    assert len(dataset) == 1
    dataset.read(dataset.ids[0])


class TestRefused:
    def test_a_target_with_files(self, convert, out):
        convert("--to", "coco")
        before = contents(out)
        convert("--to", "coco").refused("is not empty", "annotations", status=2)
        assert contents(out) == before

    def test_a_target_that_is_a_file_or_cannot_be_made(self, deepir, sirst_root, save, nowhere):
        for out in (save("a.png"), nowhere):
            deepir("data", "convert", sirst_root, out, "--to", "coco").refused(out, status=2)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (("--to", "cocoo"), "'coco'"),
            (("--to", "coco", "--from", "simulated"), "unknown format 'simulated'"),
            (("--to", "coco", "--from", "yolo"), "is not YOLO"),
            (("--to", "coco", "--split", "hal"), "'half'"),
            (("--to", "coco", "--split", "half=../a"), "named like a file"),
            (("--to", "yolo", "--split", "half=names"), "name the split otherwise"),
            (("--to", "coco", "--split", "half=a", "--split", "test_full=a"), "two splits"),
            (("--to", "coco", "--split", "half=a", "--split", "half=b"), "twice"),
            ((), "--to"),
        ],
    )
    def test_wrong_usage_is_one_line_and_writes_nothing(self, convert, out, options, words):
        convert(*options).refused(words, status=2)
        assert not out.exists()

    def test_a_source_that_is_none(self, deepir, out, tmp_path):
        deepir("data", "convert", tmp_path / "no", out, "--to", "coco").refused(
            "no such folder", status=2
        )
        (tmp_path / "empty").mkdir()
        done = deepir("data", "convert", tmp_path / "empty", out, "--to", "coco")
        done.refused("no format that is known by its tree", status=2)

    def test_a_target_inside_the_source(self, deepir, sirst_root):
        out = sirst_root / "coco"
        deepir("data", "convert", sirst_root, out, "--to", "coco").refused(
            "in each other", status=2
        )
        assert not out.exists()

    def test_no_usable_frame(self, deepir, own_root, out):
        shutil.rmtree(own_root / "mixed")
        (own_root / "mixed").mkdir()
        done = deepir("data", "convert", own_root, out, "--to", "coco")
        done.refused("none of the 4 frames", status=1)


def test_help_names_every_format(deepir):
    shown = deepir("data", "convert", "--help").out
    assert all(name in shown for name in FORMATS)
