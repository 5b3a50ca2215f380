"""Runs inside of Blender: ``blender -b --factory-startup -P in_blender.py -- FILE``."""

import json
import sys
import traceback

import bpy  # type: ignore[import-not-found]
import numpy as np

np.bool = bool  # type: ignore[assignment,misc]  # Debian 12's importer of glTF is older than its NumPy

_IMPORTS = {
    "glb": "import_scene.gltf",
    "obj": "wm.obj_import",
    "stl": "import_mesh.stl",
    "ply": "import_mesh.ply",
}


def main(path: str) -> dict[str, object]:
    """Import a file and describe its mesh, in Blender's own frame (Z up)."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    group, name = _IMPORTS[path.rsplit(".", 1)[1]].split(".")
    getattr(getattr(bpy.ops, group), name)(filepath=path)
    (found,) = [each for each in bpy.context.scene.objects if each.type == "MESH"]
    places = [found.matrix_world @ vertex.co for vertex in found.data.vertices]
    pictures = any(image.size[0] for image in bpy.data.images) and found.data.uv_layers
    return {
        "version": bpy.app.version_string,
        "points": [list(place) for place in places],
        "faces": [list(polygon.vertices) for polygon in found.data.polygons],
        "colour": "picture" if pictures else "vertices" if found.data.color_attributes else "none",
    }


if __name__ == "__main__":
    try:
        told = main(sys.argv[-1])
    except Exception:  # or Blender ends with 0, and says nothing of it
        told = {"error": traceback.format_exc().strip().splitlines()[-1]}
    print("SEEN:" + json.dumps(told))
