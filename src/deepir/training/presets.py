"""Settings that belong together, by the name of their recipe; light to import."""

from __future__ import annotations

from typing import Literal, get_args

Recipe = Literal["crops", "published"]

PRESETS: dict[Recipe, dict[str, object]] = {
    "crops": {},
    "published": {
        "iterations": 6924,
        "batch": 4,
        "lr": 2e-3,
        "weight_decay": 0.05,
        "decay_all": True,
        "schedule": "epochs",
        "epoch": 577,
        "warm_up": 1000 / 6924,
        "clip": 0,
        "average": 0,
        "checkpoint_every": 577,
        "val_every": 577,
        "mining": {"frames": 0},
    },
}
"""Settings that differ from the defaults.

published: OSCAR on SIRST-V2, 12 epochs of trainval_full (Dai et al., IEEE TGRS 61, 2023, and its
released configuration).
"""

RECIPES: tuple[Recipe, ...] = get_args(Recipe)
