"""Twenty people at once on the local stack, timed, counted and weighed."""
