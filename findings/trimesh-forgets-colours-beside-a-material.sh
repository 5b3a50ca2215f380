#!/usr/bin/env bash
# trimesh 5.2.0: a GLB's vertex colours are lost on the way to a mesh where its primitive has a material,
# and nothing is raised. Reading keeps them in the scene, under `visual.vertex_attributes`; whatever
# copies the mesh leaves them out: copy(), dump(), to_mesh(), and with it load(force="mesh"), and a GLB
# that is written of any of these. glTF 2.0 (3.7.2.1) multiplies COLOR_0 with the material's colour, so
# that the coloured mesh comes out plain, here white. Without a material, which for glTF is the same as a
# plain one, the colours stay; and so they do in the scene that is written as it was read.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 pillow==13.0.0 trimesh==5.2.0
"$folder/venv/bin/python" - <<'PY'
import io
import json
import struct
from importlib.metadata import version

import numpy as np
import trimesh


def changed(data, change):
    """A GLB with its JSON changed."""
    (length,) = struct.unpack_from("<I", data, 12)
    document, rest = json.loads(data[20 : 20 + length]), data[20 + length :]
    change(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(rest), len(text), b"JSON") + text + rest


def plain_material(document):
    document["materials"] = [{}]
    document["meshes"][0]["primitives"][0]["material"] = 0


def colours(mesh):
    """How many a mesh has, by whichever of the two ways trimesh holds them."""
    visual = mesh.visual
    found = visual.vertex_attributes.get("color") if visual.kind == "texture" else visual.vertex_colors
    return 0 if found is None else len(np.unique(found, axis=0))


def read(data, **options):
    return trimesh.load(io.BytesIO(data), file_type="glb", process=False, **options)


box = trimesh.creation.box()
box.visual.vertex_colors = [(32 * k, 255 - 32 * k, 128, 255) for k in range(8)]
without = box.export(file_type="glb")
with_material = changed(without, plain_material)
print("trimesh", version("trimesh"), "- colours of 8:")
for name, data, left in (("without a material", without, 8), ("with one", with_material, 0)):
    scene = read(data)
    (mesh,) = scene.geometry.values()
    found = {
        "in the scene": colours(mesh),
        "copy()": colours(mesh.copy()),
        "dump()": colours(scene.dump()[0]),
        "to_mesh()": colours(scene.to_mesh()),
        "force='mesh'": colours(read(data, force="mesh")),
        "a copy, written and read": colours(next(iter(read(mesh.copy().export(file_type="glb")).geometry.values()))),
        "the scene, written and read": colours(next(iter(read(scene.export(file_type="glb")).geometry.values()))),
    }
    print(name, found)
    for way, count in found.items():
        assert count == (8 if "the scene" in way else left), "they are kept now"
PY
