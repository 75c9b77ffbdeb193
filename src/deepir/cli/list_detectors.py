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

    rows = []
    for name, build in sorted(CATALOGUE.items()):
        detector = build()
        rows.append(
            {
                "name": name,
                "family": detector.family,
                "weights": None,
                "floor": detector.floor,
                "operating_threshold": detector.operating,
                "about": (build.__doc__ or "").split("\n")[0],
            }
        )
    if json:
        print_json(rows)
    else:
        print_table(Table(tuple(rows[0]), [tuple(row.values()) for row in rows]))
