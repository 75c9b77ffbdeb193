"""``deepir eval``: its figures, its JSON, and what a damaged dataset does to it."""

from __future__ import annotations

import json
import re
import shutil

import cv2
import numpy as np
import pytest

from deepir.catalogue import CATALOGUE, is_ready
from deepir.results import FIELDS

ALL = pytest.mark.parametrize("name", sorted(filter(is_ready, CATALOGUE)))
READ_OUTS = pytest.mark.parametrize("read_out", ["peak", "published"])
REQUIRED = (
    *("detector", "split", "read_out", "metrics.mnocoap", "metrics.nocoap", "metrics.pd"),
    *("metrics.false_objects_per_frame", "speed.frames_per_second", "speed.median_ms", "skipped"),
)


def at(result, path):
    """Value under a dotted path."""
    for key in path.split("."):
        result = result[key]
    return result


def leaves(value, path=""):
    """Dotted paths of everything that is no object."""
    if not isinstance(value, dict):
        return [path]
    return [
        leaf for key, part in value.items() for leaf in leaves(part, f"{path}.{key}".strip("."))
    ]


def is_described(leaf, fields):
    """Whether a leaf or an object around it is among the documented fields."""
    parts = leaf.split(".")
    return any(".".join(parts[:count]) in fields for count in range(1, len(parts) + 1))


class TestResult:
    @READ_OUTS
    def test_the_required_keys_are_there(self, evaluate, sirst, read_out):
        outcome, result = evaluate("eval", "mpcm", *sirst, "--read-out", read_out)
        assert outcome.status == 0
        for path in REQUIRED:
            assert at(result, path) is not None
        assert (result["detector"], result["split"]) == ("mpcm", "test_full")
        assert result["read_out"] == read_out
        assert list(result["metrics"]["nocoap"]) == [f"0.{level}" for level in range(1, 10)]
        mean = np.mean(list(result["metrics"]["nocoap"].values()))
        assert result["metrics"]["mnocoap"] == pytest.approx(mean)
        assert (result["skipped"], result["partial"]) == ([], False)

    def test_every_leaf_is_described_and_every_description_has_a_value(self, evaluate, sirst):
        _, result = evaluate("eval", "mpcm", *sirst)
        schema = result.pop("schema")
        assert schema == {"version": 1, "fields": FIELDS}
        assert [leaf for leaf in leaves(result) if not is_described(leaf, FIELDS)] == []
        for path in FIELDS:
            at(result, path)

    def test_times_and_memory_are_positive(self, evaluate, sirst):
        _, result = evaluate("eval", "mpcm", *sirst)
        speed = result["speed"]
        assert all(value > 0 for value in speed.values())
        stages = {f"median_{stage}_ms" for stage in ("reading", "detecting", "read_out")}
        assert stages < set(speed)
        assert result["peak_memory_mb"] is None or result["peak_memory_mb"] > 10

    def test_the_table_shows_what_the_json_holds(self, evaluate, sirst):
        outcome, result = evaluate("eval", "mpcm", *sirst)
        line = next(line for line in outcome.out.splitlines() if " mnocoap" in line)
        assert float(re.findall(r"[\d.]+", line)[0]) == pytest.approx(
            result["metrics"]["mnocoap"], abs=1e-3
        )
        assert "half" not in outcome.out

    def test_without_options_it_runs_on_the_embedded_dataset(self, evaluate):
        outcome, result = evaluate("eval", "top_hat")
        assert outcome.status == 0
        assert (result["data"], result["split"], result["frames"]) == ("simulated", "test", 64)

    def test_a_split_is_chosen_by_name(self, evaluate, sirst):
        _, result = evaluate("eval", "mpcm", *sirst, "--split", "half")
        assert (result["split"], result["frames"]) == ("half", 2)

    def test_a_threshold_moves_pd_but_not_average_precision(self, evaluate, sirst):
        plain, strict = (
            evaluate("eval", "mpcm", *sirst, *options)[1]["metrics"]
            for options in (("--threshold", 0), ("--threshold", 1e9))
        )
        assert strict["pd"] == 0.0 < plain["pd"]
        assert strict["mnocoap"] == plain["mnocoap"] > 0

    def test_top_k_limits_the_candidates(self, evaluate, sirst):
        _, result = evaluate("eval", "mpcm", *sirst, "--top-k", 1)
        assert result["metrics"]["recall_cap"] <= 0.5  # two targets a frame, one candidate

    def test_a_set_without_targets_scores_zero_in_valid_json(self, evaluate, own, own_root, ids):
        for name in ids:
            mask = own_root / "annotations" / "masks" / f"{name}_pixels0.png"
            cv2.imwrite(str(mask), np.zeros((64, 80), np.uint8))
            (own_root / "annotations" / "bboxes" / f"{name}.xml").write_text("<annotation/>")
        outcome, result = evaluate("eval", "mpcm", *own)
        assert outcome.status == 0
        assert (result["targets"], result["metrics"]["mnocoap"], result["metrics"]["pd"]) == (
            *(0, 0.0, 0.0),
        )

    def test_without_a_folder_of_masks_mask_scores_are_null(self, evaluate, own, own_root):
        shutil.rmtree(own_root / "annotations" / "masks")
        outcome, result = evaluate("eval", "mpcm", *own)
        assert outcome.status == 0
        assert [result["metrics"][key] for key in ("pixel", "target", "hybrid")] == [None] * 3
        assert result["metrics"]["mnocoap"] > 0


class TestScoreEqualsEval:
    """``detect`` at the floor, then ``score``, is ``eval``."""

    @ALL
    @READ_OUTS
    def test_exactly(self, deepir, evaluate, sirst, sirst_root, out, name, read_out):
        _, expected = evaluate("eval", name, *sirst, "--read-out", read_out)
        detected = deepir(
            *("detect", sirst_root / "mixed", "--detector", name, "--read-out", read_out),
            *("--threshold", expected["floor"], "--top-k", 100, "--no-overlays", "--out", out),
        )
        assert detected.status == 0
        outcome, scored = evaluate("score", out / "detections.json", *sirst)
        assert outcome.status == 0
        assert scored["read_out"] == "as given"
        assert scored["speed"] is None
        assert scored["detector"] == name
        assert scored["operating_threshold"] == expected["operating_threshold"]
        for key, value in scored["metrics"].items():
            assert value == (
                None if key in ("pixel", "target", "hybrid") else at(expected, f"metrics.{key}")
            )

    @ALL
    def test_the_peak_read_out_from_the_boxes_is_the_same_again(
        self, deepir, evaluate, sirst, sirst_root, out, name
    ):
        deepir(
            *("detect", sirst_root / "mixed", "--detector", name, "--threshold", -99),
            *("--no-overlays", "--out", out),
        )
        _, given = evaluate("score", out / "detections.json", *sirst)
        _, anew = evaluate("score", out / "detections.json", *sirst, "--read-out", "peak")
        assert anew["read_out"] == "peak"
        assert anew["metrics"] == given["metrics"]

    def test_a_simulated_set_makes_the_whole_round(self, deepir, evaluate, tmp_path):
        root = tmp_path / "made"
        deepir("simulate", "--out", root, "--count", 3, "--width", 64, "--height", 48)
        outcome, result = evaluate("eval", "mpcm", "--data", "sirst-v2", "--root", root)
        assert outcome.status == 0
        assert result["frames"] == 3


def annotation(*sides):
    names = ("xmin", "ymin", "xmax", "ymax")
    box = "".join(f"<{n}>{v}</{n}>" for n, v in zip(names, sides, strict=False))
    return f"<annotation><object><bndbox>{box}</bndbox></object></annotation>".encode()


def resize_mask(root, name):
    mask = np.zeros((5, 5), np.uint8)
    cv2.imwrite(str(root / "annotations" / "masks" / f"{name}_pixels0.png"), mask)


def cut_image(root, name):
    path = root / "mixed" / f"{name}.png"
    path.write_bytes(path.read_bytes()[:300])


def without(*parts):
    return lambda root, name: root.joinpath(*parts[:-1], parts[-1].format(name)).unlink()


def annotate(content):
    return lambda root, name: (root / "annotations" / "bboxes" / f"{name}.xml").write_bytes(content)


BAD_FRAMES = {
    "mask_of_another_size": resize_mask,
    "image_cut_off": cut_image,
    "image_missing": without("mixed", "{}.png"),
    "mask_missing": without("annotations", "masks", "{}_pixels0.png"),
    "annotation_missing": without("annotations", "bboxes", "{}.xml"),
    "box_outside": annotate(annotation(1, 2, 500, 9)),
    "box_far_outside": annotate(annotation(1, 2, "1e39", 9)),
    "box_before_the_frame": annotate(annotation(0, 2, 5, 9)),
    "box_empty": annotate(annotation(5, 2, 5, 9)),
    "box_reversed": annotate(annotation(9, 9, 2, 2)),
}
BAD_ANNOTATIONS = {
    "empty": b"",
    "no_xml": b"hello",
    "binary": b"\x89PNG\x00\xff",
    "cut": annotation(1, 2, 9, 9)[:50],
    "word": annotation(1, 2, "three", 9),
    "nan": annotation(1, 2, "nan", 9),
    "infinite": annotation(1, 2, "1e999", 9),
    "side_missing": annotation(1, 2, 9),
    "entity_bomb": b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>',
    "external_entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "unknown_encoding": b'<?xml version="1.0" encoding="klingon"?><annotation/>',
}
BAD_LISTS = {
    "empty": b"",
    "blank": b"\n \n\n",
    "not_utf8": b"\xff\xfeabc",
    "leaves_the_folder": b"../../a",
    "leaves_the_folder_later": b"deep/../../../a",
    "absolute": b"/etc/passwd",
    "drive": b"C:\\a",
    "dot": b".",
    "twice": b"a\nb\na",
    "none_exists": b"nowhere\nneither",
}


class TestBadData:
    @pytest.mark.parametrize("damage", BAD_FRAMES.values(), ids=BAD_FRAMES)
    def test_a_bad_frame_is_skipped_and_the_figures_are_partial(
        self, evaluate, own, own_root, ids, damage
    ):
        damage(own_root, ids[1])
        outcome, result = evaluate("eval", "mpcm", *own)
        assert outcome.status == 3
        assert [entry["id"] for entry in result["skipped"]] == [ids[1]]
        assert (result["partial"], result["frames"]) == (True, len(ids) - 1)
        assert outcome.err.count(f"skipped '{ids[1]}'") == 1
        assert "partial" in outcome.err
        assert "Traceback" not in outcome.err

    def test_an_id_without_a_file_is_skipped(self, evaluate, own, own_root, ids):
        (own_root / "splits" / "more.txt").write_text("\n".join([*ids, "nowhere"]))
        outcome, result = evaluate("eval", "mpcm", *own, "--split", "more")
        assert outcome.status == 3
        assert [entry["id"] for entry in result["skipped"]] == ["nowhere"]

    def test_score_skips_them_too(self, evaluate, own, own_root, ids, tmp_path):
        resize_mask(own_root, ids[1])
        saved = tmp_path / "saved.json"
        saved.write_text('{"detections": []}')
        outcome, result = evaluate("score", saved, *own)
        assert (outcome.status, result["partial"]) == (3, True)
        assert [entry["id"] for entry in result["skipped"]] == [ids[1]]

    @pytest.mark.parametrize("content", BAD_ANNOTATIONS.values(), ids=BAD_ANNOTATIONS)
    @pytest.mark.parametrize("verb", ["eval", "bench"])
    def test_a_foreign_annotation_ends_the_run(self, evaluate, own, own_root, ids, content, verb):
        annotate(content)(own_root, ids[1])
        outcome, result = evaluate(verb, "mpcm", *own)
        outcome.refused(f"{ids[1]}.xml", status=1)
        assert result is None

    def test_an_external_entity_is_not_read(self, deepir, own, own_root, ids, tmp_path):
        (tmp_path / "secret").write_text("17")
        entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'.encode()
        annotate(entity + annotation(1, 2, "&x;", 9))(own_root, ids[1])
        outcome = deepir("eval", "mpcm", *own).refused("entities are refused", status=1)
        assert "17" not in outcome.err.replace(str(tmp_path), "")

    @pytest.mark.parametrize("content", BAD_LISTS.values(), ids=BAD_LISTS)
    def test_a_bad_list_of_ids_ends_the_run(self, evaluate, own, own_root, content):
        (own_root / "splits" / "bad.txt").write_bytes(content)
        outcome, result = evaluate("eval", "mpcm", *own, "--split", "bad")
        outcome.refused(status=1)
        assert result is None

    def test_a_run_that_fails_leaves_an_earlier_result(self, deepir, own, own_root, ids, tmp_path):
        file = tmp_path / "result.json"
        deepir("eval", "mpcm", *own, "--json", file)
        before = file.read_bytes()
        annotate(b"")(own_root, ids[0])
        deepir("eval", "mpcm", *own, "--json", file).refused(status=1)
        assert file.read_bytes() == before

    def test_a_root_of_another_layout_is_refused(self, deepir, tmp_path):
        for root in (tmp_path, tmp_path / "nowhere"):
            deepir("eval", "mpcm", "--data", "sirst-v2", "--root", root).refused(root, status=2)

    def test_a_root_is_wanted_and_not_wanted(self, deepir, tmp_path):
        deepir("eval", "mpcm", "--data", "sirst-v2").refused("--root", status=2)
        deepir("eval", "mpcm", "--root", tmp_path).refused("--root", status=2)


class TestJsonFile:
    @pytest.mark.parametrize("verb", [("eval", "mpcm"), ("bench", "mpcm"), ("score",)])
    def test_a_folder_is_refused_before_the_run(self, deepir, sirst, tmp_path, verb):
        saved = tmp_path / "saved.json"
        saved.write_text('{"detections": []}')
        given = (*verb, saved) if verb == ("score",) else verb
        deepir(*given, *sirst, "--json", tmp_path).refused("folder", status=2)
        deepir(*given, *sirst, "--json", saved / "below.json").refused(status=2)

    def test_what_cannot_be_written_is_refused(self, deepir, sirst, nowhere):
        deepir("eval", "mpcm", *sirst, "--json", nowhere).refused("nowhere", status=2)


@pytest.mark.data
@READ_OUTS
def test_real_frames(evaluate, shared, tmp_path, read_out):
    source = shared("data", "sirst-v2")
    names = (source / "splits" / "test_full.txt").read_text("utf-8").split()[:4]
    root = tmp_path / "sirst-v2"
    for folder in ("mixed", "annotations"):
        root.mkdir(exist_ok=True)
        (root / folder).symlink_to(source / folder, target_is_directory=True)
    (root / "splits").mkdir()
    (root / "splits" / "few.txt").write_text("\n".join(names))
    outcome, result = evaluate(
        *("eval", "top_hat", "--data", "sirst-v2", "--root", root, "--split", "few"),
        *("--read-out", read_out),
    )
    assert outcome.status == 0
    assert result["frames"] == 4
    assert 0 <= result["metrics"]["mnocoap"] <= 1
    assert json.dumps(result, allow_nan=False)
