"""Settings that belong together, by the name of their recipe; light to import."""

from __future__ import annotations

from typing import Literal, get_args

Recipe = Literal["crops", "fine-tune", "published"]

PRESETS: dict[Recipe, dict[str, object]] = {
    "crops": {},
    "fine-tune": {
        "val_split": "none",
        "iterations": 400,
        "lr": 5e-4,
        "checkpoint_every": 100,
        "val_every": 100,
        "mining": {"start": 100, "every": 100},
    },
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
"""Options that differ from the defaults.

fine-tune: for weights to begin with and a few dozen frames of another sensor (docs/training.md).
published: OSCAR on SIRST-V2, 12 epochs of trainval_full (Dai et al., IEEE TGRS 61, 2023, and its
released configuration).
"""

WITH_INIT: Recipe = "fine-tune"
"""The recipe of a run that begins with trained weights, unless it names another."""

RECIPES: tuple[Recipe, ...] = get_args(Recipe)
