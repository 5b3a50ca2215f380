"""Splat to mesh against known truth: ``python -m bench.mesh`` prints the table of RESULTS.md."""
