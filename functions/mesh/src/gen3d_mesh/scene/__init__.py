"""The objects of a photo together, as they stood in it."""
