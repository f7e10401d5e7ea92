"""Benchmarks, run as `python -m tests.benchmarks.deciding`; each uses a PostgreSQL database of its own."""
