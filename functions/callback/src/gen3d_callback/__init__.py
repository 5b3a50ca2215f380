"""Takes the endpoint's answers."""
