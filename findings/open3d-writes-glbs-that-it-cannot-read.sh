#!/usr/bin/env bash
# Open3D 0.20.0: write_triangle_mesh("ball.glb") returns True, and read_triangle_mesh("ball.glb") gives
# a mesh of nothing: no exception, one line of a warning. The writer puts the numbers into the JSON, as a
# data URI, and leaves the GLB without its binary chunk. glTF 2.0 (3.6.1) lets a buffer be so, and
# trimesh 5.2.0 and PyMeshLab 2025.7.post1 read the file. The one error that Khronos' validator finds, a
# wrong maximum of the indices, is in the same mesh's .gltf, too, which Open3D does read, as it reads a GLB
# by open3d.t.io. Needs libgomp.so.1, libGL.so.1 and libOpenGL.so.0 (Debian: libgomp1, libgl1, libopengl0).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 trimesh==5.2.0 pymeshlab==2025.7.post1 open3d-cpu==0.20.0
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund gltf-validator@2.0.0-dev.3.10
cat > validate.mjs <<'JS'
import { readFileSync } from "node:fs";
import { validateBytes } from "gltf-validator";

const report = await validateBytes(new Uint8Array(readFileSync(process.argv[2])));
console.log(report.issues.messages.filter(({ severity }) => severity === 0).map(({ code }) => code).join());
JS
cat > check.py <<'PY'
import json
import struct
import subprocess
from importlib.metadata import version

import open3d
import pymeshlab
import trimesh


def faces(path):
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.load_new_mesh(path)
    return {
        "trimesh": len(trimesh.load(path, force="mesh").faces),
        "PyMeshLab": meshes.current_mesh().face_number(),
        "Open3D": len(open3d.io.read_triangle_mesh(path).triangles),
    }


print("open3d", version("open3d-cpu"), "trimesh", version("trimesh"), "PyMeshLab", version("pymeshlab"))
ball = open3d.geometry.TriangleMesh.create_sphere(1, resolution=5)
assert open3d.io.write_triangle_mesh("ball.glb", ball)
assert open3d.io.write_triangle_mesh("ball.gltf", ball)
assert open3d.t.io.write_triangle_mesh("by-tensor.glb", open3d.t.geometry.TriangleMesh.from_legacy(ball))
with open("ball.glb", "rb") as file:
    data = file.read()
magic, number, length, size, kind = struct.unpack_from("<4sIII4s", data)
document = json.loads(data[20 : 20 + size])
print("ball.glb:", length, "bytes, of which JSON", size, "- its buffer", document["buffers"][0]["uri"][:40], "…")
assert (magic, number, kind, length) == (b"glTF", 2, b"JSON", len(data))
for path in ("ball.glb", "ball.gltf"):
    errors = subprocess.run(["node", "validate.mjs", path], check=True, capture_output=True, text=True).stdout
    print(path, "errors that Khronos' validator finds:", errors.strip())
    assert errors == "ACCESSOR_MAX_MISMATCH\n"
for path in ("ball.glb", "ball.gltf", "by-tensor.glb"):
    found = faces(path) if path.endswith(".glb") else {"Open3D": len(open3d.io.read_triangle_mesh(path).triangles)}
    print(path, "triangles:", found)
    for reader, count in found.items():
        empty = path == "ball.glb" and reader == "Open3D"
        assert count == (0 if empty else len(ball.triangles)), "it is read now"
PY
"$folder/venv/bin/python" check.py
