"""The domain of Gen3D, shared by the functions and, for its message shapes, by the container."""
