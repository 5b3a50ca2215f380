"""Tells people by mail."""
