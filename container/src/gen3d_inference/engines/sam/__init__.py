"""The sam engine: SAM 3 prepares the masks, SAM 3D Objects reconstructs."""
