"""Benchmarks: speed, memory and agreement as ratios within one run. `python -m tests.bench --help`; see README.md."""
