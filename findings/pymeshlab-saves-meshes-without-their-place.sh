#!/usr/bin/env bash
# PyMeshLab 2025.7.post1: a GLB's node may move, turn and scale its mesh, as those of models in
# millimetres do (glTF is in metres). PyMeshLab reads that into the mesh's matrix, and save_current_mesh()
# leaves it out: a tool of 20 mm comes out 20 m long, where it was not to be, in PLY, OBJ, STL and OFF.
# vertex_matrix() and bounding_box() are without it, too; get_geometric_measures() gives the surface with
# it beside the box without. Nothing is printed, and no argument of the saving says which is meant.
# trimesh 5.2.0 gives the size that is meant. apply_matrix_freeze() before saving helps. Needs libGL.so.1
# and libOpenGL.so.0 (Debian: libgl1, libopengl0).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 trimesh==5.2.0 pymeshlab==2025.7.post1
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import pymeshlab
import trimesh

box = trimesh.creation.box((20, 10, 5))  # millimetres
scene = trimesh.Scene()
scene.add_geometry(box, transform=np.diag([0.001, 0.001, 0.001, 1]))
scene.export("box.glb")


def read():
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.load_new_mesh("box.glb")
    return meshes


def longest(path):
    return round(float(trimesh.load(path, force="mesh").extents.max()), 6)


print("PyMeshLab", version("pymeshlab"), "trimesh", version("trimesh"), "- the longest side in metres:")
meshes = read()
mesh = meshes.current_mesh()
measured = meshes.get_geometric_measures()
found = {
    "trimesh, of the GLB": longest("box.glb"),
    "vertex_matrix()": np.ptp(mesh.vertex_matrix(), axis=0).max(),
    "bounding_box()": mesh.bounding_box().dim_x(),
    "transformed_vertex_matrix()": np.ptp(mesh.transformed_vertex_matrix(), axis=0).max(),
    "measures' box": measured["bbox"].dim_x(),
    "measures' surface": np.sqrt(measured["surface_area"] / box.area) * 20,  # the side of such a box
}
for ending in ("ply", "obj", "stl", "off"):
    meshes.save_current_mesh(f"box.{ending}")
    found[f"saved as {ending}"] = longest(f"box.{ending}")
meshes = read()
meshes.apply_matrix_freeze()
meshes.save_current_mesh("frozen.ply")
found["saved after apply_matrix_freeze()"] = longest("frozen.ply")
print({way: round(float(side), 6) for way, side in found.items()})
for way, side in found.items():
    lost = way.startswith("saved as") or way in ("vertex_matrix()", "bounding_box()", "measures' box")
    assert np.isclose(side, 20 if lost else 0.02), f"{way} is otherwise now"
PY
