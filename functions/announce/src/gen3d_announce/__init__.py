"""Tells programs what became of a job."""
