"""What people do to a stack in AWS: build its image, try its endpoint, retry, replay, restore."""
