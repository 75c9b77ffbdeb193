"""``deepir list``: the detectors and what they are set to."""

from __future__ import annotations

from deepir.cli.terminal import print_json, print_table


def list_detectors(*, json: bool = False) -> None:
    """List the detectors: name, family, weights, thresholds, and what they do.

    Args:
        json: print JSON.
    """
    from deepir.catalogue import CATALOGUE
    from deepir.tables import Table

    rows = [_row(name) for name in sorted(CATALOGUE)]
    if json:
        print_json(rows)
    else:
        print_table(Table(tuple(rows[0]), [tuple(row.values()) for row in rows]))


def _row(name: str) -> dict[str, str | float | None]:
    """What there is to say of one detector; a network without weights has no thresholds."""
    from deepir import networks
    from deepir.catalogue import CATALOGUE, is_ready

    detector = CATALOGUE[name]() if is_ready(name) else None
    weights = ("packaged" if detector else "no weights") if name in networks.CATALOGUE else None
    return {
        "name": name,
        "family": detector.family if detector else "network",
        "weights": weights,
        "floor": detector.floor if detector else None,
        "operating_threshold": detector.operating if detector else None,
        "about": (CATALOGUE[name].__doc__ or "").split("\n")[0],
    }
