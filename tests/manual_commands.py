"""Command lines and snippets that the pages of the manual show."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

END_OF_COMMAND = ("|", ">", "2>", "&&", ";")
FENCE = re.compile(r"^(`{3,}|:{3,})(.*)$")


@dataclass(frozen=True)
class Command:
    """A ``deepir`` command line of a page: its words, and whether nothing was left out."""

    line: str
    words: tuple[str, ...]
    whole: bool


def commands(text):
    """All command lines of a page: of code blocks, and of code within sentences."""
    blocks, prose = split(text)
    found = [command(line, in_block=True) for line in lines_of(blocks)]
    found += [command(code, in_block=False) for code in re.findall(r"`(deepir [^`]+)`", prose)]
    return found


def lines_of(blocks):
    """Command lines of code blocks, continued ones joined."""
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(r"\s*(\$ )?deepir ", line):
                yield line.strip().removeprefix("$ ")


def command(line, *, in_block):
    """Words up to a pipe or comment; brackets of what may be left out go, dots stand for words."""
    words = shlex.split(line.replace("[", "").replace("]", ""), comments=True)
    ends = [place for place, word in enumerate(words) if word in END_OF_COMMAND]
    words = words[: ends[0]] if ends else words
    kept = tuple(word for word in words[1:] if word != "...")
    return Command(line, kept, in_block and len(kept) == len(words) - 1)


def split(text):
    """Code blocks of a Markdown page, fenced or indented, and the rest."""
    blocks, prose, fence = [], [], None
    for line in text.splitlines():
        mark = FENCE.match(line)
        if fence is None and mark and mark[1].startswith("`"):
            fence, current = mark[1], []
        elif fence is not None and line.startswith(fence):
            blocks.append("\n".join(current))
            fence = None
        elif fence is not None:
            current.append(line)
        elif line.startswith("    "):
            blocks.append(line)
        else:
            prose.append(line)
    return blocks, "\n".join(prose)


def snippets(text):
    """Python blocks of a page, in order."""
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
