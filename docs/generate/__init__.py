"""Fills the documents' generated parts from the repository: ``make docs``.

A part stands between ``<!-- generated: NAME ARGUMENTS -->`` and ``<!-- end -->``.
"""
