"""The real command in a process of its own: pipes, signals, disks that are full, names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "deepir")
HEAVY = ("torch", "matplotlib", "onnxruntime", "openvino", "sklearn", "pandas")
WAIT_S = 60

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")


def environment(**more):
    # What is printed is held back until the end, as in a user's shell.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def deepir(*arguments, stdout=subprocess.PIPE, **options):
    """Run the command to its end."""
    options = {"env": environment(), "timeout": WAIT_S, "encoding": "utf-8", **options}
    line = [*COMMAND, *map(str, arguments)]
    return subprocess.run(line, stdout=stdout, stderr=subprocess.PIPE, check=False, **options)


def python(code):
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, check=True, timeout=60
    )
    return run.stdout.decode().strip()


def started(*arguments):
    """A running command."""
    line = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(
        line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )


def until(condition, process):
    """Wait for a value that is not false, as long as the process lives."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if value := condition():
            return value
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    raise AssertionError("the process did not come that far")


def opened_by_reader(fifo):
    """Descriptor for writing, None until somebody reads."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


class TestStart:
    def test_console_script_and_module_are_one(self):
        script = Path(sys.executable).with_name("deepir")
        if not script.exists():
            pytest.skip(f"no console script at {script}")
        by_script = subprocess.run([script, "--version"], capture_output=True, check=True)
        assert by_script.stdout.decode() == deepir("--version").stdout

    def test_import_is_fast_and_without_numpy(self):
        code = (
            "import time; start = time.perf_counter(); import deepir, sys;"
            "print(time.perf_counter() - start, 'numpy' in sys.modules)"
        )
        seconds, has_numpy = python(code).split()
        assert float(seconds) < 0.5
        assert has_numpy == "False"

    def test_no_network_or_plotting_library_is_loaded_by_a_run(self, sirst_root, tmp_path):
        code = (
            f"import sys; from deepir.cli import run; root = {str(sirst_root)!r};"
            f"statuses = [run(['detect', root + '/mixed', '--out', {str(tmp_path)!r},"
            "'--detector', 'mpcm']),"
            "run(['bench', 'lcm', '--data', 'sirst-v2', '--root', root])];"
            f"print(); print(statuses, [name for name in {HEAVY!r} if name in sys.modules])"
        )
        assert python(code).splitlines()[-1] == "[0, 0] []"

    def test_help_needs_no_numpy(self):
        code = (
            "import sys; from deepir.cli import run; run(['--help']);"
            "print(); print('numpy' in sys.modules)"
        )
        assert python(code).splitlines()[-1] == "False"


@posix
class TestPipes:
    @pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("--version",)])
    def test_a_reader_that_leaves_early_is_no_traceback(self, arguments):
        reading, writing = os.pipe()
        os.close(reading)
        outcome = deepir(*arguments, stdout=writing)
        os.close(writing)
        assert outcome.returncode == 1
        assert outcome.stderr == ""

    @pytest.mark.parametrize("arguments", [("list",), ("list", "--json")])
    def test_standard_output_on_a_full_disk_is_one_line(self, arguments):
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full")
        with Path("/dev/full").open("w") as full:
            outcome = deepir(*arguments, stdout=full)
        assert outcome.returncode == 1
        assert outcome.stderr.splitlines() == ["deepir: No space left on device"]

    @pytest.mark.parametrize("flag", [(), ("--json",)])
    def test_no_standard_output_at_all(self, flag):
        line = f'"{sys.executable}" -m deepir list {" ".join(flag)} >&-'
        outcome = subprocess.run(line, shell=True, env=environment(), stderr=subprocess.PIPE)
        assert (outcome.returncode, outcome.stderr) == (0, b"")

    def test_errors_go_to_standard_error(self, tmp_path):
        outcome = deepir("detect", tmp_path / "nowhere")
        assert (outcome.returncode, outcome.stdout) == (1, "")
        assert len(outcome.stderr.splitlines()) == 1


class TestNames:
    def test_names_of_all_kinds_from_end_to_end(self, save, tmp_path):
        save("in/ä b/火 #1.png")
        out = tmp_path / "aus gabe ü"
        outcome = deepir("detect", tmp_path / "in", "--out", out, "--json")
        assert outcome.returncode == 0
        written = json.loads((out / "detections.json").read_text("utf-8"))
        assert json.loads(outcome.stdout) == written
        assert written["detections"][0]["id"] == "ä b/火 #1"

    @pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
    def test_a_terminal_that_lacks_the_letters_is_no_error(self, save, out, encoding):
        path = save("火.png")
        env = environment(PYTHONIOENCODING=encoding)
        table = deepir("detect", path, "--out", out, env=env, encoding=encoding)
        assert (table.returncode, table.stderr) == (0, "")
        listed = deepir("detect", path, "--out", out, "--json", env=env, encoding=encoding)
        assert json.loads(listed.stdout)["detections"][0]["id"] == "火"

    @pytest.mark.skipif(sys.platform != "linux", reason="names that are no text exist on Linux")
    def test_a_name_that_is_no_text(self, save, tmp_path, out):
        path = save("in/plain.png")
        (tmp_path / "in" / os.fsdecode(b"\xff.png")).write_bytes(path.read_bytes())
        env = environment(PYTHONIOENCODING="utf-8:strict")
        outcome = deepir("detect", tmp_path / "in", "--out", out, env=env)
        assert (outcome.returncode, outcome.stderr) == (0, "")


@posix
class TestInterrupt:
    @pytest.fixture
    def pause(self, own_root, ids):
        """Make a run stop where it reads the third annotation, until it is written."""
        path = own_root / "annotations" / "bboxes" / f"{ids[2]}.xml"
        content = path.read_bytes()

        def arm():
            path.unlink()
            os.mkfifo(path)

        def reached(process):
            return until(lambda: opened_by_reader(path), process)

        def go_on(descriptor):
            os.write(descriptor, content)
            os.close(descriptor)

        return arm, reached, go_on

    def test_eval_keeps_the_finished_frames(self, own, pause, tmp_path, ids):
        arm, reached, go_on = pause
        arm()
        process = started("eval", "mpcm", *own, "--json", tmp_path / "result.json")
        descriptor = reached(process)
        process.send_signal(signal.SIGINT)
        go_on(descriptor)
        _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 130
        result = json.loads((tmp_path / "result.json").read_text("utf-8"))
        assert (result["interrupted"], result["partial"]) == (True, True)
        assert 2 <= result["frames"] < len(ids)
        assert len(err.splitlines()) == 1

    def test_bench_keeps_the_finished_runs(self, own, pause, out):
        arm, reached, go_on = pause
        arm()
        process = started("bench", "lcm", "mpcm", *own, "--out", out)
        first = reached(process)
        arm()  # the second run meets a new pipe
        go_on(first)
        second = reached(process)
        process.send_signal(signal.SIGINT)
        go_on(second)
        _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 130
        result = json.loads((out / "bench.json").read_text("utf-8"))
        runs = {run["detector"]: run["interrupted"] for run in result["runs"]}
        assert runs == {"lcm": False, "mpcm": True}
        assert "interrupted" in err
        assert "Traceback" not in err

    def test_detect_keeps_the_finished_frames(self, save, tmp_path, out, detections):
        path = save("in/0000.png")
        for number in range(1, 600):
            os.link(path, path.with_name(f"{number:04d}.png"))
        process = started("detect", tmp_path / "in", "--out", out)
        until(lambda: len(list(out.glob("overlays/*.png"))) > 2, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 130
        assert "Traceback" not in err
        written = detections()
        names = [entry["id"] for entry in written["detections"]]
        assert written["interrupted"] is True
        assert names == [f"{number:04d}" for number in range(len(names))]
        assert 2 < len(names) < 600
        assert {file.stem for file in out.glob("overlays/*.png")} == set(names)
        assert f"{len(names)} frames" in err

    def test_simulate_keeps_the_finished_frames_as_a_split(self, out):
        process = started("simulate", "--out", out, "--count", 500, "--width", 96, "--height", 96)
        until(lambda: len(list(out.glob("mixed/*.png"))) > 2, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 130
        assert err.splitlines() == ["deepir: interrupted"]
        names = (out / "splits" / "test_full.txt").read_text("utf-8").split()
        assert 2 <= len(names) < 500
        for name in names:
            assert (out / "annotations" / "bboxes" / f"{name}.xml").is_file()


AT_IMPORT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv = ["deepir", "detect", "--out", {out!r}]
from deepir.__main__ import main
main()
"""
"""Ctrl-C at the moment at which a module is first asked for."""


@posix
class TestInterruptedStart:
    @pytest.mark.parametrize(
        "module", ["cyclopts", "deepir.cli.train", "numpy", "cv2", "pydantic", "onnxruntime"]
    )
    def test_at_any_import(self, module, out):
        code = AT_IMPORT.format(module=module, out=str(out))
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment(), capture_output=True, timeout=WAIT_S
        )
        assert (run.returncode, run.stderr.decode()) == (130, "deepir: interrupted\n")
        assert not out.exists()

    @pytest.mark.parametrize("seconds", [0.2, 0.6])
    def test_after_some_time(self, seconds, out):
        process = started("detect", "--no-overlays", "--out", out)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
        # Before the command's first line, Python itself has the signal.
        if "site.py" not in err and "runpy" not in err:
            assert process.returncode in (0, 130, -signal.SIGINT)
            assert "Traceback" not in err

    def test_where_the_shell_ignores_it_so_does_the_command(self):
        code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + AT_IMPORT.replace(
            '"detect", "--out", {out!r}', '"--version"'
        ).format(module="cyclopts")
        assert python(code).count(".") == 2


@posix
class TestFullDisk:
    @pytest.fixture
    def cramped(self):
        """Run with files of at most 10 kB, which a picture does not fit into."""
        resource = pytest.importorskip("resource")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

        return lambda *arguments: deepir(*arguments, preexec_fn=limit)

    def test_detect_ends_with_one_line_and_no_half_file(self, cramped, save, out):
        outcome = cramped("detect", save("a.png"), "--out", out)
        assert outcome.returncode == 1
        assert len(outcome.stderr.splitlines()) == 1
        assert outcome.stderr.startswith("deepir: ")
        left = {path.name for path in out.rglob("*") if path.is_file()}
        assert left <= {"detections.json", "detections.csv"}  # what was found is kept, whole
        if "detections.json" in left:
            assert json.loads((out / "detections.json").read_text("utf-8"))["interrupted"]

    def test_the_file_is_named(self, cramped, sirst, tmp_path):
        file = tmp_path / "result.json"
        outcome = cramped("eval", "lcm", *sirst, "--json", file)
        assert outcome.returncode == 1
        assert outcome.stderr.splitlines() == [f"deepir: File too large: {file}"]

    def test_an_earlier_result_stays(self, cramped, sirst, tmp_path):
        file = tmp_path / "result.json"
        file.write_text("earlier")
        many = ("lcm", "mpcm", "top_hat")  # their JSON is longer than the limit
        outcome = cramped("bench", *many, *sirst, "--json", file)
        assert outcome.returncode == 1
        assert file.read_text() == "earlier"
        assert [path.name for path in tmp_path.iterdir()] == ["result.json"]

    def test_a_pipe_as_json_file_is_not_replaced(self, sirst, tmp_path):
        fifo = tmp_path / "pipe.json"
        os.mkfifo(fifo)
        deepir("eval", "lcm", *sirst, "--json", fifo)
        assert fifo.is_fifo()
