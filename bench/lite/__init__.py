"""How good the lite engine is, against methods without learning: ``python -m bench.lite``."""
