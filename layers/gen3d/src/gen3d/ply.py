"""The PLY of a gaussian splat, as the container writes it and the mesh function reads it.

It is that of the 3DGS reference code (Kerbl et al. 2023): binary little-endian, a float32 for each
property.
"""

PROPERTIES = (
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
)
"""Normals are zero; opacity is a logit, scales are natural logarithms, the rotation is wxyz."""

SH_C0 = 0.28209479177387814
"""Spherical harmonic of degree 0; colour = 0.5 + SH_C0 · f_dc."""
