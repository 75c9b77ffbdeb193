"""``deepir export``: from weights on disk to a file that detects, and one line where it cannot."""

from __future__ import annotations

import json
import sys
from importlib.machinery import PathFinder

import pytest

torch = pytest.importorskip("torch", reason="networks are PyTorch modules")
onnx = pytest.importorskip("onnx", reason="files are written with onnx")
pytest.importorskip("onnxscript", reason="torch exports with onnxscript")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """`oscar_nano` is a tiny network here, on one core."""
    from opinionated import LAYOUT

    from deepir.models import CATALOGUE
    from deepir.models.cascade import Cascade

    monkeypatch.setitem(CATALOGUE, "oscar_nano", lambda: Cascade(LAYOUT))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weights(tmp_path):
    """Write weights of a network; thresholds and other notes as given."""
    from opinionated import opinionated

    from deepir.models.trained import write_trained

    def write(name="oscar_nano", network=None, **notes):
        path = tmp_path / f"{name}.safetensors"
        write_trained(path, name, network or opinionated(floor=1.0), notes)
        return path

    return write


CHOSEN = {"candidate_threshold": "0.02", "operating_threshold": "0.3"}
THRESHOLDS = ("--candidate-threshold", 0.02, "--operating-threshold", 0.3)


def properties(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def test_a_network_is_exported_and_detects(deepir, weights, sirst, tmp_path, evaluate):
    """The file scores as the weights themselves do, in PyTorch."""
    path = tmp_path / "nano.onnx"
    trained = weights(**CHOSEN)
    outcome = deepir("export", "Oscar-Nano", "--weights", trained, "--out", path, *sirst)
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].startswith("oscar_nano, 0.0")
    assert "candidates above 0.02, believed from 0.3" in lines[0]
    assert lines[1].startswith("onnxruntime: scores within")
    assert lines[-1] == f"wrote {path}"
    _, one = evaluate("eval", "oscar_nano", *sirst, "--weights", path, "--engine", "onnxruntime")
    _, other = evaluate("eval", "oscar_nano", *sirst, "--weights", trained)
    assert one["metrics"]["mnocoap"] == pytest.approx(other["metrics"]["mnocoap"], abs=1e-6)


@pytest.fixture
def rest(own_root, ids):
    """A split of the frames that the split ``half`` does not have."""
    (own_root / "splits" / "rest.txt").write_text("\n".join(ids[2:]))
    return "rest"


@pytest.mark.parametrize("val", ["half", "test_full"])
def test_eight_bits_are_not_measured_where_they_were_calibrated(
    deepir, weights, sirst, tmp_path, val
):
    line = ("export", weights(**CHOSEN), "--out", tmp_path / "nano.onnx", "--int8", *sirst)
    outcome = deepir(*line, "--split", "half", "--val-split", val)
    outcome.refused("calibrated on 'half', 2 of the", repr(val), "--val-split", status=2)
    assert list(tmp_path.glob("*.onnx")) == []


def test_eight_bits_state_their_loss(deepir, weights, own, rest, tmp_path):
    path = tmp_path / "nano.onnx"
    splits = ("--split", "half", "--val-split", rest)
    line = ("export", weights(**CHOSEN), "--out", path, "--int8", "--frames", 2, *own, *splits)
    outcome = deepir(*line)
    assert (outcome.status, outcome.err) == (0, "")
    assert "8 bits, calibrated on 2 frames of sirst-v2 half: on sirst-v2 rest" in outcome.out
    loss = json.loads(properties(path)["int8"])
    assert (
        f"mNoCoAP from {loss['mnocoap_float32']:.4f} to {loss['mnocoap_int8']:.4f}" in outcome.out
    )
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(path).graph.node}


class TestRefused:
    """Each of them before any work: none of these exports anything."""

    def test_without_trained_weights(self, deepir, tmp_path, monkeypatch):
        monkeypatch.setattr("deepir.weights.FOLDER", tmp_path)
        out = tmp_path / "x.onnx"
        deepir("export", "oscar_nano", "--out", out).refused("no trained weights", status=1)
        assert not out.exists()

    def test_without_thresholds(self, deepir, weights, tmp_path):
        out = tmp_path / "x.onnx"
        line = ("export", weights(), "--out", out)
        deepir(*line).refused("states no thresholds", "--operating-threshold", status=2)
        deepir(*line, *THRESHOLDS[:2]).refused("states no thresholds", status=2)
        assert not out.exists()

    @pytest.mark.parametrize(
        ("notes", "words"),
        [
            ({"candidate_threshold": "0.1"}, "'operating_threshold' is wanted"),
            ({**CHOSEN, "operating_threshold": "0.001"}, "0 <= candidate <= operating"),
            ({**CHOSEN, "operating_threshold": "high"}, "do not fit"),
            ({**CHOSEN, "calibration": "[]"}, "calibration is a JSON object"),
            ({**CHOSEN, "calibration": "{"}, "do not fit"),
            ({**CHOSEN, "calibration": "{}"}, "the calibration does not fit"),
        ],
    )
    def test_thresholds_in_the_weights_that_do_not_fit(
        self, deepir, weights, tmp_path, notes, words
    ):
        deepir("export", weights(**notes), "--out", tmp_path / "x.onnx").refused(words, status=1)

    def test_thresholds_given_that_do_not_fit(self, deepir, weights, tmp_path):
        line = ("export", weights(**CHOSEN), "--out", tmp_path / "x.onnx")
        deepir(*line, "--candidate-threshold", 0.9).refused("0 <= candidate", status=1)

    @pytest.mark.parametrize("name", ["x.pt", "x", "nowhere/x.onnx"])
    def test_targets(self, deepir, weights, tmp_path, name):
        deepir("export", weights(**CHOSEN), "--out", tmp_path / name).refused(name, status=2)

    def test_names(self, deepir, weights, tmp_path):
        out = ("--out", tmp_path / "x.onnx")
        deepir("export", "mpcm", *out).refused("mpcm is a filter", status=2)
        deepir("export", "oscar_nan", *out).refused("did you mean 'oscar_nano'?", status=2)
        path = weights(**CHOSEN)
        deepir("export", "oscar_small", "--weights", path, *out).refused("'oscar_nano'", status=2)
        deepir("export", path, "--weights", path, *out).refused("given twice", status=2)

    def test_files_that_are_no_weights(self, deepir, tmp_path):
        out = ("--out", tmp_path / "x.onnx")
        text = tmp_path / "text.safetensors"
        text.write_text("I am no network\n" * 9)
        deepir("export", text, *out).refused("no whole safetensors file", status=1)
        deepir("export", tmp_path / "none.safetensors", *out).refused("no such file", status=1)

    def test_a_published_network(self, deepir, weights, monkeypatch, tmp_path):
        from deepir.models import CATALOGUE
        from deepir.models.oscar import Oscar, Widths

        widths = Widths((4, 8, 8, 8), pyramid=8, tower=4, groups=2)
        monkeypatch.setitem(CATALOGUE, "oscar_r18_128", lambda: Oscar(widths))
        path = weights("oscar_r18_128", Oscar(widths))
        outcome = deepir("export", "oscar_r18_128", "--weights", path, "--out", tmp_path / "x.onnx")
        outcome.refused("oscar_r18_128 has no ONNX form", "--weights", status=1)

    @pytest.mark.parametrize("count", [0, -3, 1.5])
    def test_counts_of_frames(self, deepir, weights, tmp_path, count):
        line = ("export", weights(**CHOSEN), "--out", tmp_path / "x.onnx", "--frames", count)
        deepir(*line).refused(status=2)

    def test_formats(self, deepir, weights, tmp_path):
        line = ("export", weights(**CHOSEN), "--out", tmp_path / "x.onnx", "--format", "tflite")
        deepir(*line).refused('"onnx"', status=2)

    @pytest.mark.parametrize("missing", ["torch", "onnx", "onnxscript", "onnxruntime"])
    def test_without_a_package(self, deepir, weights, tmp_path, monkeypatch, missing):
        """As if it were not installed: no finder knows it any more."""
        path = weights(**CHOSEN)
        find = PathFinder.find_spec

        def without(name, *arguments):
            return None if name == missing else find(name, *arguments)

        monkeypatch.setattr(PathFinder, "find_spec", without)
        monkeypatch.delitem(sys.modules, missing, raising=False)
        outcome = deepir("export", path, "--out", tmp_path / "x.onnx")
        outcome.refused(missing, "pip install 'deepir[export]'", status=2)
