"""Where a training run tells how it goes."""

from __future__ import annotations

from typing import Protocol


class Report(Protocol):
    """Somebody who listens."""

    def note(self, text: str) -> None:
        """Say one line."""

    def progress(self, done: int, total: int, text: str) -> None:
        """Show how far it is, and the latest figures."""


class Silent:
    """Nobody listens."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def progress(self, done: int, total: int, text: str) -> None:
        """Show nothing."""
