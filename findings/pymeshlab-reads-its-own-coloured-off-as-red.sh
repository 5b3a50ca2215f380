#!/usr/bin/env bash
# PyMeshLab 2025.7.post1: a coloured mesh that it saves as OFF by default and loads again is red all over,
# whatever its colours; no exception, no warning. The header that it writes is NCOFF, whose vertices have
# their normal before their colour (Geomview's manual, "OFF Files"); it writes the colour first and reads
# the normal first, so that the opacity and two numbers of the normal become red, green and blue. Without
# normals (save_vertex_normal=False) the file is a COFF, and comes back right; so do PLY and OBJ. Needs
# libGL.so.1 and libOpenGL.so.0 (Debian: libgl1, libopengl0).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 pymeshlab==2025.7.post1
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pymeshlab

corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
faces = np.array([[0, 1, 2], [0, 2, 3]])
colours = np.array([[0.25, 0.5, 0.75, 1], [0, 1, 0.6, 1], [0.1, 0, 1, 1], [0.9, 0.8, 0.7, 1]])


def loaded(path, **how):
    """The colours that come back of what was saved."""
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.add_mesh(pymeshlab.Mesh(corners, faces, v_color_matrix=colours))
    meshes.save_current_mesh(path, **how)
    again = pymeshlab.MeshSet(verbose=False)
    again.load_new_mesh(path)
    mesh = again.current_mesh()
    assert np.array_equal(mesh.vertex_matrix(), corners)
    return mesh.vertex_color_matrix().round(2)


print("PyMeshLab", version("pymeshlab"))
for path, how in (("a.ply", {}), ("a.obj", {}), ("plain.off", {"save_vertex_normal": False}), ("a.off", {})):
    found = loaded(path, **how)
    print(path, how, found.tolist())
    if path == "a.off":
        lines = Path(path).read_text().splitlines()
        print("header", lines[0], "- first vertex", lines[2])
        assert lines[0] == "NCOFF"
        assert np.allclose(found, [1, 0, 0, 0], atol=0.01), "it comes back otherwise now"
    else:
        assert np.allclose(found, colours, atol=0.02)
PY
