"""What people do to a stack in AWS: look, build its image, try it, retry, replay, restore."""
