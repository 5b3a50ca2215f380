"""``python -m bench.mesh.decimation``: what fewer faces do to a textured mesh from elsewhere.

The mug of the bench, made at `standard`, is read again as somebody's GLB and decimated by
PyMeshLab. From places of the old surface the nearest of the new one are looked up.
"""

import tempfile
from pathlib import Path

import numpy as np
import trimesh

from bench.mesh.__main__ import make_cloud
from bench.mesh.atlas import OFF
from bench.mesh.clouds import Array, scene_of, tensor
from bench.mesh.score import bilinear
from gen3d_mesh import remesh
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.mesh_file import read_mesh
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.write import save

PLACES = 100_000
FACES = (20_000, 5_000, 1_000)
WEIGHTS = (remesh.TEXTURE_WEIGHT, 1.0)


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder:
        cloud, file = Path(folder) / "mug.ply", Path(folder) / "mug.glb"
        make_cloud("mug", 300, cloud)
        save(build(cloud, QUALITIES["standard"])[0], file, "mug")
        source = read_mesh(file, "GLB")
    old, _ = remesh.repair_mesh(source)
    shape = _shape(old)
    places, face = trimesh.sample.sample_surface(shape, PLACES, seed=1)
    share = trimesh.triangles.points_to_barycentric(shape.triangles[face], places)
    colors = _colors(old, face, share)
    print("| faces | the picture's weight | mean distance | off by over .15 |\n|---|---|---|---|")
    for faces in FACES:
        for weight in WEIGHTS:
            remesh.TEXTURE_WEIGHT = weight
            made, _ = remesh.repair_mesh(source, faces)
            met = scene_of(_shape(made)).compute_closest_points(tensor(places))
            u, v = met["primitive_uvs"].numpy().astype(float).T
            there = met["primitive_ids"].numpy().astype(np.int64)
            seen = _colors(made, there, np.stack([1 - u - v, u, v], axis=1))
            far = np.linalg.norm(met["points"].numpy() - places, axis=1).mean()
            off = (np.abs(seen - colors).max(axis=1) > OFF).mean()
            print(f"| {faces:,} | {weight:g} | {far:.3%} | {off:.2%} |", flush=True)


def _shape(coloured: ColouredMesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(coloured.mesh.vertices, coloured.mesh.faces, process=False)


def _colors(coloured: ColouredMesh, face: Array, share: Array) -> Array:
    """Colours of places on faces, by the weights of their corners: (n, 3)."""
    texture = coloured.texture
    assert texture is not None
    uv = (texture.uv[texture.faces[face]] * share[:, :, None]).sum(axis=1)
    return bilinear(texture.image, uv)


if __name__ == "__main__":
    main()
