"""What the README shows works, and stays short."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import pytest

from deepir.cli import run
from deepir.simulate import SimulatedFrames

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
VERBS = sorted(set(re.findall(r"^    deepir (\w+)", README, flags=re.MULTILINE)))


def test_the_python_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scenes = list(SimulatedFrames(4, seed=0))
    names = {
        "truth": [(scene.image, scene.boxes) for scene in scenes],
        "points": [[[*box[:2], 1.0] for box in scene.boxes] for scene in scenes],
    }
    cv2.imwrite("frame.png", scenes[0].image)
    assert len(SNIPPETS) == 2
    for snippet in SNIPPETS:
        exec(compile(snippet, "README.md", "exec"), names)
    assert len(names["found"].scores) == len(names["found"].points)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_exists(verb, capsys):
    assert run([verb, "--help"]) == 0
    assert verb in capsys.readouterr().out


def test_every_flag_exists(capsys):
    for verb in VERBS:
        run([verb, "--help"])
        known = capsys.readouterr().out
        for line in re.findall(rf"^    deepir {verb} (.*)", README, flags=re.MULTILINE):
            for flag in re.findall(r"--[a-z-]+", line.split("#")[0]):
                assert flag in known, (verb, flag)


@pytest.mark.parametrize("title", ["I have frames", "I have an idea"])
def test_the_two_doors_are_short(title):
    section = README.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.strip()]
    assert len(lines) <= 15 + len([line for line in lines if line.startswith("|")])


def test_every_local_link_leads_to_a_file():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{page.name}" for page in ROOT.glob("docs/*.md"))]
)
def test_no_placeholder_is_left(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.findall(r"^[A-Z]{3,}$", text, flags=re.MULTILINE)
