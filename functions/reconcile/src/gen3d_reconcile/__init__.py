"""Looks for what was lost, and puts it right."""
