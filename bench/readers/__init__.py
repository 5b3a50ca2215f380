"""Whether other programs read what `gen3d_mesh` writes."""
