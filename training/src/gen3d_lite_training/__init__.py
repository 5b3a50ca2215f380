"""The procedural world, the networks and the training of the lite engine."""
