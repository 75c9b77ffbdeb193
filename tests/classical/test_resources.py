"""Solvers use as many threads as they may, and NumPy's stand back where SciPy's work."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_info

from deepir.classical.low_rank import resources
from deepir.classical.low_rank.resources import Resources
from deepir.errors import FrameError, UsageError


def threads():
    """Threads of linear algebra by library, of NumPy's and SciPy's alone."""
    scipy.linalg.eigh(np.eye(2))
    loaded = [one for one in threadpool_info() if one["user_api"] == "blas"]
    paths = {one["filepath"]: one["num_threads"] for one in loaded}
    return {path: count for path, count in paths.items() if "opencv" not in path}


@pytest.mark.parametrize("count", [1, 2])
def test_threads_are_those_given_inside_the_block_alone(count):
    before = threads()
    with Resources(threads=count).limited():
        assert set(threads().values()) == {count}
    assert threads() == before


def test_numpy_keeps_one_thread_where_scipy_works_alone():
    before = threads()
    own = [path for path in before if resources._IN_NUMPY.search(path)]
    if not own or len(own) == len(before):
        pytest.skip("NumPy and SciPy share one library of linear algebra here")
    with Resources(threads=2).limited(scipy_alone=True):
        inside = threads()
    assert {inside[path] for path in own} == {1}
    assert {count for path, count in inside.items() if path not in own} == {2}
    assert threads() == before


def test_none_leaves_threads_as_they_are():
    before = threads()
    with Resources(threads=None).limited(scipy_alone=True):
        assert threads() == before


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/env/lib/python3.11/site-packages/numpy.libs/libscipy_openblas64_-32a4b2a6.so", True),
        (r"C:\\env\\Lib\\site-packages\\numpy.libs\\libscipy_openblas64_-1.dll", True),
        ("/env/lib/python3.12/site-packages/numpy/.dylibs/libscipy_openblas64_.dylib", True),
        ("/env/lib/python3.11/site-packages/scipy.libs/libscipy_openblas-6cdc3b4a.so", False),
        ("/home/numpy/lib/libopenblas.so.0", False),
    ],
)
def test_the_library_of_numpy_is_known_by_where_it_lies(path, found):
    assert bool(resources._IN_NUMPY.search(path)) is found


def test_what_cannot_be_given_is_refused():
    with pytest.raises(UsageError, match="threads are at least 1"):
        Resources(threads=0)
    with pytest.raises(UsageError, match="memory_gb is above 0"):
        Resources(memory_gb=0)
    with pytest.raises(FrameError, match=r"needs 2.0 GB for its patches, allowed are 1"):
        Resources(memory_gb=1).check(2e9, (512, 640))
