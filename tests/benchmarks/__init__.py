"""Speed, printed: `python -m tests.benchmarks.deciding` and its like, each on a PostgreSQL database of its own."""
