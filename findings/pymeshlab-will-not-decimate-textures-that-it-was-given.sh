#!/usr/bin/env bash
# PyMeshLab 2025.7.post1: a Mesh made from arrays with `w_tex_coords_matrix` says that it has wedge
# texture coordinates, and its decimation with texture refuses it: "some faces without texture". A
# picture set afterwards does not help. The same coordinates from a PLY, or given for each vertex and
# transferred to the wedges, are taken. Needs libGL.so.1 and libOpenGL.so.0 (Debian: libgl1, libopengl0).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 pymeshlab==2025.7.post1
cd "$folder" && QT_QPA_PLATFORM=offscreen venv/bin/python - <<'PY'
from importlib.metadata import version

import numpy as np
import pymeshlab

n = 12
place = np.stack(np.meshgrid(*[np.linspace(0, 1, n)] * 2), axis=-1).reshape(-1, 2)
points = np.c_[place, 0.1 * np.sin(6 * place[:, 0])]
a = np.arange(n * n).reshape(n, n)[:-1, :-1].reshape(-1)
faces = np.r_[np.c_[a, a + 1, a + n], np.c_[a + 1, a + n + 1, a + n]].astype(np.int32)


def decimated(picture=False, **coordinates):
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.add_mesh(pymeshlab.Mesh(vertex_matrix=points, face_matrix=faces, **coordinates))
    if "v_tex_coords_matrix" in coordinates:
        meshes.compute_texcoord_transfer_vertex_to_wedge()
    if picture:
        meshes.set_texture_per_mesh(textname="dummy.png", use_dummy_texture=True)
    mesh = meshes.current_mesh()
    had = mesh.has_wedge_tex_coord() and np.allclose(mesh.wedge_tex_coord_matrix(), place[faces].reshape(-1, 2))
    try:
        meshes.meshing_decimation_quadric_edge_collapse_with_texture(targetfacenum=60)
        return had, f"{meshes.current_mesh().face_number()} faces"
    except pymeshlab.PyMeshLabException as error:
        return had, str(error).splitlines()[-1]


print("PyMeshLab", version("pymeshlab"), "coordinates are there and right, what the decimation says")
given = decimated(w_tex_coords_matrix=place[faces].reshape(-1, 2))
pictured = decimated(picture=True, w_tex_coords_matrix=place[faces].reshape(-1, 2))
moved = decimated(v_tex_coords_matrix=place)
print("given for each wedge:   ", *given)
print("with a picture set:     ", *pictured)
print("given for each vertex:  ", *moved)
assert given[0] and "faces without texture" in given[1], "it is taken now"
assert pictured[0] and "faces without texture" in pictured[1], "it is taken now, with a picture"
assert moved[0] and moved[1].endswith(" faces"), "the way around is gone"
PY
