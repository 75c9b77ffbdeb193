"""Where a frame comes from, as far as its id tells."""

from __future__ import annotations

import re


def source_of(sample_id: str) -> str:
    """Name of the source of a frame: the beginning of its id up to a separator or number.

    Scene and date numbers are part of a recording, not of the camera: ``S7_12`` and ``S12_3`` come
    from one source, as do all ids that begin with one year.

    >>> [source_of(name) for name in ("Misc_7", "iraytek-81", "S20210303_S5_28", "20210725-S1-4")]
    ['Misc', 'iraytek', 'S20', '2021']
    >>> source_of("S7_12"), source_of("test-sea_000003"), source_of("000123")
    ('S<k>', 'test-sea', 'numbered')
    """
    if re.match(r"S20\d\d", sample_id):
        return "S20"
    if year := re.match(r"(19|20)\d\d(?=\d\d)", sample_id):
        return year.group()
    if re.match(r"S\d+_", sample_id):
        return "S<k>"
    name = re.match(r"[^\d]*", sample_id)
    return (name.group().strip("_-. /#") if name else "") or "numbered"
