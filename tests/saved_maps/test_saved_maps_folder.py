"""Maps are saved once, gone on with where everything is the same, and never trusted otherwise."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from counting_filter import Counting

from deepir import bench
from deepir.archive import response_to
from deepir.catalogue import load_detector
from deepir.errors import DeepirError, UsageError
from deepir.results import result_json
from deepir.saved_maps import Archives
from deepir.saved_maps import folder as folder_module
from deepir.saved_maps.record import RECORD, Maker, probe
from deepir.thresholds import sweep_floors
from deepir.worst import write_worst

FIGURES = ("metrics", "diagnostics", "absent", "targets", "floor", "operating_threshold")


@pytest.fixture
def run(tmp_path, dataset):
    """Evaluate with maps kept in the test's folder, as one command does."""

    def call(detector, *, on=dataset, **options):
        archive = Archives(tmp_path, **options).of(detector)
        return bench.evaluate(detector, on, archive=archive)

    return call


def figures(done):
    result = result_json(done, details=True)
    return {name: result[name] for name in FIGURES}


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_a_map_and_a_note_each_and_one_record(run, detector, dataset, tmp_path):
    run(detector)
    wanted = [f"{name}.npy{suffix}" for name in dataset.ids for suffix in ("", ".json")]
    assert files(tmp_path / "counting") == sorted([*wanted, RECORD])


def test_maps_are_the_filters_own_exact_and_signed(run, detector, dataset, tmp_path):
    run(detector)
    for name in dataset.ids:
        saved = np.load(tmp_path / "counting" / f"{name}.npy")
        assert saved.dtype == np.float64
        assert np.array_equal(saved, detector.saliency(dataset.read(name).image))


def test_the_mode_is_in_the_name_of_the_folder(run, tmp_path):
    run(load_detector("top_hat", mode="reference"))
    assert (tmp_path / "top_hat-reference" / RECORD).exists()


def test_a_second_run_filters_nothing_and_scores_the_same(run, detector, counting, dataset):
    first = run(detector)
    assert len(counting.frames) == len(dataset)
    again = run(detector, resume=True)
    assert len(counting.frames) == len(dataset)
    assert figures(again) == figures(first)
    assert (first.maps["reused"], again.maps["reused"]) == (0, len(dataset))
    assert again.clock.figures()["median_detecting_ms"] == pytest.approx(
        first.clock.figures()["median_detecting_ms"]
    )


def test_saving_changes_no_figure(run, detector, dataset):
    plain = bench.evaluate(replace(detector, filter=Counting()), dataset)
    assert figures(run(detector)) == figures(plain)


def test_what_is_missing_is_made(run, detector, counting, dataset, tmp_path):
    half = replace(dataset, samples=dict(list(dataset.samples.items())[:3]))
    run(detector, on=half)
    (tmp_path / "counting" / "Misc_1.npy").unlink()
    (tmp_path / "counting" / "Misc_2.npy.json").unlink()
    counting.frames.clear()
    done = run(detector, resume=True)
    assert len(counting.frames) == len(dataset) - 1
    assert done.maps["reused"] == 1


def test_two_read_outs_filter_once(tmp_path, detector, counting, dataset):
    archives = Archives(tmp_path)
    for read_out in ("peak", "published"):
        chosen = replace(detector, read_out=read_out)
        done = bench.evaluate(chosen, dataset, archive=archives.of(chosen))
        plain = bench.evaluate(replace(chosen, filter=Counting()), dataset)
        assert figures(done)["metrics"] == figures(plain)["metrics"]
        assert done.maps["reused"] == 0  # they are of this very command
        assert len(counting.frames) == len(dataset)


def test_a_folder_that_holds_maps_is_not_written_unless_asked(run, detector):
    run(detector)
    with pytest.raises(UsageError, match="--resume"):
        run(detector)


CHANGES = {
    "another window": lambda one: replace(one, filter=Counting(size=5)),
    "another unit": lambda one: replace(one, filter=Counting(offset=1e-4)),
    "an option that is told": lambda one: replace(one, options={"max_iter": 7}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_detector_of_that_name_is_refused(run, detector, change):
    run(detector)
    with pytest.raises(DeepirError, match="cannot be gone on with"):
        run(change(detector), resume=True)


@pytest.mark.parametrize(
    ("place", "value", "word"),
    [
        ("deepir", "0.0.9", "made with deepir '0.0.9'"),
        ("detector", "other", "detector 'other'"),
        ("mode", "reference", "mode 'reference'"),
        ("options", {"size": 3}, "size"),
        ("probe", [0.0] * 8, "code or options"),
    ],
)
def test_a_record_that_says_otherwise_is_refused(run, detector, tmp_path, place, value, word):
    run(detector)
    path = tmp_path / "counting" / RECORD
    record = json.loads(path.read_text("utf-8"))
    record["made_by"][place] = value
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(DeepirError, match=word):
        run(detector, resume=True)


def test_the_last_digits_of_another_processor_are_no_difference(detector):
    here = Maker.of(detector)
    there = here.model_copy(update={"probe": [value * (1 + 1e-9) for value in here.probe]})
    assert here.difference(there) is None


def test_another_format_is_refused(run, detector):
    run(detector)
    with pytest.raises(DeepirError, match="saved as npy, this run saves png"):
        run(detector, resume=True, form="png")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"made_by": 3}'])
def test_a_broken_record_is_refused(run, detector, tmp_path, content):
    run(detector)
    (tmp_path / "counting" / RECORD).write_text(content)
    with pytest.raises(DeepirError, match=RECORD):
        run(detector, resume=True)


def test_files_without_a_record_are_not_gone_on_with(run, detector, tmp_path):
    run(detector)
    (tmp_path / "counting" / RECORD).unlink()
    with pytest.raises(DeepirError, match=RECORD):
        run(detector, resume=True)


DAMAGE = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-8]),
    "other values": lambda path: np.save(path, 1 + np.load(path)),
    "no note": lambda path: path.with_name(f"{path.name}.json").unlink(),
    "a torn note": lambda path: path.with_name(f"{path.name}.json").write_text('{"id": '),
    "another frame's": lambda path: path.write_bytes(path.with_name("iraytek_0.npy").read_bytes()),
    "another frame's with its note": lambda path: [
        path.with_name(f"Misc_1{suffix}").write_bytes(
            path.with_name(f"iraytek_0{suffix}").read_bytes()
        )
        for suffix in (".npy", ".npy.json")
    ],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_map_that_is_not_what_was_saved_is_made_anew(run, detector, counting, tmp_path, damage):
    first = run(detector)
    wanted = np.load(tmp_path / "counting" / "Misc_1.npy")
    damage(tmp_path / "counting" / "Misc_1.npy")
    counting.frames.clear()
    again = run(detector, resume=True)
    assert len(counting.frames) == 1
    assert again.maps["reused"] == 5
    assert again.maps["replaced"] == 1
    assert figures(again)["metrics"] == figures(first)["metrics"]
    assert np.array_equal(np.load(tmp_path / "counting" / "Misc_1.npy"), wanted)


def test_the_map_of_another_image_of_that_name_is_made_anew(run, detector, counting, dataset):
    run(detector)
    old = dataset.read("Misc_1")
    changed = replace(old, image=old.image[::-1].copy(), boxes=[], mask=None)
    counting.frames.clear()
    run(detector, on=replace(dataset, samples={**dataset.samples, "Misc_1": changed}), resume=True)
    assert len(counting.frames) == 1


def test_maps_of_another_run_are_not_slipped_in(run, detector, counting, dataset, tmp_path):
    run(detector)
    other = replace(detector, filter=Counting(size=5))
    archive = Archives(tmp_path / "elsewhere").of(other)
    response_to(other, dataset.read("Misc_0"), archive)
    for suffix in (".npy", ".npy.json"):
        source = tmp_path / "elsewhere" / "counting" / f"Misc_0{suffix}"
        (tmp_path / "counting" / source.name).write_bytes(source.read_bytes())
    counting.frames.clear()
    run(detector, resume=True)
    assert len(counting.frames) == 1


def test_thresholds_of_the_last_run_stand_in_the_record(run, detector, tmp_path):
    run(detector)
    run(replace(detector, peak_floor=3.0, peak_operating=20.5), resume=True)
    record = json.loads((tmp_path / "counting" / RECORD).read_text("utf-8"))
    assert (record["floor"], record["operating_threshold"]) == (3.0, 20.5)


def test_two_detectors_of_one_name_do_not_share_a_folder(tmp_path, detector):
    archives = Archives(tmp_path)
    archives.of(detector)
    with pytest.raises(UsageError, match="two commands"):
        archives.of(replace(detector, filter=Counting(size=5)))


def test_a_detector_of_boxes_has_no_maps(tmp_path):
    with pytest.raises(UsageError, match="oscar_nano finds boxes"):
        Archives(tmp_path).of(load_detector("oscar_nano"))


@pytest.mark.parametrize("name", ["../up", "/top", "deep/er/one", "a.b", "x" * 400, "ü #1", "maps"])
def test_any_id_has_its_file_below_the_folder(run, detector, dataset, tmp_path, name):
    sample = replace(dataset.read("Misc_0"), id=name)
    run(detector, on=replace(dataset, samples={name: sample}))
    done = run(detector, on=replace(dataset, samples={name: sample}), resume=True)
    assert done.maps["reused"] == 1
    (path,) = tmp_path.rglob("*.npy")
    assert path.is_relative_to(tmp_path / "counting")


def test_a_run_that_reads_nothing_leaves_nothing(run, detector, dataset, tmp_path):
    with pytest.raises(DeepirError, match="none of the 1 frames"):
        run(detector, on=replace(dataset, samples={"a": None}))
    assert list(tmp_path.iterdir()) == []


def test_the_probe_of_a_detector_is_the_same_twice_and_tells_detectors_apart():
    found = [probe(load_detector(name)) for name in ("top_hat", "top_hat", "lcm")]
    assert found[0] == found[1] != found[2]


def test_floors_are_chosen_from_saved_maps(tmp_path, detector, counting, dataset):
    wanted = sweep_floors(replace(detector, filter=Counting()), dataset)
    for _ in range(2):
        archive = Archives(tmp_path, resume=True).of(detector)
        assert sweep_floors(detector, dataset, archive=archive).floors == wanted.floors
    assert len(counting.frames) == len(dataset)
    done = bench.evaluate(detector, dataset, archive=Archives(tmp_path, resume=True).of(detector))
    assert done.maps["reused"] == len(counting.frames) == len(dataset)


def test_pictures_of_the_worst_frames_filter_nothing_again(run, detector, counting, tmp_path):
    done = run(detector)
    before = len(counting.frames)
    assert write_worst(done, tmp_path / "worst", count=3)
    assert len(counting.frames) == before


def test_a_disk_without_room_ends_the_run_and_keeps_what_is_there(
    run, detector, dataset, tmp_path, monkeypatch
):
    whole = folder_module.write_bytes

    def full(path, content):
        if path.name.startswith("iraytek"):
            raise OSError(28, "No space left on device", str(path))
        whole(path, content)

    monkeypatch.setattr(folder_module, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        run(detector)
    monkeypatch.undo()
    assert run(detector, resume=True).maps["reused"] == 3
