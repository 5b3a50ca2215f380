"""What a developer does to a stack in AWS: build its image, try its endpoint."""
