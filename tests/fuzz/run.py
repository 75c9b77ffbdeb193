"""Look for inputs on which reading a file ends in another way than the documented ones.

    python tests/fuzz/run.py --seconds 600 png tiff
    python tests/fuzz/run.py --list
    python tests/fuzz/run.py --replay findings/png-1a2b3c4d.bin png

Guided by coverage of the Python code (atheris, which is libFuzzer: Linux, Python 3.11 to 3.13).
Inputs begin with small files of our own writers (fuzz_seeds.py). What is found stands in the folder
of findings, the input beside what happened; exit status 1 then.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

INSTRUMENTED = ["deepir", "tifffile", "yaml", "defusedxml"]
MOST_RESTARTS = 50
MEMORY_MB = 2500
INPUT_SECONDS = 30
LONGEST_INPUT = 65536


def main() -> int:
    """Run targets one after the other, and print a row each."""
    options = arguments()
    if options.worker:
        work(options.names[0], options.seconds, options.findings, options.corpus)
    from fuzz_targets import TARGETS, leave

    names = options.names or list(TARGETS)
    for name in names:
        if name not in TARGETS:
            raise SystemExit(f"unknown target {name!r}; known: {', '.join(TARGETS)}")
    if options.list:
        print("\n".join(TARGETS))
        return 0
    if options.replay:
        TARGETS[names[0]].run(options.replay.read_bytes())
        leave()
        return 0
    options.findings.mkdir(parents=True, exist_ok=True)
    rows = [fuzz(name, options.seconds, options.findings, options.corpus) for name in names]
    return 1 if any(row["findings"] for row in rows) else 0


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="targets (default: all)")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--findings", type=Path, default=Path("findings"))
    parser.add_argument("--corpus", type=Path, help="folder to keep interesting inputs in")
    parser.add_argument("--replay", type=Path, help="run one target on this input")
    parser.add_argument("--list", action="store_true", help="print the targets")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def fuzz(name: str, seconds: float, findings: Path, corpus: Path | None) -> dict[str, object]:
    """One target in processes of its own: a decoder that crashes ends only one of them."""
    with tempfile.TemporaryDirectory() as folder:
        kept = (corpus or Path(folder)) / name
        kept.mkdir(parents=True, exist_ok=True)
        log = Path(folder) / "log"
        inputs, crashes, end = 0, 0, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 1 and crashes < MOST_RESTARTS:
            command = [sys.executable, __file__, "--worker", "--seconds", f"{left:.0f}"]
            command += ["--findings", str(findings), "--corpus", str(kept), name]
            with log.open("ab") as stream:
                status = subprocess.run(command, stdout=stream, stderr=stream).returncode
            state = kept.with_suffix(".json")
            if not state.exists():
                end_of_log = log.read_text(errors="replace")[-2000:]
                raise SystemExit(f"{name} does not begin:\n{end_of_log}")
            inputs += json.loads(state.read_text())["inputs"]
            state.unlink()
            if status:
                crashes += 1
                number = len(list(findings.glob(f"{name}-process-*.log")))
                (findings / f"{name}-process-{number}.log").write_bytes(log.read_bytes()[-20000:])
        covered = re.findall(r"cov: (\d+)", log.read_text(errors="replace")) or ["0"]
        row = {
            "target": name,
            "inputs": inputs,
            "seconds": round(seconds),
            "branches": int(covered[-1]),
            "findings": len(list(findings.glob(f"{name}-*.bin"))),
            "processes lost": crashes,
        }
    print(json.dumps(row), flush=True)
    return row


def work(name: str, seconds: float, findings: Path, corpus: Path) -> None:
    """Fuzz one target until the time is over; ends the process."""
    try:
        import atheris
    except ImportError:
        raise SystemExit("this needs atheris: pip install atheris") from None
    with atheris.instrument_imports(include=INSTRUMENTED):
        from fuzz_mutations import change_words
        from fuzz_targets import TARGETS, leave

        target = TARGETS[name]
        for number, content in enumerate(target.seeds()):
            (corpus / f"seed-{number}").write_bytes(content)
            with contextlib.suppress(Exception):  # atheris writes lines of its own meanwhile
                target.run(content)  # here, so that what is imported on first use is instrumented
    state, end, inputs = corpus.with_suffix(".json"), time.monotonic() + seconds, 0

    def one(content: bytes) -> None:
        nonlocal inputs
        inputs += 1
        if inputs % 50 == 1 or time.monotonic() > end:
            state.write_text(json.dumps({"inputs": inputs}))
        if time.monotonic() > end:
            leave()
            sys.stderr.flush()
            os._exit(0)
        try:
            target.run(content)
        except Exception as error:
            keep(name, content, error, findings)

    limits = [
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={findings}/{name}-process-",
    ]
    if target.words:
        words = corpus.with_suffix(".words")
        words.write_text("".join(f'"{escaped(word)}"\n' for word in target.words))
        limits.append(f"-dict={words}")

    def mutated(content: bytes, longest: int, seed: int) -> bytes:
        if target.is_text and seed % 2:
            return change_words(content, target.words, random.Random(seed))[:longest]
        return bytes(atheris.Mutate(content, longest))

    atheris.Setup([sys.argv[0], *limits, str(corpus)], one, custom_mutator=mutated)
    atheris.Fuzz()


def escaped(word: str) -> str:
    """A word as libFuzzer's dictionaries write it."""
    return "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogatepass"))


def keep(name: str, content: bytes, error: Exception, findings: Path) -> None:
    """Write an input and what happened, once for each place in the code."""
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if "deepir" in step.filename or "fuzz" in step.filename]
    place = [type(error).__name__, *(f"{Path(one.filename).name}:{one.lineno}" for one in own[-2:])]
    label = hashlib.sha256("\n".join(place).encode()).hexdigest()[:8]
    file = findings / f"{name}-{label}.bin"
    if not file.exists():
        file.write_bytes(content)
        file.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))


if __name__ == "__main__":
    sys.exit(main())
