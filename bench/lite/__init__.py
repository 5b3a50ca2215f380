"""How good the lite engine is, against methods without learning: ``make bench-lite``."""
