"""SAM 3D Objects: one object of a photo becomes gaussians and their pose."""

from container.sam.objects.reconstruction import ObjectReconstruction

__all__ = ["ObjectReconstruction"]
