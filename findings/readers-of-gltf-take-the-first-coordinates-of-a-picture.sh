#!/usr/bin/env bash
# trimesh 5.2.0, PyMeshLab 2025.7.post1 and Open3D 0.20.0 lay a GLB's picture by TEXCOORD_0, whichever
# set its material names. glTF 2.0 (3.9.2, "texCoord" of a texture) has the material name the set:
# a mesh may have several, as one for a pattern that repeats and one for what was baked. So the picture
# lies elsewhere, here at half its size, and nothing is raised or printed. three.js 0.187.0 heeds
# it. PyMeshLab needs libGL.so.1 and libOpenGL.so.0 (Debian: libgl1, libopengl0), Open3D
# libgomp.so.1 (libgomp1).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 pillow==13.0.0 trimesh==5.2.0 pymeshlab==2025.7.post1 open3d-cpu==0.20.0
cd "$folder"
npm init -y > /dev/null
npm i --silent --no-audit --no-fund three@0.187.0
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { Texture } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

globalThis.self = globalThis; // the loader asks it for URL
const file = readFileSync(process.argv[2]);
const data = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const loader = new GLTFLoader(); // there is no picture's decoder in Node
loader.register((parser) => ({ name: "picture", loadTexture: async (k) => {
  const texture = new Texture();
  parser.associations.set(texture, { textures: k });
  return texture;
} }));
const { scene } = await loader.parseAsync(data, "");
scene.traverse(({ geometry, material }) => {
  if (!geometry) return;
  const { channel } = material.map; // what the renderer takes
  const uv = geometry.attributes[channel ? `uv${channel}` : "uv"];
  console.log(JSON.stringify([0, 1, 2].map((k) => [uv.getX(k), uv.getY(k)])));
});
JS
cat > read.py <<'PY'
import io
import json
import struct
import subprocess
from importlib.metadata import version

import numpy as np
import open3d
import pymeshlab
import trimesh
from PIL import Image

corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4")
sets = [np.array([[0, 0], [1, 0], [0, 1]], "<f4"), np.array([[0, 0], [0.5, 0], [0, 0.5]], "<f4")]
picture = io.BytesIO()
Image.new("RGB", (4, 4), (255, 0, 0)).save(picture, "PNG")


def glb(chosen):
    parts = [corners.tobytes(), *(uv.tobytes() for uv in sets), picture.getvalue()]
    parts[-1] += b"\0" * (-len(parts[-1]) % 4)
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1, "TEXCOORD_1": 2}, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, "texCoord": chosen}}}],
        "textures": [{"source": 0}], "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5126, "count": 3, "type": "VEC2"},
        ],
        "bufferViews": [{"buffer": 0, "byteOffset": starts[k], "byteLength": len(part)} for k, part in enumerate(parts)],
        "buffers": [{"byteLength": starts[-1]}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 28 + len(text) + starts[-1], len(text), 0x4E4F534A)
    return head + text + struct.pack("<II", starts[-1], 0x004E4942) + b"".join(parts)


def seen(path):
    """Each reader's places in the picture, from its top left."""
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.load_new_mesh(path)
    mesh = meshes.current_mesh()
    found = {
        "trimesh": trimesh.load(path, force="mesh", process=False).visual.uv,
        "PyMeshLab": mesh.wedge_tex_coord_matrix() if mesh.has_wedge_tex_coord() else mesh.vertex_tex_coord_matrix(),
        "Open3D": np.asarray(open3d.io.read_triangle_mesh(path).triangle_uvs),
    }
    found = {name: np.array(uv) * (1, -1) + (0, 1) for name, uv in found.items()}  # they count from the bottom
    three = subprocess.run(["node", "--no-warnings", "read.mjs", path], check=True, capture_output=True).stdout
    return {**found, "three": np.array(json.loads(three))}


print("trimesh", version("trimesh"), "PyMeshLab", version("pymeshlab"), "Open3D", version("open3d-cpu"))
for chosen in (0, 1):
    with open("triangle.glb", "wb") as file:
        file.write(glb(chosen))
    for reader, found in seen("triangle.glb").items():
        print(f"texCoord {chosen},", reader, found.tolist())
        meant = sets[chosen if reader == "three" else 0]
        assert np.allclose(found, meant), "it is otherwise now"
PY
"$folder/venv/bin/python" read.py
