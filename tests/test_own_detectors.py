"""A detector in a file of the user's own is found by FILE.py:NAME, and what is wrong is said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from deepir.catalogue import find_name, load_detector
from deepir.cli import run
from deepir.data import write_sirst_v2
from deepir.errors import FrameError, UsageError
from deepir.map_detector import MapDetector
from deepir.own_detectors import is_own
from deepir.simulate import simulate_scene

IMPORTS = """
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from deepir.box_detector import BoxDetector, RawBoxes
from deepir.map_detector import MapDetector
"""

FILTERS = """
def contrast(image):
    return image - np.median(image)

@dataclass
class Level:
    above: float = 0.0

    def __call__(self, image):
        return contrast(image) - self.above

DETECTOR = MapDetector("mine", contrast, 2.0, 9.0)
OBJECT = MapDetector("object", Level(3.0), 2.0, 9.0)

def built(*, level: float = 0.0, mode: str = "default", **more):
    return MapDetector("built", Level(level), 2.0, 9.0, mode)

def boxes(image):
    y, x = np.unravel_index(image.argmax(), image.shape)
    return RawBoxes([[x - 1, y - 1, x + 2, y + 2]], [0.9])

BOXES = BoxDetector("boxes", boxes, 0.1, 0.5)
NUMBER = 5
NOTHING = None
PLAIN = dict
"""

SCENE = simulate_scene(seed=3, shape=(48, 64), targets=1, scr=(9.0, 9.0))


@pytest.fixture
def own(tmp_path):
    """Write a file and give FILE.py:NAME."""

    def write(name, code=FILTERS):
        path = tmp_path / "mine.py"
        path.write_text(IMPORTS + dedent(code), encoding="utf-8")
        return f"{path}:{name}"

    return write


@pytest.fixture
def failing(own):
    """A detector whose filter has this body."""

    def write(body):
        return own("DETECTOR", f"def f(image):\n    {body}\nDETECTOR = MapDetector('f', f, 2, 9)\n")

    return write


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Arguments that choose a small dataset of a dark and some brighter frames."""
    root = tmp_path_factory.mktemp("data")
    frames = [simulate_scene(seed=number, shape=(48, 64), targets=1) for number in range(4)]
    dark = replace(frames[0], image=frames[0].image // 3)
    write_sirst_v2(root, "test_full", [dark, *frames[1:]])
    return ["--data", "sirst-v2", "--root", str(root)]


class TestWhatIsTaken:
    @pytest.mark.parametrize("read_out", ["peak", "published"])
    def test_a_finished_detector_reads_like_any(self, own, read_out):
        mine = load_detector(own("DETECTOR"), read_out=read_out, top_k=7)
        plain = MapDetector(
            "mine", lambda image: image - np.median(image), 2.0, 9.0, read_out=read_out, top_k=7
        )
        found, wanted = (one.read(one.respond(SCENE.image)) for one in (mine, plain))
        assert len(wanted)
        assert found.points.tolist() == wanted.points.tolist()
        assert found.scores.tolist() == wanted.scores.tolist()
        assert (mine.name, mine.family, mine.mode) == ("mine", "classical", "default")

    def test_a_threshold_of_the_user_counts(self, own):
        assert load_detector(own("DETECTOR")).cut == 9
        assert load_detector(own("DETECTOR"), threshold=4).cut == 4

    def test_a_detector_of_boxes(self, own):
        found = load_detector(own("BOXES")).detect(SCENE.image)
        assert len(found) == 1

    def test_a_function_has_its_keywords_as_options(self, own):
        assert load_detector(own("built")).saliency([[1.0, 2, 9]]).tolist() == [[-1, 0, 7]]
        higher = load_detector(own("built"), level=4.0, mode="reference")
        assert higher.saliency([[1.0, 2, 9]]).tolist() == [[-5, -4, 3]]
        assert higher.mode == "reference"

    def test_classes_of_the_file_work(self, own):
        assert load_detector(own("OBJECT")).saliency([[1.0, 2, 9]]).tolist() == [[-4, -3, 4]]

    def test_an_edited_file_counts_at_the_next_call(self, own):
        load_detector(own("DETECTOR"))
        code = FILTERS.replace("- np.median(image)", "- np.median(image) + 1")
        assert load_detector(own("DETECTOR", code)).saliency([[1.0, 2, 9]]).tolist() == [[0, 1, 8]]

    def test_a_filter_may_need_more_than_one_pixel(self, failing):
        detector = load_detector(failing("return np.gradient(image)[0]"))
        assert detector.respond(SCENE.image).saliency.shape == (48, 64)

    def test_its_name_is_kept_as_it_is(self):
        assert find_name("Some/File-A.py:Name") == "Some/File-A.py:Name"
        assert not is_own("top-hat")


class TestWhatIsRefused:
    @pytest.mark.parametrize("name", ["mine.py", "mine.py:", "mine.py::A", "mine.py:a b", ".py:A"])
    def test_another_form(self, name):
        with pytest.raises(UsageError, match=r"named FILE\.py:NAME, got"):
            load_detector(name)

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(UsageError, match=r"cannot read .*none\.py': No such file"):
            load_detector(f"{tmp_path / 'none.py'}:DETECTOR")

    def test_a_folder(self, tmp_path):
        (tmp_path / "folder.py").mkdir()
        with pytest.raises(UsageError, match=r"cannot read .*folder\.py': "):
            load_detector(f"{tmp_path / 'folder.py'}:DETECTOR")

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("\nx = = 3", r"line 8, SyntaxError: invalid syntax"),
            ("\nimport no_such_package", r"line 8, ModuleNotFoundError: No module named 'no_such"),
            ("\ndef f():\n    return 1 / 0\nf()", "line 9, ZeroDivisionError: division by zero"),
            ("\nraise ValueError('a\\nb')", "line 8, ValueError: a b"),
            ("\nraise ValueError()", "line 8, ValueError$"),
            ("\nimport sys\nsys.exit(3)", "line 9, SystemExit: 3"),
            ("\nx = '\0'", "null bytes"),
        ],
    )
    def test_a_file_that_fails(self, own, code, message):
        with pytest.raises(UsageError, match=rf"mine\.py' cannot be run: .*{message}"):
            load_detector(own("DETECTOR", code))

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "DETECTR",
                "unknown detector in .*'DETECTR': did you mean 'DETECTOR'.*BOXES, .*OBJECT",
            ),
            ("NOTHING", "unknown detector in .*'NOTHING'"),
            ("NUMBER", "'NUMBER' in .* is of type int, a MapDetector or a BoxDetector is wanted"),
            ("np", "'np' in .* is of type module"),
            ("PLAIN", "'PLAIN' in .* is of type type, a MapDetector or a BoxDetector is wanted"),
            (
                "contrast",
                r"'contrast' .* needs image, .*MapDetector\('contrast', contrast, peak_fl",
            ),
            ("MapDetector", "needs name, filter, peak_floor, peak_operating"),
            ("Level", "gives a value of type Level, a MapDetector"),
        ],
    )
    def test_what_is_no_detector(self, own, name, message):
        with pytest.raises(UsageError, match=message):
            load_detector(own(name))

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("def make(): raise RuntimeError('no weights')", "cannot be built: line 7, RuntimeErr"),
            ("def make(): return 3", "gives a value of type int"),
            ("make = MapDetector('', np.copy, 1, 2)", "needs a name, got ''"),
            ("make = MapDetector(np.copy, 'a', 1, 2)", "needs a name, got <function"),
            ("make = MapDetector('a', np.copy, None, 2)", "floor of .* finite number, got None"),
            ("make = MapDetector('a', np.copy, 1, np.inf)", "operating threshold .* got inf"),
        ],
    )
    def test_what_gives_none(self, own, code, message):
        with pytest.raises(UsageError, match=message):
            load_detector(own("make", code))

    @pytest.mark.parametrize(
        ("name", "options", "message"),
        [
            ("DETECTOR", {"mode": "reference"}, "option of .*DETECTOR' 'mode'; known: read_out"),
            ("built", {"levl": 3}, "'levl': did you mean 'level'"),
            ("built", {"more": 3}, "option of .*built' 'more'"),
            ("built", {"threshold": float("nan")}, "finite number, got nan"),
        ],
    )
    def test_options_that_it_does_not_have(self, own, name, options, message):
        with pytest.raises(UsageError, match=message):
            load_detector(own(name), **options)


class TestAFilterThatFails:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("return image[1:]", r"shape of its frame, \(48, 64\), the filter gave \(47, 64\)"),
            ("return 3", r"shape of its frame, \(48, 64\), the filter gave \(\)"),
            ("return None", "real numbers, the filter gave a NoneType"),
            ("return 'map'", "real numbers, the filter gave a str"),
            ("return image * 1j", "real numbers, the filter gave dtype complex128"),
            ("return image, 3", r"a map \(H, W\) is wanted, the filter gave a tuple"),
            ("image[2, 5:7] = np.nan; return image", "gave nan at x 5, y 2 .2 of 3072 pixels"),
            ("image[0, 0] = -np.inf; return image", "gave -inf at x 0, y 0"),
            ("return image / ''", r"mine\.py' fails: line 8, TypeError: ufunc"),
            ("return np.zeros((3, 4)) @ image", "fails: line 8, ValueError: matmul"),
        ],
    )
    def test_it_costs_the_frame(self, failing, body, message):
        detector = load_detector(failing(body))
        with pytest.raises(FrameError, match=message):
            detector.detect(SCENE.image)

    def test_a_scale_that_fails_costs_the_frame(self, own):
        code = "DETECTOR = MapDetector('a', np.copy, 1, 2, scale=lambda values: values[1:])"
        with pytest.raises(FrameError, match=r"\(48, 64\), the filter gave \(47, 64\)"):
            load_detector(own("DETECTOR", code)).detect(SCENE.image)

    def test_a_network_that_fails_costs_the_frame(self, own):
        code = "DETECTOR = BoxDetector('a', lambda image: image.no_such, 0.1, 0.5)"
        with pytest.raises(FrameError, match="line 7, AttributeError"):
            load_detector(own("DETECTOR", code)).detect(SCENE.image)

    def test_its_own_refusal_stays(self, own):
        code = """
            from deepir.errors import FrameError
            def f(image):
                raise FrameError("too dark")
            DETECTOR = MapDetector("a", f, 1, 2)
        """
        with pytest.raises(FrameError, match=r"^too dark$"):
            load_detector(own("DETECTOR", code)).detect(SCENE.image)

    def test_any_real_numbers_are_a_map(self, failing):
        detector = load_detector(failing("return [[True, False]]"))
        assert detector.saliency([[1, 2]]).tolist() == [[1, 0]]

    def test_holes_leave_the_map_alone(self, own):
        code = "DETECTOR = MapDetector('a', np.copy, 1, 2, scale=lambda values: values)"
        image = SCENE.image.astype(float)
        image[4, 4] = np.nan
        response = load_detector(own("DETECTOR", code)).respond(image)
        assert response.scores[4, 4] == -np.inf
        assert np.isfinite(response.saliency).all()


class TestManual:
    def test_what_the_page_shows_works(self, data, tmp_path, monkeypatch, capsys):
        page = Path(__file__).parents[1] / "docs" / "own-detector.md"
        mine, choosing, tuned = re.findall(
            r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL
        )
        monkeypatch.chdir(tmp_path)
        Path("my_filter.py").write_text(f"{mine}\n{tuned}", "utf-8")
        small = f'"sirst-v2", root=Path("{data[-1]}"), split="test_full"'
        assert choosing.count('"simulated", split="val"') == 1
        exec(choosing.replace('"simulated", split="val"', small), {"Path": Path})
        floor, operating, mnocoap, pd = map(float, capsys.readouterr().out.split())
        assert 0 < floor < operating
        assert 0 < mnocoap <= 1
        assert 0 <= pd <= 1
        assert load_detector("my_filter.py:tuned", sigma=1.5).name == "tuned"


class TestCommandLine:
    def test_every_verb_takes_it(self, own, data, tmp_path, capsys):
        mine, root = own("DETECTOR"), data[-1]
        assert run(["eval", mine, *data, "--json", str(tmp_path / "eval.json")]) == 0
        assert '"detector": "mine"' in (tmp_path / "eval.json").read_text("utf-8")
        found = ["--detector", mine, "--out", str(tmp_path / "found"), "--no-overlays"]
        assert run(["detect", f"{root}/mixed", *found]) == 0
        assert (tmp_path / "found" / "detections.csv").is_file()
        assert run(["eval", mine, *data, "--plant", "scr=8"]) == 0
        capsys.readouterr()
        assert run(["bench", mine, own("BOXES"), *data, "--read-out", "both"]) == 0
        told = capsys.readouterr().out
        assert (told.count("mine "), told.count("boxes ")) == (2, 2)

    def test_a_filter_that_always_fails_is_one_line(self, failing, data, tmp_path, capsys):
        mine, root = failing("return image[1:]"), data[-1]
        found = ["--detector", mine, "--out", str(tmp_path / "out")]
        assert run(["eval", mine, *data]) == 1
        assert run(["detect", f"{root}/mixed", *found]) == 1
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 2
        for line in told:
            assert "usable" in line
            assert "the filter gave (47, 64)" in line

    def test_a_filter_that_fails_sometimes_leaves_frames_out(self, failing, data, capsys):
        mine = failing("return image / (1 if image.max() > 90 else image.no_such)")
        assert run(["eval", mine, *data]) == 3
        told = capsys.readouterr()
        assert "mnocoap" in told.out
        assert "mine.py' fails: line 8, AttributeError" in told.err
        assert "partial: 1 of 4 frames" in told.err

    def test_wrong_usage_is_one_line(self, own, data, capsys):
        assert run(["eval", own("contrast"), *data]) == 2
        assert run(["eval", "no/such.py:DETECTOR", *data]) == 2
        assert run(["eval", own("DETECTOR"), *data, "--mode", "reference"]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 3
