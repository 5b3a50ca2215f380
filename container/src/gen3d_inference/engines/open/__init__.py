"""Masks by SAM 2.1, gaussians by TripoSplat: weights that nobody has to approve."""
