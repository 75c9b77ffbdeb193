"""``deepir data``: one small function a verb, in a file of its name."""

from __future__ import annotations

from cyclopts import App

from deepir.cli.data.check import check
from deepir.cli.data.convert import convert
from deepir.cli.data.fetch import fetch
from deepir.cli.data.show import show


def data_app() -> App:
    """Command line of the verbs on datasets."""
    app = App(name="data", help="Convert, fetch, check and show datasets.", help_format="plaintext")
    app.command(convert)
    app.command(fetch)
    app.command(check)
    app.command(show)
    return app
