"""SAM 3D Objects: one object of a photo becomes gaussians and their pose."""

from gen3d_inference.engines.sam.objects.reconstruction import ObjectReconstruction

__all__ = ["ObjectReconstruction"]
