"""Networks of the catalogue: which weights they take, and what is said where there are none."""

from __future__ import annotations

import hashlib

import pytest
from tiny_networks import BELIEVED, CANDIDATES, CARD, peak_boxes

from deepir import weights
from deepir.catalogue import is_ready, load_detector
from deepir.errors import DeepirError, UsageError
from deepir.networks import CATALOGUE, LOADERS
from deepir.runtime import best_engine
from deepir.simulate import simulate_scene
from deepir.weights import SUMS

NAMES = pytest.mark.parametrize("name", sorted(CATALOGUE))


def named(name):
    return peak_boxes({**CARD, "name": name})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stands for the folder of packaged weights; empty."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def file(tmp_path):
    """Weights of oscar_nano somewhere."""
    path = tmp_path / "mine" / "weights.onnx"
    path.parent.mkdir()
    path.write_bytes(named("oscar_nano"))
    return path


@NAMES
def test_a_network_without_weights_is_refused(folder, name):
    assert not is_ready(name)
    with pytest.raises(DeepirError, match=rf"{name} has no weights .*`deepir train {name}.*PATH"):
        load_detector(name)


@NAMES
def test_packaged_weights_are_taken(folder, name):
    content = named(name)
    (folder / f"{name}.onnx").write_bytes(content)
    (folder / SUMS).write_text(f"{hashlib.sha256(content).hexdigest()}  {name}.onnx\n")
    assert is_ready(name)
    detector = load_detector(name)
    assert (detector.name, detector.family, detector.mode) == (name, "network", "default")
    assert (detector.floor, detector.operating, detector.cut) == (CANDIDATES, BELIEVED, BELIEVED)


@NAMES
def test_packaged_weights_that_were_changed_are_refused(folder, name):
    (folder / f"{name}.onnx").write_bytes(named(name))
    (folder / SUMS).write_text(f"{'0' * 64}  {name}.onnx\n")
    with pytest.raises(DeepirError, match=f"'{name}.onnx' are not those that were packaged"):
        load_detector(name)


@pytest.mark.parametrize("kind", [str, lambda path: path])
@pytest.mark.parametrize("engine", ["auto", "onnxruntime"])
def test_weights_of_the_user_are_taken(file, kind, engine):
    detector = load_detector("oscar-nano", weights=kind(file), engine=engine, threshold=0.7)
    assert detector.network.engine == (best_engine() if engine == "auto" else engine)
    scene = simulate_scene(seed=0)
    assert (detector.detect(scene.image).scores >= 0.7).all()
    assert len(detector.read(detector.respond(scene.image))) > 0


@pytest.mark.parametrize("read_out", ["peak", "published"])
def test_the_thresholds_are_those_of_the_weights(file, read_out):
    detector = load_detector("oscar_nano", weights=file, read_out=read_out)
    assert (detector.floor, detector.operating) == (CANDIDATES, BELIEVED)


def test_weights_of_another_network_are_refused(file):
    with pytest.raises(UsageError, match="those of 'oscar_nano', not of 'oscar_small'"):
        load_detector("oscar_small", weights=file)


@pytest.mark.parametrize("name", ["weights.pth", "weights", "weights.onnx.zip"])
def test_another_kind_of_file_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match=rf"a file of \.onnx.*got .*{name}"):
        load_detector("oscar_nano", weights=tmp_path / name)


def test_the_suffix_may_be_in_capitals(file):
    other = file.rename(file.with_suffix(".ONNX"))
    assert load_detector("oscar_nano", weights=other).name == "oscar_nano"


def test_missing_and_foreign_files_are_one_line(tmp_path):
    text = tmp_path / "text.onnx"
    text.write_text("I am no network\n" * 9)
    for path, message in (
        (tmp_path / "nowhere.onnx", "no such file"),
        (tmp_path / "deep" / "nowhere.onnx", "no such file"),
        (text, "text.onnx' is no ONNX file"),
    ):
        with pytest.raises(DeepirError, match=message) as caught:
            load_detector("oscar_nano", weights=path)
        assert not isinstance(caught.value, UsageError)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weights", [5, 2.5, ["a.onnx"]])
def test_weights_that_are_no_path_are_refused(weights):
    with pytest.raises(UsageError, match="an option of 'oscar_nano' does not fit"):
        load_detector("oscar_nano", weights=weights)


def test_another_kind_of_weights_needs_one_line(tmp_path, monkeypatch, file):
    def reversed_bytes(content, source, engine):
        return LOADERS[".onnx"](content[::-1], source, engine)

    monkeypatch.setitem(LOADERS, ".xnno", reversed_bytes)
    path = tmp_path / "weights.xnno"
    path.write_bytes(file.read_bytes()[::-1])
    assert load_detector("oscar_nano", weights=path).floor == CANDIDATES
