"""``deepir train``: a network learns from frames with truth."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, ArgumentCollection, Parameter
from cyclopts.config import Dict

from deepir.cli.options_file import read_options
from deepir.cli.status import INTERRUPTED, PARTIAL
from deepir.cli.terminal import note
from deepir.errors import UsageError, unknown_name
from deepir.training.presets import PRESETS, RECIPES, WITH_INIT, Recipe
from deepir.training.request import Execution, Request, Source
from deepir.training.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress

    from deepir.training.run import Outcome

SOURCE, EXECUTION, SETTINGS = Source(), Execution(), Settings()
Flat = Parameter(name="*")


def train(
    model: str,
    *,
    work_dir: Path,
    config: Path | None = None,
    recipe: Recipe = "crops",
    init: str | None = None,
    source: Annotated[Source, Flat] = SOURCE,
    execution: Annotated[Execution, Flat] = EXECUTION,
    settings: Annotated[Settings, Flat] = SETTINGS,
) -> int:
    """Train a network, or go on with a run that stopped (needs PyTorch).

    The same command goes on where a run in the folder stopped. A finished one is left as it is.

    Args:
        model: network: oscar_nano, oscar_small, oscar_r18_256 or oscar_r18_128.
        work_dir: folder of the run: weights, checkpoints, log.csv, run.json.
        config: YAML file with any of these options, or the run.json of a run to repeat; options
            given here come before the file's.
        recipe: settings that belong together: crops (our own), fine-tune (for a few dozen frames,
            the default with --init), or published (OSCAR's).
        init: weights to begin with: a .safetensors file, or a network that came with deepir.
        source: which frames.
        execution: how the run is carried out.
        settings: numbers of the run.
    """
    from deepir.models.requirements import require_torch

    require_torch("deepir train", extra="train")
    from deepir.training.launch import launch

    del config  # its options have come as if they had been given here
    request = Request(model, source, settings, recipe, init)
    settings.check_processes(execution.processes)
    outcome = launch(_carry_out, request, work_dir, execution, processes=execution.processes)
    return _finish(outcome, work_dir)


def train_app() -> App:
    """The verb, with its files of options."""
    app = App(name="train", config=options_of_files, help_format="plaintext")
    app.default(train)
    return app


def options_of_files(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Give every option that the command line leaves open its value from the file or the recipe.

    Raises:
        UsageError: a file that cannot be used, an unknown recipe.
    """
    file = _given(arguments, "--config")
    if file is not None:
        _supply(read_options(Path(file)), file, app, commands, arguments)
    recipe = _given(arguments, "--recipe")
    if recipe is None and _given(arguments, "--init") is not None:
        recipe = WITH_INIT
        _supply({"recipe": recipe}, "weights to begin with", app, commands, arguments)
    if recipe is not None:
        if recipe not in RECIPES:
            raise unknown_name("recipe", recipe, RECIPES)
        _supply(PRESETS[recipe], f"recipe {recipe}", app, commands, arguments)
    if _given(arguments, "--work-dir") == "":
        raise UsageError("--work-dir: the folder of the run is wanted, got an empty text")
    _check_groups(arguments)
    _check_whole_numbers(arguments)


def _supply(
    options: Mapping[str, Any],
    source: str,
    app: App,
    commands: tuple[str, ...],
    arguments: ArgumentCollection,
) -> None:
    Dict(dict(options), source=source, use_commands_as_keys=False)(app, commands, arguments)


def _check_groups(arguments: ArgumentCollection) -> None:
    """Refuse a value for a whole group, instead of taking it for the group's first option."""
    for argument in arguments:
        if argument.tokens and is_dataclass(argument.hint):
            example = f"{argument.name}.{fields(argument.hint)[0].name}"
            raise UsageError(
                f"{argument.name} is a group of options, such as {example}, and has no value of its"
                f" own: got {argument.tokens[0].value!r}"
            )


def _check_whole_numbers(arguments: ArgumentCollection) -> None:
    """Refuse fractions where a whole number is wanted, instead of rounding them."""
    for argument in arguments:
        if argument.hint is int:
            for token in argument.tokens:
                if not re.fullmatch(r"\s*[+-]?\d+\s*", token.value):
                    raise UsageError(
                        f"{argument.name}: a whole number is wanted, got {token.value!r}"
                    )


def _given(arguments: ArgumentCollection, name: str) -> str | None:
    """Text of an option, None where it is not given so far."""
    found = [each for each in arguments if name in each.names and each.tokens]
    return found[0].tokens[-1].value if found else None


def _carry_out(request: Request, work_dir: Path, execution: Execution) -> Outcome:
    """Train in this process, which shows how it goes if it is the first."""
    from deepir.training.run import train as carry_out

    with _Shown() as shown:
        return carry_out(request, work_dir, execution, shown)


def _finish(outcome: Outcome, work_dir: Path) -> int:
    """Say what came of a run, in the first of its processes; returns its exit status."""
    best = outcome.best
    leads = os.environ.get("RANK", "0") == "0"  # as torchrun numbers them
    if best is not None and leads:
        print(
            f"best mNoCoAP on the validation split {best['mnocoap']:.4f},"
            f" at iteration {best['iteration']:.0f}"
        )
    if leads:
        print(f"weights: {outcome.weights}")
    if outcome.skipped and leads:
        note(f"partial: {outcome.skipped} frames could not be used, and were left out")
    if outcome.status == "finished":
        return PARTIAL if outcome.skipped else 0
    if leads:
        note(
            f"{outcome.status}: {outcome.iteration} of {outcome.iterations} iterations are done"
            f" and kept in {str(work_dir)!r}; the same command goes on"
        )
    return INTERRUPTED if outcome.status == "interrupted" else PARTIAL


class _Shown:
    """A bar with the time left where there is a terminal; lines on standard error."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._row: Any = None
        self._said = time.monotonic()

    def note(self, text: str) -> None:
        """Say one line."""
        if self._bar is not None and self._bar.live.is_started:
            self._bar.console.print(
                f"deepir: {text}", markup=False, highlight=False, soft_wrap=True
            )
        else:
            note(text)

    def progress(self, done: int, total: int, text: str) -> None:
        """Show how far it is; without a terminal a line a minute."""
        if self._bar is not None:
            if self._row is None:
                self._bar.start()
                self._row = self._bar.add_task("", total=total, completed=done)
            self._bar.update(self._row, completed=done, description=text)
        elif time.monotonic() - self._said >= LINE_SECONDS or done == total:
            self._said = time.monotonic()
            note(f"iteration {done} of {total}: {text}")

    def __enter__(self) -> _Shown:
        if sys.stderr.isatty():
            self._bar = _bar()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None and self._row is not None:
            self._bar.stop()


LINE_SECONDS = 60.0


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
