"""Valid files, changed: of their bytes, their words and their structure. Only documented errors."""

from __future__ import annotations

import copy
import json
import random
import warnings
from xml.etree.ElementTree import Element, fromstring, tostring

import fuzz_seeds as seeds
import fuzz_targets
import pytest
from fuzz_mutations import ODD, change_bytes, change_words, right_sums
from fuzz_targets import TARGETS, UndocumentedError, documented
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepir.errors import DeepirError, FrameError

some = settings(
    max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TEXTS = [name for name, target in TARGETS.items() if target.is_text]

draws = st.integers(0, 2**32 - 1).map(random.Random)


@pytest.fixture(autouse=True, scope="module")
def _folder():
    yield
    fuzz_targets.leave()


@pytest.fixture(scope="module")
def target():
    """A target by name; those that need a package that is absent are skipped."""

    def named(name):
        if name in ("weights", "record"):
            pytest.importorskip("torch")
            pytest.importorskip("safetensors")
        if name == "onnx":
            pytest.importorskip("onnx")
        return TARGETS[name]

    return named


@pytest.mark.parametrize("name", TARGETS)
def test_valid_files_are_read(target, name):
    for content in target(name).seeds():
        target(name).run(content)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("content", [b"", b"\0", b"\xff" * 100, b"\n", b"{}", b"[]", b"<a/>"])
def test_other_files_are_no_traceback(target, name, content):
    target(name).run(content)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@some
def test_changed_bytes(target, name, data):
    content = data.draw(st.sampled_from(target(name).seeds()))
    target(name).run(change_bytes(content, data.draw(draws)))


@pytest.mark.parametrize("name", TARGETS)
def test_every_length(target, name):
    content = min((seed for seed in target(name).seeds() if seed), key=len)
    for length in range(0, len(content), max(len(content) // 12, 1)):
        target(name).run(content[:length])


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
@some
def test_changed_words(target, name, data):
    one = target(name)
    content = data.draw(st.sampled_from(one.seeds()))
    one.run(change_words(content, one.words, data.draw(draws)))


numbers = st.sampled_from([0, -1, 0.5, 1e308, -1e308, 10**30, 2**31, 2**63, float("nan"), 1e-320])
scalars = st.none() | st.booleans() | numbers | st.sampled_from(ODD) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(ODD), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value, path=()):
    """Paths to every part of a JSON value."""
    yield path
    if isinstance(value, list | dict):
        parts = enumerate(value) if isinstance(value, list) else value.items()
        for key, part in parts:
            yield from places(part, (*path, key))


@st.composite
def changed_json(draw, value):
    """The value with some of its parts replaced, left out or repeated."""
    for _ in range(draw(st.integers(1, 3))):
        value = copy.deepcopy(value)
        path = draw(st.sampled_from(list(places(value))))
        if not path:
            return draw(values)
        inside = value
        for key in path[:-1]:
            inside = inside[key]
        action = draw(st.sampled_from(["replace", "replace", "leave out", "repeat"]))
        if action == "replace":
            inside[path[-1]] = draw(values)
        elif action == "leave out":
            del inside[path[-1]]
        elif isinstance(inside, list):
            inside += [copy.deepcopy(inside[path[-1]])] * draw(st.integers(1, 3))
        else:
            inside[draw(st.sampled_from(ODD))] = inside[path[-1]]
    return value


@pytest.mark.parametrize("name", ["coco", "predictions", "card", "record", "options"])
@given(data=st.data())
@settings(some, max_examples=40)
def test_changed_json(target, name, data):
    content = data.draw(st.sampled_from(target(name).seeds()))
    if name == "options":
        content = target(name).seeds()[1]
    value = json.loads(content)
    if name == "card":
        value["calibration"] = json.loads(value["calibration"])
    changed = data.draw(changed_json(value))
    target(name).run(json.dumps(changed).encode("utf-8", "surrogatepass"))


@st.composite
def changed_xml(draw, root):
    """The tree with some of its elements emptied, renamed, filled, left out or repeated."""
    root = copy.deepcopy(root)
    for _ in range(draw(st.integers(1, 3))):
        parent = draw(st.sampled_from([each for each in root.iter() if len(each)] or [root]))
        if not len(parent):
            break
        child = draw(st.sampled_from(list(parent)))
        action = draw(st.sampled_from(["text", "text", "rename", "leave out", "repeat", "nest"]))
        if action == "text":
            child.text = draw(
                st.sampled_from([word for word in ODD if word.isprintable()]) | numbers.map(str)
            )
        elif action == "rename":
            child.tag = draw(st.sampled_from(["object", "bndbox", "xmin", "size", "width"]))
        elif action == "leave out":
            parent.remove(child)
        elif action == "repeat":
            parent.append(copy.deepcopy(child))
        else:
            inner = Element("object")
            inner.append(copy.deepcopy(child))
            child.append(inner)
    return root


@given(data=st.data())
@settings(some, max_examples=40)
def test_changed_xml(target, data):
    root = fromstring(seeds.voc_seeds()[0])
    target("voc").run(tostring(data.draw(changed_xml(root))))


@given(data=st.data())
@settings(some, max_examples=40)
def test_changed_png_with_right_sums(target, data):
    content = data.draw(st.sampled_from(seeds.png_seeds()))
    target("png").run(right_sums(change_bytes(content, data.draw(draws))))


class TestDocumented:
    """What the targets themselves let pass."""

    def test_an_error_of_another_kind_is_none(self):
        with pytest.raises(KeyError), documented(DeepirError):
            raise KeyError("x")

    def test_a_warning_is_none(self):
        with pytest.raises(RuntimeWarning), documented(DeepirError):
            warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)

    def test_an_error_of_two_lines_is_none(self):
        with pytest.raises(UndocumentedError), documented(ValueError):
            raise ValueError("one\ntwo")

    def test_a_documented_error_passes(self):
        with documented(DeepirError):
            raise FrameError("one")
