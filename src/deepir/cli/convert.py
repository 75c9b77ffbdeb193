"""``deepir convert``: a published checkpoint becomes a weight file of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from deepir.cli.options import Whole

Groups = Annotated[Whole, Parameter(validator=validators.Number(gte=1, lte=4096))]


def convert(source: Path, target: Path, /, *, groups: Groups = 32) -> int:
    """Convert a published OSCAR checkpoint, without running anything in it (needs PyTorch).

    Args:
        source: file that torch.save wrote: a dictionary with state_dict.
        target: file to write, ending in .safetensors.
        groups: groups of the towers' group normalisation, which no tensor tells.
    """
    from deepir.models.requirements import require_torch

    require_torch("deepir convert")
    from deepir.models.oscar import convert as convert_oscar

    network = convert_oscar(source, target, groups=groups)
    widths = network.widths
    count = sum(parameter.numel() for parameter in network.parameters())
    print(
        f"OSCAR, {count:,} parameters, stages {'/'.join(map(str, widths.stages))}, pyramid"
        f" {widths.pyramid}, towers {widths.tower} in {widths.groups} groups: {target}"
    )
    return 0
