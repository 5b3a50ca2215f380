#!/usr/bin/env bash
# trimesh 5.2.0 without DracoPy: a GLB whose mesh is Draco-compressed loads without an exception,
# as a mesh with the right number of vertices, all of them at the origin. The extension stands under
# extensionsRequired, and glTF asks readers that do not know a required extension to refuse the file.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/writer"
"$folder/writer/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 DracoPy==2.0.0
python3 -m venv "$folder/reader"
"$folder/reader/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 trimesh==5.2.0
"$folder/writer/bin/python" - "$folder/tetrahedron.glb" <<'PY'
import json, struct, sys
import DracoPy, numpy as np

points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint32)
packed = DracoPy.encode(points, faces)
document = {
    "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
    "extensionsUsed": ["KHR_draco_mesh_compression"],
    "extensionsRequired": ["KHR_draco_mesh_compression"],
    "buffers": [{"byteLength": len(packed)}],
    "bufferViews": [{"buffer": 0, "byteLength": len(packed)}],
    "accessors": [
        {"componentType": 5126, "type": "VEC3", "count": 4, "min": [0, 0, 0], "max": [1, 1, 1]},
        {"componentType": 5125, "type": "SCALAR", "count": 12}],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "extensions": {
        "KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}}]}],
}
text = json.dumps(document).encode()
text += b" " * (-len(text) % 4)
packed += b"\0" * (-len(packed) % 4)
parts = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(packed), b"BIN\0") + packed
open(sys.argv[1], "wb").write(struct.pack("<4sII", b"glTF", 2, 12 + len(parts)) + parts)
PY
"$folder/reader/bin/python" - "$folder/tetrahedron.glb" <<'PY'
import sys
import numpy as np, trimesh

mesh = trimesh.load(sys.argv[1], force="mesh", process=False)
print("trimesh", trimesh.__version__, "without DracoPy")
print("vertices", mesh.vertices.tolist())
assert len(mesh.vertices) and not np.any(mesh.vertices), "Draco is refused, or read, now"
PY
