#!/usr/bin/env bash
# Open3D 0.20.0: its tensor API (open3d.t.io) writes a PLY's colours as floats of 0 to 1, which is how
# PointCloud.from_legacy() holds them; its other reader, open3d.io.read_point_cloud() and
# read_triangle_mesh(), divides them by 255 as if they were bytes, so that a cloud comes out all but
# black, and raises or prints nothing. PyMeshLab 2025.7.post1 leaves such colours out, and the cloud is
# white. trimesh 5.2.0 and open3d.t.io read them as they are meant. A PLY's header says the type of each
# property, so that bytes and floats can be told apart. Who begins splats with a coloured cloud, as they
# commonly begin, hands on black ones. Needs libgomp.so.1, libGL.so.1 and libOpenGL.so.0 (Debian:
# libgomp1, libgl1, libopengl0).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 trimesh==5.2.0 pymeshlab==2025.7.post1 open3d-cpu==0.20.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import open3d
import pymeshlab
import trimesh

places = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
colours = np.array([[1, 0.5, 0.25], [0, 1, 0.75], [0.5, 0.25, 1]])


def seen(path):
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.load_new_mesh(path)
    tensor = open3d.t.io.read_point_cloud(path).point.colors.numpy()
    return {
        "open3d.io": np.asarray(open3d.io.read_point_cloud(path).colors),
        "open3d.t.io": tensor / 255 if tensor.dtype == np.uint8 else tensor,
        "PyMeshLab": meshes.current_mesh().vertex_color_matrix()[:, :3],
        "trimesh": trimesh.load(path).visual.vertex_colors[:, :3] / 255,
    }


print("open3d", version("open3d-cpu"), "PyMeshLab", version("pymeshlab"), "trimesh", version("trimesh"))
cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(places))
cloud.colors = open3d.utility.Vector3dVector(colours)
assert open3d.io.write_point_cloud("bytes.ply", cloud)
assert open3d.t.io.write_point_cloud("floats.ply", open3d.t.geometry.PointCloud.from_legacy(cloud))
for path, kind in (("bytes.ply", "uchar"), ("floats.ply", "float")):
    with open(path, "rb") as file:
        header = file.read().partition(b"end_header")[0].decode()
    print(path, [line for line in header.splitlines() if " red" in line])
    assert f"property {kind} red" in header
    for reader, found in seen(path).items():
        print(" ", reader, found.round(3).tolist())
        meant = colours
        if kind == "float" and reader == "open3d.io":
            meant = colours / 255
        elif kind == "float" and reader == "PyMeshLab":
            meant = np.ones((3, 3))
        assert np.allclose(found, meant, atol=0.003), "it is otherwise now"
PY
