"""Write glTF 2.0, binary form (Khronos glTF 2.0 specification, section 4)."""

import io
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mesh.model import Model, srgb_to_linear, y_up

_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
_COMPONENTS = {"float32": 5126, "uint32": 5125, "uint16": 5123}
_VERTICES, _INDICES = 34962, 34963
_LINEAR, _MIPMAPS, _CLAMP = 9729, 9987, 33071


@dataclass
class _Buffer:
    """The binary chunk as it grows, with its views and accessors."""

    data: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, data: bytes, **properties: int) -> int:
        self.views.append(
            {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **properties}
        )
        self.data += data + bytes(-len(data) % 4)
        return len(self.views) - 1

    def accessor(
        self, values: npt.NDArray[Any], target: int, *, bounds: bool = False, **properties: Any
    ) -> int:
        accessor = {
            "bufferView": self.view(np.ascontiguousarray(values).tobytes(), target=target),
            "componentType": _COMPONENTS[values.dtype.name],
            "count": len(values),
            "type": _TYPES[1 if values.ndim == 1 else values.shape[1]],
            **properties,
        }
        if bounds:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def encode(model: Model, name: str) -> bytes:
    """Make a GLB: Y up, centred, in the splat's scale, rough and not metallic.

    With a texture the colours are in it; without, they are vertex colours, linear as glTF wants.

    Parameters
    ----------
    model : Model
    name : str
        Of the object, shown by viewers.
    """
    buffer = _Buffer()
    texture = model.texture
    pick = slice(None) if texture is None else texture.vertices
    faces = model.mesh.faces if texture is None else texture.faces
    positions = y_up(model.positions)[pick]
    attributes = {
        "POSITION": buffer.accessor(positions, _VERTICES, bounds=True),
        "NORMAL": buffer.accessor(y_up(model.normals)[pick], _VERTICES),
    }
    material: dict[str, Any] = {
        "name": "surface",
        "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0},
    }
    document: dict[str, Any] = {}
    if texture is None:
        linear = np.round(srgb_to_linear(model.colors) * 65535).astype(np.uint16)
        opaque = np.full((len(linear), 1), 65535, np.uint16)
        rgba = np.concatenate([linear, opaque], axis=1)  # four, for alignment
        attributes["COLOR_0"] = buffer.accessor(rgba, _VERTICES, normalized=True)
    else:
        attributes["TEXCOORD_0"] = buffer.accessor(texture.uv, _VERTICES)
        material["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
        picture = io.BytesIO()
        Image.fromarray(texture.image).save(picture, "JPEG", quality=92, subsampling=0)
        document = {
            "images": [{"bufferView": buffer.view(picture.getvalue()), "mimeType": "image/jpeg"}],
            "samplers": [
                {"magFilter": _LINEAR, "minFilter": _MIPMAPS, "wrapS": _CLAMP, "wrapT": _CLAMP}
            ],
            "textures": [{"source": 0, "sampler": 0}],
        }
    # The largest value of an index type is reserved.
    small = np.uint16 if len(positions) < 65535 else np.uint32
    indices = buffer.accessor(faces.ravel().astype(small), _INDICES)
    document |= {
        "asset": {
            "version": "2.0",
            "generator": "Gen3D",
            "extras": {
                "unit": "the splat's; its canonical frame is 1 on the longest side",
                "scale": 1.0,
                "splatCenter": [round(float(c), 6) for c in model.frame.center],
                "splatToMesh": "(x, y, z) - splatCenter → (x, z, -y)",
            },
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": name}],
        "meshes": [
            {
                "name": name,
                "primitives": [{"attributes": attributes, "indices": indices, "material": 0}],
            }
        ],
        "materials": [material],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return b"".join(
        [
            struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(buffer.data)),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", len(buffer.data), b"BIN\0"),
            buffer.data,
        ]
    )
