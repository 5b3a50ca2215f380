#!/usr/bin/env bash
# Open3D 0.20.0: a GLB's node whose scale has one negative number, as mirrored halves of models have, is
# read with its corners mirrored and its faces as they were: inside out. No message. glTF 2.0 (3.7.4,
# "Instantiation") says that a negative determinant turns the winding. The box is closed and of the
# right size, so that is_watertight and bounds say nothing; its signed volume is -6 in place of 6, and
# what asks for inside or outside, or makes a surface by its normals, gets the opposite. trimesh 5.2.0
# turns the faces. Needs libgomp.so.1 and libGL.so.1 (Debian: libgomp1, libgl1).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 trimesh==5.2.0 open3d-cpu==0.20.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import json
import struct
from importlib.metadata import version

import numpy as np
import open3d
import trimesh

box = trimesh.creation.box((1, 2, 3))
corners, faces = box.vertices.astype("<f4"), box.faces.astype("<u2")


def glb(scale):
    data = corners.tobytes() + faces.tobytes()
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": scale}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(corners), "type": "VEC3",
             "min": corners.min(0).tolist(), "max": corners.max(0).tolist()},
            {"bufferView": 1, "componentType": 5123, "count": faces.size, "type": "SCALAR"},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": corners.nbytes},
                        {"buffer": 0, "byteOffset": corners.nbytes, "byteLength": faces.nbytes}],
        "buffers": [{"byteLength": len(data)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 28 + len(text) + len(data), len(text), 0x4E4F534A)
    return head + text + struct.pack("<II", len(data), 0x004E4942) + data


def volume(vertices, triangles):
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return round(float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6), 3)


print("open3d", version("open3d-cpu"), "trimesh", version("trimesh"))
for scale in ([1, 1, 1], [-1, 1, 1]):
    with open("box.glb", "wb") as file:
        file.write(glb(scale))
    read = open3d.io.read_triangle_mesh("box.glb")
    found = volume(np.asarray(read.vertices), np.asarray(read.triangles))
    other = trimesh.load("box.glb", force="mesh")
    print("scale", scale, "volume: Open3D", found, "- trimesh", round(other.volume, 3))
    assert round(other.volume, 3) == 6
    assert found == (6 if scale[0] > 0 else -6), "a mirrored node is turned now"
PY
