"""From a gaussian splat to a mesh.

A splat has no reliable normals, but it has a solid. The way, each step a function on arrays:

======== ============================================================================
read     know the file, read and check it
clean    drop what is transparent, huge, far off or alone; bring to the unit frame
solid    density on a grid, seal holes, flood the outside: inside and outside are known
carve    open narrow gaps, on a finer grid (`fine` alone)
shell    gaussians near the solid's boundary, with normals that point outward
surface  signed distance to the shell (IMLS), marching cubes
repair   drop specks, smooth (Taubin)
simplify quadric edge collapse that keeps the topology
coverage how much of what the splat shows from outside the mesh explains
colour   blend the shell's colours onto vertices
texture  unwrap along the six axes, and blend the colours onto texels
normals  bake what the fewer faces lost into a normal map, where it shows
write    GLB, OBJ, STL, PLY and a preview picture
======== ============================================================================

The unit frame is the splat's (Z up), moved and scaled so that its bounding box is centred at the
origin and its longest side is 1. `pipeline.build` goes the whole way.
"""
