"""The parts of `benchmarks/filters.py`."""
