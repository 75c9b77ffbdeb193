"""The parts of ``benchmarks/networks.py``."""
