"""Real ONNX files in the engines that are installed: frames of any size go in, boxes come out."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage
from tiny_networks import (
    CANDIDATES,
    CARD,
    KEPT,
    MIDDLE,
    STEEPNESS,
    hidden_nan,
    no_boxes,
    peak_boxes,
)

from deepir.box_detector import RawBoxes
from deepir.card import Card
from deepir.errors import DeepirError, FrameError, UsageError
from deepir.runtime import agree, best_engine, open_onnx
from deepir.standardise import standardised

SHAPES = ((32, 32), (64, 80), (33, 47), (1, 1), (5, 300), (31, 32), (2, 3))


def frame(shape=(64, 80), dtype=np.uint16):
    """Noise with a bright target in the middle."""
    image = np.random.default_rng(sum(shape)).integers(900, 1100, shape)
    image[shape[0] // 2, shape[1] // 2] += 900
    return image.astype(dtype)


def plain_peaks(image):
    """Scores and boxes of the tiny network, best first, computed with NumPy."""
    padding = [(0, max(0, 32 - side)) for side in image.shape]
    channel = np.pad(standardised(image)[0], padding)
    highest = ndimage.maximum_filter(channel, 5, mode="constant", cval=-np.inf)
    belief = np.where(channel == highest, 1 / (1 + np.exp(-STEEPNESS * (channel - MIDDLE))), 0)
    best = np.argsort(-belief, axis=None, kind="stable")[:KEPT]
    rows, columns = np.divmod(best, channel.shape[1])
    return belief.ravel()[best], np.stack([columns - 1, rows - 1, columns + 2, rows + 2], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_are_those_of_a_plain_computation(opened, shape):
    raw = opened(peak_boxes())(frame(shape))
    scores, boxes = plain_peaks(frame(shape))
    np.testing.assert_allclose(raw.scores, scores, atol=1e-5)
    clear = scores > CANDIDATES
    assert raw.boxes[clear].tolist() == boxes[clear].tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.float64])
def test_any_real_dtype_is_taken(opened, dtype):
    image = frame() // 8
    raw, wanted = (opened(peak_boxes())(image.astype(kind)) for kind in (dtype, np.uint16))
    np.testing.assert_allclose(raw.scores, wanted.scores, atol=1e-3)


def test_a_frame_may_be_a_view_that_is_read_only(opened):
    image = np.asfortranarray(frame())[::-1, ::2]
    image.setflags(write=False)
    raw, wanted = (opened(peak_boxes())(one) for one in (image, image.copy()))
    assert raw.scores.tolist() == wanted.scores.tolist()


def test_the_same_frame_gives_the_same_bits_whatever_came_before(opened):
    network = opened(peak_boxes())
    before = network(frame())
    for shape in SHAPES:
        network(frame(shape))
    after = network(frame())
    assert before.scores.tolist() == after.scores.tolist()
    assert before.boxes.tolist() == after.boxes.tolist()


def test_frames_of_several_threads_do_not_mix(opened):
    network = opened(peak_boxes())
    images = [frame(shape) for shape in SHAPES * 3]
    wanted = [network(image).scores.tolist() for image in images]
    with ThreadPoolExecutor(4) as pool:
        assert [raw.scores.tolist() for raw in pool.map(network, images)] == wanted


def test_a_network_may_find_nothing_at_all(opened):
    raw = opened(no_boxes())(frame())
    assert (raw.boxes.shape, raw.scores.shape) == ((0, 4), (0,))


def test_the_card_is_what_the_file_says(opened):
    calibration = {"pd": [0.5, 0.9]}
    card = Card("oscar_small", 0.125, 0.75, calibration)
    assert opened(peak_boxes(card.properties())).card == card


def test_scores_that_are_no_numbers_are_refused_before_the_first_frame(opened):
    with pytest.raises(DeepirError, match=r"tiny.onnx does not work: .*nan"):
        opened(peak_boxes(gain=float("nan")))


def test_weights_that_are_no_numbers_are_refused_in_each_engine(opened):
    with pytest.raises(DeepirError, match=r"tiny.onnx does not work: .*nan"):
        opened(hidden_nan())


class TestFiles:
    @pytest.mark.parametrize(
        "content", [b"", b"only text\n" * 50, b"\x89PNG\r\n\x1a\n" + bytes(99), bytes(9)]
    )
    def test_what_is_no_network_is_refused(self, opened, content):
        with pytest.raises(DeepirError, match=r"tiny\.onnx is no ONNX file") as caught:
            opened(content)
        assert "\n" not in str(caught.value)

    def test_a_file_cut_anywhere_is_refused(self, opened):
        content = peak_boxes()
        for share in (0.1, 0.5, 0.9, 0.99):
            with pytest.raises(DeepirError, match=r"tiny\.onnx"):
                opened(content[: int(share * len(content))])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"inputs": ("image",)}, r"takes \['image'\].*takes \['frame'\]"),
            ({"outputs": ("boxes", "logits")}, r"gives \['boxes', 'logits'\].*'scores'"),
            ({"sides": (64, 64)}, r"\[1, 2, 64, 64\]; float \(1, 2, H, W\)"),
            ({"properties": {}}, "holds no network of deepir"),
            ({"properties": {**CARD, "deepir": "7"}}, "format '7'"),
        ],
    )
    def test_a_network_of_another_kind_is_refused(self, opened, options, message):
        with pytest.raises(DeepirError, match=message):
            opened(peak_boxes(**options))

    def test_opening_a_file_again_costs_nothing(self):
        content, other = peak_boxes(), peak_boxes(shift=0.5)
        first = open_onnx(content, "a.onnx", "onnxruntime")
        assert open_onnx(bytes(bytearray(content)), "a.onnx", "onnxruntime") is first
        assert open_onnx(other, "a.onnx", "onnxruntime") is not first


class TestEngines:
    def test_auto_takes_one_that_is_installed(self):
        assert best_engine() in ("onnxruntime", "openvino")
        assert open_onnx(peak_boxes(), "tiny.onnx").engine == best_engine()

    def test_engines_agree(self, opened):
        one = open_onnx(peak_boxes(shift=0.25), "tiny.onnx", "onnxruntime")
        other = opened(peak_boxes(shift=0.25))
        for shape in SHAPES:
            difference = agree(one, other, frame(shape))
            assert difference.score < 1e-5
            assert difference.box_px < 1e-4

    def test_an_engine_that_is_not_installed_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "openvino", None)  # as if it were not there
        engines = import_fresh("deepir.runtime.engines")
        assert engines.best_engine() == "onnxruntime"
        with pytest.raises(UsageError, match=r"pip install 'deepir\[openvino\]'"):
            engines.run_openvino(peak_boxes(), "tiny.onnx")

    def test_without_onnx_runtime_it_says_how_to_get_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not there
        with pytest.raises(UsageError, match=r"x\.onnx needs onnxruntime, .*pip install"):
            open_onnx(peak_boxes(shift=0.75), "x.onnx", "onnxruntime")

    @pytest.mark.parametrize("text", [b"candidate_threshold", b"frame", b"scores"])
    def test_names_that_are_no_text_are_damage(self, text):
        content = peak_boxes().replace(text, b"\xc8" + text[1:])
        with pytest.raises(DeepirError, match=r"x\.onnx .*damaged") as caught:
            open_onnx(content, "x.onnx", "onnxruntime")
        assert len(str(caught.value).splitlines()) == 1

    def test_a_damaged_file_is_told_once(self, capsys):
        content = peak_boxes().replace(b"Sigmoid", b"Sigmo\xffd")
        with pytest.raises(DeepirError, match=r"x\.onnx is no ONNX file, or a damaged one"):
            open_onnx(content, "x.onnx", "onnxruntime")
        assert capsys.readouterr().out == ""

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's signal stack")
    def test_networks_that_come_and_go_leave_the_stack_of_signal_handlers_alone(self, opened):
        opened(peak_boxes())
        before = signal_stack()
        for shift in (0.1, 0.2, 0.3):
            opened(peak_boxes(shift=shift))
            assert signal_stack() == before
        open_onnx(peak_boxes(), "tiny.onnx", "onnxruntime")
        gc.collect()
        assert signal_stack() == before


def import_fresh(name):
    """A second copy of a module, which remembers nothing."""
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class SignalStack(ctypes.Structure):
    _fields_ = [("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def signal_stack():
    """Where this thread's signal handlers run; freed memory there makes Ctrl-C a crash."""
    stack = SignalStack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
    return stack.sp, stack.size


class TestAgreement:
    def test_a_network_agrees_with_itself(self):
        network = open_onnx(peak_boxes(), "tiny.onnx", "onnxruntime")
        assert agree(network, network, frame()) == (0.0, 0.0)

    def test_the_largest_difference_counts(self):
        one = RawBoxes([[0, 0, 4, 4], [10, 10, 14, 14]], [0.9, 0.5])
        other = RawBoxes([[10, 10, 14, 17], [1, 0, 4, 4]], [0.6, 0.88])
        score, box_px = agree(lambda _: one, lambda _: other, frame())
        assert score == pytest.approx(0.1)
        assert box_px == 3

    def test_a_box_more_is_infinitely_far_from_none(self):
        one, none = RawBoxes([[0, 0, 4, 4]], [0.9]), RawBoxes([], [])
        assert agree(lambda _: one, lambda _: none, frame()) == (0.9, np.inf)
        assert agree(lambda _: none, lambda _: none, frame()) == (0.0, 0.0)

    def test_faint_boxes_may_be_anywhere(self):
        one, other = RawBoxes([[0, 0, 4, 4]], [0.001]), RawBoxes([[9, 9, 11, 11]], [0.002])
        assert agree(lambda _: one, lambda _: other, frame()).box_px == 0


def test_a_frame_that_the_network_fails_on_is_a_frame_error():
    network = open_onnx(no_boxes(block=1024), "tiny.onnx", "onnxruntime")
    with pytest.raises(FrameError, match="the network fails on 47x33 pixels") as caught:
        network(frame((33, 47)))
    assert "\n" not in str(caught.value)
    assert len(network(frame()).scores) == 0
