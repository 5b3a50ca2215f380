"""Sends an object's work to the inference endpoint."""
