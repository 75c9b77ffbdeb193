"""A training run in a folder: it logs, validates, keeps the best, and goes on after a stop."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from deepir.errors import DeepirError
from deepir.interrupt import Stop, stop_on_interrupt
from deepir.models.trained import write_trained
from deepir.structures import AnyPath
from deepir.training.checkpoint import read_checkpoint
from deepir.training.device import choose_device
from deepir.training.folder import RunFolder
from deepir.training.logs import CsvLog, Curves, Window
from deepir.training.loop import LossError, Step
from deepir.training.preparing import Prepared, check, prepare
from deepir.training.processes import Processes, joined
from deepir.training.record import differences, new_record, read_record, visit
from deepir.training.reporting import Report, Silent
from deepir.training.request import Execution, Request
from deepir.training.validation import Scores
from deepir.writing import write_json

Status = Literal["finished", "time is up", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """How far a run came.

    ``best``: its best validation with its iteration, None where nothing was validated; ``weights``:
    the best ones, else the last; ``skipped``: frames that could not be used.
    """

    status: Status
    iteration: int
    iterations: int
    best: dict[str, float] | None
    weights: Path
    skipped: int


def train(
    request: Request, work_dir: AnyPath, execution: Execution, report: Report | None = None
) -> Outcome:
    """Carry a run out, or go on with the one that stopped in the same folder.

    A folder that holds a run with the same request is continued from its newest good checkpoint;
    the result is that of a run that was never stopped, bit for bit on a CPU with as many threads.
    A finished run is left as it is. Ctrl-C, SIGTERM and the time limit end it with a checkpoint.

    Raises:
        UsageError: a request or a folder that does not fit.
        DeepirError: unusable data or weights, a run with another request in the folder, a loss
            or weights that are no numbers, not enough memory, a checkpoint that cannot be written:
            the last good one stays.
    """
    begun = time.monotonic()
    check(request)
    device = choose_device(execution.device)
    with (
        stop_on_interrupt(signal.SIGTERM) as stop,
        joined(device) as processes,
        ExitStack() as stack,
    ):
        shown = report if report and processes.leads else Silent()
        folder = RunFolder(Path(work_dir))
        processes.led(lambda: stack.enter_context(folder.locked()))
        prepared = prepare(request, processes, device, readers=execution.readers, report=shown)
        run = Run(request, prepared, folder, execution, shown)
        return run.go(stop, ends=begun + 60 * (execution.time_limit or float("inf")))


class Run:
    """One visit to a run's folder."""

    def __init__(
        self,
        request: Request,
        prepared: Prepared,
        folder: RunFolder,
        execution: Execution,
        report: Report,
    ) -> None:
        self.model = request.model
        self.trainer = prepared.trainer
        self.finish = prepared.finish
        self.validation = prepared.validation
        self.folder = folder
        self.execution = execution
        self.report = report
        self.best: dict[str, float] | None = None
        self.scores: Scores | None = None
        self._skipped = sum(len(each.skipped) for each in (prepared.frames, prepared.val) if each)
        self._said = prepared.said(request.model)
        self._was_closed = True
        self._begun = time.monotonic()
        self._window = Window()
        self._record = new_record(request, prepared.frames, prepared.val, prepared.init)

    @property
    def processes(self) -> Processes:
        """This process among its peers."""
        return self.trainer.processes

    def go(self, stop: Stop, *, ends: float) -> Outcome:
        """Train to the end, until asked to stop, or until the clock shows ``ends``."""
        self._resume()
        iterations = self.trainer.settings.iterations
        start = self.trainer.iteration
        if start >= iterations:
            self.report.note(f"{str(self.folder.path)!r} holds this run already, finished")
            self.processes.led(self._close)
            return self._outcome("finished")
        self.report.note(self._said)
        if start:
            self.report.note(f"goes on after iteration {start} of {iterations}")
        self._open(start)
        try:
            status = self._loop(stop, ends)
        except LossError as error:
            raise self._failed(f"{error}{self._batch_kept(error)}") from None
        except (MemoryError, RuntimeError) as error:  # torch has no kind of its own for the CPU
            if not lacks_memory(error):
                raise
            raise self._failed(
                f"not enough memory at iteration {self.trainer.iteration + 1}: take more parts"
                " (--parts), or a smaller --batch or --crop"
            ) from None
        finally:
            self._curves.close()
        return self._outcome(status)

    def _close(self) -> None:
        """Finish the record of a run that was killed right after its last checkpoint."""
        if not self._was_closed:
            self._write_record("finished")

    def _loop(self, stop: Stop, ends: float) -> Status:
        settings = self.trainer.settings
        last = time.perf_counter()
        for step in self.trainer.run(settings.iterations):
            done = step.iteration == settings.iterations
            self._note(step, time.perf_counter() - last, last=done)
            validates = self.validation and step.iteration % settings.val_every == 0
            if done or validates:
                self.trainer.check_weights()
                self.finish()
            if self.validation and (done or validates):
                self._validate(step.iteration)
            late, halts = self.processes.anyone(
                time.monotonic() >= ends, stop.requested, device=self.trainer.device
            )
            status: Status = "finished" if done else "interrupted" if halts else "time is up"
            if done or late or halts or step.iteration % settings.checkpoint_every == 0:
                self._keep(status if done or late or halts else "running")
            if done or late or halts:
                return status
            last = time.perf_counter()
        raise AssertionError("a run without iterations")

    def _resume(self) -> None:
        """Stand where an earlier visit to the folder stopped, if there was one."""
        checkpoint = self.processes.led(self._found)
        if checkpoint is None:
            return
        state = read_checkpoint(checkpoint)
        try:
            self.trainer.restore(state["trainer"])
            self.best = dict(state["best"]) if state["best"] else None
            self.scores = Scores(**state["scores"]) if state["scores"] else None
            self._window = Window(**state["window"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
            raise DeepirError(
                f"checkpoint {str(checkpoint.path)!r} is of another network or version: {reason}"
            ) from None

    def _found(self) -> Any:  # noqa: ANN401
        """The checkpoint to go on from; None for a new run."""
        old = read_record(self.folder.record)
        if old is None:
            if self.folder.checkpoints.all():
                raise DeepirError(
                    f"{str(self.folder.checkpoints.folder)!r} holds checkpoints of an unknown run"
                    " (there is no run.json): choose another --work-dir"
                )
            return None
        differing = differences(old, self._record)
        if differing:
            raise DeepirError(
                f"{str(self.folder.path)!r} holds another run: {'; '.join(differing[:3])}"
                f"{' ...' if differing[3:] else ''}: give the same settings to go on, or choose"
                " another --work-dir"
            )
        self._record["visits"] = old["visits"] or [{}]
        self._was_closed = old["results"].get("status") == "finished"
        return self.folder.checkpoints.latest(warn=self.report.note)

    def _open(self, start: int) -> None:
        """Begin this visit's logs and record."""
        leads = self.processes.leads

        def begin() -> None:
            with self._writing("log and no record"):
                self._log = CsvLog(self.folder.log, start=start)
                self._val = CsvLog(self.folder.val, start=start)
                self._record["visits"].append(
                    visit(self.execution, self.trainer.device, start, bf16=self.trainer.bf16)
                )
                self._write_record("running")

        self.processes.led(begin)
        wanted = leads and self.execution.tensorboard
        folder = self.folder.curves if wanted else None
        self._curves = Curves(folder, start=start, warn=self.report.note)

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Say of what cannot be written what it is, and from where the run can go on."""
        try:
            yield
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise DeepirError(
                f"no {what} at iteration {self.trainer.iteration}: {why} in"
                f" {str(self.folder.path)!r}; {self.folder.checkpoints.left()}"
            ) from None

    def _note(self, step: Step, seconds: float, *, last: bool) -> None:
        """Take a step into the log."""
        values = {**step.losses, "gradient": step.gradient, "lr": step.lr}
        self._window.add(values, waited=step.waited, seconds=seconds)
        row = self._window.row(self.trainer.settings.batch)
        self.report.progress(step.iteration, self.trainer.settings.iterations, _figures(row))
        if last or step.iteration % self.execution.log_every == 0:
            row["false_alarms"] = float(len(self.trainer.sampler.false_alarms))
            self.processes.led(lambda: self._log.add(step.iteration, row))
            self._curves.add(step.iteration, row, group="train")
            self._window = Window()

    def _validate(self, iteration: int) -> None:
        """Score the averaged weights; keep them if they are the best so far."""
        assert self.validation
        with self.trainer.precision():
            self.scores = self.validation.score(self.trainer.candidates, self.processes)
        row = asdict(self.scores)
        is_best = self.best is None or row["mnocoap"] > self.best["mnocoap"]
        if is_best:
            self.best = {"iteration": iteration, **row}

        def keep() -> None:
            self._val.add(iteration, row)
            if is_best:
                with self._writing("best weights"):
                    self._write_weights(self.folder.best)

        self.processes.led(keep)
        self._curves.add(iteration, row, group="val")
        self.report.note(
            f"iteration {iteration}: mNoCoAP {row['mnocoap']:.4f} (perfectly ranked"
            f" {row['recall_cap']:.4f}, by box centres {row['published']:.4f})"
            f"{', the best so far' if is_best else ''}"
        )

    def _keep(self, status: str) -> None:
        """Write a checkpoint, the averaged weights and the record, unless they are no numbers."""
        self.trainer.check_weights()

        def write() -> None:
            state = {
                "trainer": self.trainer.state(),
                "best": self.best,
                "scores": asdict(self.scores) if self.scores else None,
                "window": asdict(self._window),
            }
            try:
                self._write_weights(self.folder.last)
                self.folder.checkpoints.save(self.trainer.iteration, state)
                self._write_record(status)
            except OSError as error:
                raise self.folder.checkpoints.missed(self.trainer.iteration, error) from None

        self.processes.led(write)
        self._curves.flush()

    def _write_weights(self, path: Path) -> None:
        data = self._record["train"]
        notes = {
            "iteration": str(self.trainer.iteration),
            "trained_on": f"{data['name']} {data['split']}, {data['frames']} frames",
            "seed": str(self.trainer.settings.seed),
        }
        if self.best and path == self.folder.best:
            notes["val_mnocoap"] = f"{self.best['mnocoap']:.4f}"
        write_trained(path, self.model, self.trainer.average.network, notes)

    def _write_record(self, status: str, **more: str) -> None:
        self._record["visits"][-1] |= {
            "until_iteration": self.trainer.iteration,
            "seconds": round(time.monotonic() - self._begun, 1),
        }
        self._record["results"] = {
            "status": status,
            "iteration": self.trainer.iteration,
            "best": self.best,
            "last": asdict(self.scores) if self.scores else None,
            **more,
        }
        write_json(self.folder.record, self._record)

    def _batch_kept(self, error: LossError) -> str:
        """Keep the batch that gave no finite loss; where it is, in words."""
        if not error.batch:
            return ""
        try:
            path = self.folder.keep_batch(
                self.trainer.iteration + 1, self.processes.rank, error.batch
            )
        except OSError as why:
            return f"; its batch could not be kept ({why.strerror})"
        return f"; its batch is in {str(path)!r}"

    def _failed(self, reason: str) -> DeepirError:
        """Note that the run broke off; the error that ends it."""
        with suppress(OSError):
            if self.processes.leads:
                self._write_record("failed", error=reason)
        good = self.folder.checkpoints.all()
        left = f"iteration {good[0].iteration}" if good else "none"
        return DeepirError(f"{reason}; last good checkpoint: {left}")

    def _outcome(self, status: Status) -> Outcome:
        weights = self.folder.best if self.best else self.folder.last
        iterations = self.trainer.settings.iterations
        iteration = self.trainer.iteration
        return Outcome(status, iteration, iterations, self.best, weights, self._skipped)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory, on a card or beside it."""
    told = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return told or bool(re.search("allocate memory|not enough memory", str(error)))


def _figures(row: Mapping[str, float]) -> str:
    """The latest figures in a few words."""
    hidden = ("gradient", "lr", "crops_per_second", "waiting_share")
    loss = sum(value for name, value in row.items() if name not in hidden)
    return (
        f"loss {loss:.3f}, {row['crops_per_second']:.0f} crops/s,"
        f" {100 * row['waiting_share']:.0f} % waiting"
    )
