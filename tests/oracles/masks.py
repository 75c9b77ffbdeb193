"""Pairs of random masks with some overlap, and frames that hold nothing."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

levels = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=10).flatmap(
    lambda shape: st.tuples(*[hnp.arrays("u1", shape, elements=st.integers(0, 4))] * 2)
)

mask_pairs = levels.map(lambda pair: ((pair[0] > 3) | (pair[1] == 1), pair[1] % 4 == 1))
"""Predicted and true mask (H, W): the truth is covered, and there is more."""

loose_pairs = levels.map(lambda pair: (pair[0] > 3, pair[1] > 3))
"""Predicted and true mask (H, W) that know nothing of each other."""

any_pairs = st.one_of(mask_pairs, loose_pairs)
