"""Weights in files: written whole, read back as they were, refused where they do not fit."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from deepir import __version__
from deepir.errors import DeepirError, UsageError
from deepir.models import CATALOGUE
from deepir.models.cascade import Cascade, Layout
from deepir.models.oscar import Oscar, Widths
from deepir.models.oscar.weights import read_weights
from deepir.models.trained import build, load_weights, read_trained, write_trained
from deepir.models.weight_files import read_weight_file

LAYOUT = Layout(stem=8, widths=(8, 16), blocks=(0, 1), pyramid=8)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(CATALOGUE, "tiny", lambda: Cascade(LAYOUT))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Cascade(LAYOUT)


@pytest.fixture
def file(network, tmp_path):
    """Weights of the tiny network."""
    write_trained(tmp_path / "w.safetensors", "tiny", network, {"seed": "7"})
    return tmp_path / "w.safetensors"


def test_what_is_written_is_read(file, network):
    found = read_trained(file)
    assert found.name == "tiny"
    assert not found.network.training
    assert found.notes["seed"] == "7"
    assert found.notes["deepir"] == __version__
    assert found.notes["architecture"] == "cascade"
    for name, tensor in network.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], tensor)


def test_a_network_can_be_given_them(file, network):
    other = Cascade(LAYOUT)
    assert load_weights(file, "tiny", other)["name"] == "tiny"
    assert torch.equal(other.outputs.weight, network.outputs.weight)


def test_a_file_of_oscar_is_read_by_its_own_reader_too(tmp_path):
    oscar = Oscar(Widths((4, 8, 8, 8), pyramid=8, tower=4, groups=2))
    write_trained(tmp_path / "o.safetensors", "oscar_r18_128", oscar, {})
    assert read_weights(tmp_path / "o.safetensors").widths == oscar.widths


def damaged(path, change):
    """Write the file anew with changed tensors, its notes as they were."""
    tensors, notes = load_file(path), read_weight_file(path)[1]
    change(tensors)
    save_file(tensors, path, notes)


CHANGES = {
    "missing outputs.bias": lambda t: t.pop("outputs.bias"),
    "unexpected more": lambda t: t.update(more=torch.zeros(1)),
    r"'outputs.bias' has shape \(20,\), not \(21,\)": lambda t: t.update(
        {"outputs.bias": torch.zeros(20)}
    ),
    "'outputs.bias' holds NaN or infinite": lambda t: t["outputs.bias"].fill_(torch.nan),
    "'outputs.bias' holds torch.int64": lambda t: t.update(
        {"outputs.bias": torch.zeros(21, dtype=torch.int64)}
    ),
    "'outputs.bias' holds torch.float8_e4m3fn": lambda t: t.update(
        {"outputs.bias": torch.zeros(21).to(torch.float8_e4m3fn)}
    ),
    "'scene.bias' holds NaN or infinite": lambda t: t.update(  # in float32
        {"scene.bias": torch.tensor(1e300, dtype=torch.float64)}
    ),
}


@pytest.mark.parametrize("words", CHANGES)
def test_tensors_that_do_not_fit_are_refused(file, words):
    damaged(file, CHANGES[words])
    other = Cascade(LAYOUT)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(DeepirError, match=words) as caught:
        load_weights(file, "tiny", other)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    for name, tensor in other.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_weights_of_another_network_are_refused(file):
    with pytest.raises(DeepirError, match="weights of 'tiny', those of 'oscar_nano' are wanted"):
        load_weights(file, "oscar_nano", build("oscar_nano"))


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_file_that_was_cut_off_is_refused(file, length):
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DeepirError, match="no whole safetensors file"):
        load_weights(file, "tiny", Cascade(LAYOUT))


def test_numbers_of_a_kind_that_torch_lacks_are_refused(tmp_path):
    entry = {"dtype": "F8_E8M0", "shape": [2], "data_offsets": [0, 2]}
    header = json.dumps({"outputs.bias": entry}).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(2))
    with pytest.raises(DeepirError, match=r"w\.safetensors.* numbers of the kind 'F8_E8M0'"):
        load_weights(path, "tiny", Cascade(LAYOUT))


class Harm:
    """What a pickle in disguise does when it is loaded."""

    def __reduce__(self):
        return print, ("harm was done",)


@pytest.mark.parametrize(
    "write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))]
)
def test_a_pickle_in_disguise_is_refused_and_not_run(tmp_path, write, capsys):
    path = tmp_path / "w.safetensors"
    write({"outputs.bias": Harm()}, path)
    with pytest.raises(DeepirError, match="no whole safetensors file"):
        load_weights(path, "tiny", Cascade(LAYOUT))
    assert "harm" not in capsys.readouterr().out


def test_another_kind_of_file_is_refused_by_its_name(tmp_path):
    with pytest.raises(UsageError, match="deepir convert"):
        load_weights(tmp_path / "w.pth", "tiny", Cascade(LAYOUT))


def test_no_file_says_so(tmp_path):
    with pytest.raises(DeepirError, match="no such file"):
        load_weights(tmp_path / "w.safetensors", "tiny", Cascade(LAYOUT))


def test_a_file_without_a_known_name_is_no_trained_network(file, network):
    save_file(network.state_dict(), file)
    with pytest.raises(DeepirError, match="does not say which network it holds"):
        read_trained(file)
    assert load_weights(file, "tiny", Cascade(LAYOUT)) == {}


def rewritten(path, change):
    """Write the file with a changed header, its tensors as they were."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    change(header)
    encoded = json.dumps(header).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + content[end:])


def test_notes_that_are_nothing_are_no_notes(file):
    rewritten(file, lambda header: header.update(__metadata__=None))
    assert read_weight_file(file)[1] == {}
    with pytest.raises(DeepirError, match="does not say which network it holds"):
        read_trained(file)


@pytest.mark.parametrize("widths", ["{", "[" * 100_000, "[1]", ""])
def test_widths_that_are_none_name_no_network(file, widths):
    notes = {"architecture": "oscar", "widths": widths}
    rewritten(file, lambda header: header.update(__metadata__=notes))
    with pytest.raises(DeepirError, match="does not say which network it holds"):
        read_trained(file)


def test_a_file_that_cannot_be_written_is_named(network, tmp_path):
    (tmp_path / "w.safetensors").mkdir()
    with pytest.raises(OSError, match=r"w\.safetensors"):
        write_trained(tmp_path / "w.safetensors", "tiny", network, {})
    assert list(tmp_path.iterdir()) == [tmp_path / "w.safetensors"]


def test_an_unknown_network_is_refused():
    with pytest.raises(UsageError, match="did you mean 'oscar_small'"):
        build("oscar_smal")


@pytest.mark.parametrize("name", ["oscar_nano", "oscar_small"])
def test_networks_of_the_catalogue_are_new_ones(name):
    assert CATALOGUE[name]().training
