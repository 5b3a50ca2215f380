#!/usr/bin/env bash
# trimesh 5.2.0 and PyMeshLab 2025.7.post1 heed no "normalized" in a GLB, and raise nothing. glTF 2.0
# (3.7.2.1) allows COLOR_0 and TEXCOORD_0 as normalized unsigned shorts; Blender 3.4's exporter writes
# colours so. Of colours they keep the low byte: a quarter of red, 0x4000, comes out as none, and a
# smooth gradient as noise. Values whose two bytes are equal, as of colours that had 8 bits, come out
# right, and so pass tests. Texture coordinates they give raw, 65535 for 1, so that a picture is repeated
# as often; trimesh moreover turns the second axis while it has 16 bits, in which 1 - 65535 has no place.
# three.js 0.187.0 reads all of it rightly.
# PyMeshLab needs libGL.so.1 and libOpenGL.so.0 (Debian: libgl1, libopengl0).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 trimesh==5.2.0 pymeshlab==2025.7.post1
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund three@0.187.0
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

globalThis.self = globalThis; // the loader asks it for URL
const file = readFileSync(process.argv[2]);
const data = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const { scene } = await new GLTFLoader().parseAsync(data, "");
scene.traverse(({ geometry }) => {
  if (!geometry) return;
  const { color, uv } = geometry.attributes;
  const colours = color && [0, 1, 2].map((k) => [color.getX(k), color.getY(k), color.getZ(k)]);
  const places = uv && [0, 1, 2].map((k) => [uv.getX(k), uv.getY(k)]);
  console.log(JSON.stringify(colours ?? places));
});
JS
cat > read.py <<'PY'
import json
import struct
import subprocess
from importlib.metadata import version

import numpy as np
import pymeshlab
import trimesh

corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4")
colours = np.array([[0.25, 0.5, 0.75, 1], [0.1, 0.3, 0.9, 1], [0.6, 0.2, 0.8, 1]])
places = np.array([[0, 0], [1, 0], [0, 1]])  # of a picture, from its top left
BYTE, SHORT, FLOAT = 5121, 5123, 5126


def write(path, name, values, component):
    whole, dtype = {BYTE: (255, "u1"), SHORT: (65535, "<u2"), FLOAT: (1, "<f4")}[component]
    packed = (np.rint(whole * values) if whole > 1 else values).astype(dtype)
    data = corners.tobytes() + packed.tobytes()
    views = [{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": packed.nbytes}]
    accessor = {"bufferView": 1, "componentType": component, "count": 3, "type": f"VEC{values.shape[1]}"}
    if whole > 1:
        accessor["normalized"] = True
    mesh = {"attributes": {"POSITION": 0, name: 1}}
    if name == "TEXCOORD_0":
        mesh["material"] = 0
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [mesh]}], "materials": [{}],
        "accessors": [
            {"bufferView": 0, "componentType": FLOAT, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]},
            accessor,
        ],
        "bufferViews": views, "buffers": [{"byteLength": len(data)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 28 + len(text) + len(data), len(text), 0x4E4F534A)
    with open(path, "wb") as file:
        file.write(head + text + struct.pack("<II", len(data), 0x004E4942) + data)


def seen(path, name):
    """What each reader gives; colours of 0 to 1, places from the top left."""
    read = trimesh.load(path, force="mesh", process=False).visual
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.load_new_mesh(path)
    mesh = meshes.current_mesh()
    three = subprocess.run(["node", "--no-warnings", "read.mjs", path], check=True, capture_output=True).stdout
    if name == "COLOR_0":
        theirs = read.vertex_colors[:, :3] / 255, mesh.vertex_color_matrix()[:, :3]
    else:
        wedges = mesh.has_wedge_tex_coord()
        places = mesh.wedge_tex_coord_matrix() if wedges else mesh.vertex_tex_coord_matrix()
        theirs = (np.array(uv) * (1, -1) + (0, 1) for uv in (read.uv, places))  # they count from the bottom
    return dict(zip(("trimesh", "pymeshlab", "three"), (*theirs, np.array(json.loads(three))), strict=True))


print("trimesh", version("trimesh"), "PyMeshLab", version("pymeshlab"))
low = (np.rint(65535 * colours[:, :3]).astype(int) & 255) / 255
for name, values, component in (
    ("COLOR_0", colours, BYTE), ("COLOR_0", colours, SHORT),
    ("TEXCOORD_0", places, FLOAT), ("TEXCOORD_0", places, SHORT),
):
    write("triangle.glb", name, values, component)
    for reader, found in seen("triangle.glb", name).items():
        kind = {BYTE: "bytes", SHORT: "shorts", FLOAT: "floats"}[component]
        print(name, f"in {kind},", reader, np.round(found, 2).tolist())
        if component == SHORT and reader != "three":
            meant = low if name == "COLOR_0" else 65535 * places
        else:
            meant = values[:, :3]
        turned = name == "TEXCOORD_0" and component == SHORT and reader == "trimesh"
        columns = [0] if turned else slice(None)  # the other one depends on the processor
        assert np.allclose(found[:, columns], meant[:, columns], atol=0.003), "it is otherwise now"
PY
"$folder/venv/bin/python" read.py
