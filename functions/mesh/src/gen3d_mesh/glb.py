"""Write glTF 2.0, binary form (Khronos glTF 2.0 specification, section 4)."""

import io
import json
import struct
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import DracoPy
import numpy as np
import numpy.typing as npt
from PIL import Image

from gen3d_mesh.coloured_mesh import ColouredMesh, srgb_to_linear, tangents, y_up
from gen3d_mesh.splat import Up

_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
_COMPONENTS = {"float32": 5126, "uint32": 5125, "uint16": 5123, "int8": 5120}
_VERTICES, _INDICES = 34962, 34963
_LINEAR, _MIPMAPS, _CLAMP = 9729, 9987, 33071

_TURNED: dict[Up, str] = {"y": "(x, y, z) → (x, -z, y)", "-y": "(x, y, z) → (x, z, -y)"}
"""How what does not stand on Z was turned upright."""

DRACO = "KHR_draco_mesh_compression"
POSITION_BITS, NORMAL_BITS, TEXTURE_BITS = 14, 9, 12
"""Steps of 1/16384 of the longest side, of a third of a degree, and of a quarter of a texel."""

MESHOPT, QUANTIZED = "EXT_meshopt_compression", "KHR_mesh_quantization"
OCTAHEDRAL_BITS = 8
"""Of a normal by meshoptimizer, a degree; its positions and places have as many bits as Draco's."""

Packing: TypeAlias = Literal["draco", "meshopt"]
"""How the geometry is compressed."""

_DRACO_TYPES = {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 3, "COLOR_0": 4, "TANGENT": 4}
_GENERIC = {"COLOR_0": 7, "TANGENT": 8}
"""Attributes that Draco has no kind of its own for, and what they are called there."""

_Attributes: TypeAlias = dict[str, npt.NDArray[Any]]


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
        self, values: npt.NDArray[Any], target: int | None, *, bounds: bool = False
    ) -> int:
        """Describe values, and lay them down unless there is no `target`: they are elsewhere."""
        accessor: dict[str, Any] = {
            "componentType": _COMPONENTS[values.dtype.name],
            "count": len(values),
            "type": _TYPES[1 if values.ndim == 1 else values.shape[1]],
        }
        if target is not None:
            data = np.ascontiguousarray(values).tobytes()
            accessor["bufferView"] = self.view(data, target=target)
        if values.ndim == 2 and values.dtype == np.uint16:
            accessor["normalized"] = True  # colours
        if bounds:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    """Encode a texture's picture or normal map, which loses at most 1° of it."""
    picture = io.BytesIO()
    Image.fromarray(image).save(picture, "JPEG", quality=92, subsampling=0)
    return picture.getvalue()


def _pictures(buffer: _Buffer, images: list[npt.NDArray[np.uint8]]) -> dict[str, Any]:
    return {
        "images": [
            {"bufferView": buffer.view(jpeg(image)), "mimeType": "image/jpeg"} for image in images
        ],
        "samplers": [
            {"magFilter": _LINEAR, "minFilter": _MIPMAPS, "wrapS": _CLAMP, "wrapT": _CLAMP}
        ],
        "textures": [{"source": k, "sampler": 0} for k in range(len(images))],
    }


def _plain(buffer: _Buffer, attributes: _Attributes, faces: npt.NDArray[Any]) -> dict[str, Any]:
    # The largest value of an index type is reserved.
    small = np.uint16 if len(attributes["POSITION"]) < 65535 else np.uint32
    return {
        "attributes": {
            name: buffer.accessor(values, _VERTICES, bounds=name == "POSITION")
            for name, values in attributes.items()
        },
        "indices": buffer.accessor(faces.ravel().astype(small), _INDICES),
    }


def _draco(buffer: _Buffer, attributes: _Attributes, faces: npt.NDArray[Any]) -> dict[str, Any]:
    data = DracoPy.encode(
        attributes["POSITION"].astype(np.float64),
        faces.astype(np.uint32),
        quantization_bits=POSITION_BITS,
        compression_level=7,
        normals=attributes["NORMAL"].astype(np.float64),
        normal_quantization_bits=NORMAL_BITS,
        tex_coord=attributes["TEXCOORD_0"].astype(np.float64)
        if "TEXCOORD_0" in attributes
        else None,
        tex_coord_quantization_bits=TEXTURE_BITS,
        generic_attributes={
            number: attributes[name] for name, number in _GENERIC.items() if name in attributes
        }
        or None,
    )
    # Draco makes vertices anew where patches meet, and names the attributes as it likes.
    made = DracoPy.decode(data)
    ids = {kind["attribute_type"]: kind for kind in made.attributes}
    there = {name: ids[_DRACO_TYPES[name]] for name in attributes}
    return {
        "attributes": {
            name: buffer.accessor(
                np.ascontiguousarray(kind["data"], attributes[name].dtype),
                None,
                bounds=name == "POSITION",
            )
            for name, kind in there.items()
        },
        "indices": buffer.accessor(made.faces.ravel().astype(np.uint32), None),
        "extensions": {
            DRACO: {
                "bufferView": buffer.view(data),
                "attributes": {name: kind["unique_id"] for name, kind in there.items()},
            }
        },
    }


def _meshopt(
    buffer: _Buffer, attributes: _Attributes, faces: npt.NDArray[Any]
) -> tuple[dict[str, Any], dict[str, list[float]], int]:
    """Quantise, and compress by meshoptimizer.

    Returns
    -------
    primitive : dict
    node : dict
        Scale and translation that take the quantised positions back.
    size : int
        Bytes of what is decoded.
    """
    import meshopt

    index, remap, count = meshopt.reorder_mesh(
        faces.ravel().astype(np.uint32), triangles=True, optsize=True
    )
    order = np.argsort(remap)[:count]
    attributes = {name: values[order] for name, values in attributes.items()}
    positions = attributes["POSITION"].astype(np.float64)
    low, steps = positions.min(axis=0), 2**POSITION_BITS - 1
    step = max(float(np.ptp(positions, axis=0).max()), 1e-30) / steps
    stored: _Attributes = {
        "POSITION": _padded(np.round((positions - low) / step).astype(np.uint16)),
        "NORMAL": meshopt.encode_filter_oct(
            np.pad(attributes["NORMAL"], ((0, 0), (0, 1))).astype(np.float32), 4, OCTAHEDRAL_BITS
        ),
    }
    if "TANGENT" in attributes:
        stored["TANGENT"] = meshopt.encode_filter_oct(attributes["TANGENT"], 4, OCTAHEDRAL_BITS)
    if "TEXCOORD_0" in attributes:
        most = 2**TEXTURE_BITS - 1
        places = np.round(attributes["TEXCOORD_0"].astype(np.float64) * most)
        stored["TEXCOORD_0"] = np.round(places * (65535 / most)).astype(np.uint16)
    if "COLOR_0" in attributes:
        stored["COLOR_0"] = attributes["COLOR_0"]
    end = 0

    def packed(values: npt.NDArray[Any], mode: str, **properties: Any) -> int:
        nonlocal end
        stride = values.nbytes // len(values)
        data = meshopt.encode_gltf_buffer(values, mode)
        buffer.data += bytes(-len(buffer.data) % 4)
        extension = {
            "buffer": 0, "byteOffset": len(buffer.data), "byteLength": len(data),
            "byteStride": stride, "count": len(values), "mode": mode, **properties,
        }  # fmt: skip
        buffer.data += data
        view = {"buffer": 1, "byteOffset": end, "byteLength": values.nbytes}
        if mode == "ATTRIBUTES":
            view |= {"byteStride": stride, "target": _VERTICES}
        else:
            view["target"] = _INDICES
        buffer.views.append({**view, "extensions": {MESHOPT: extension}})
        end += values.nbytes + -values.nbytes % 4
        return len(buffer.views) - 1

    accessors = {}
    for name, values in stored.items():
        unit = name in ("NORMAL", "TANGENT")
        view = packed(values, "ATTRIBUTES", **({"filter": "OCTAHEDRAL"} if unit else {}))
        shown = np.zeros((len(values), 4), np.int8) if unit else values
        if name in ("POSITION", "NORMAL"):
            shown = shown[:, :3]
        accessors[name] = buffer.accessor(shown, None, bounds=name == "POSITION")
        described = buffer.accessors[accessors[name]]
        described["bufferView"] = view
        if name == "POSITION":
            del described["normalized"]
        elif unit:
            described["normalized"] = True
    small = np.uint16 if count < 65535 else np.uint32
    corners = index.astype(small)
    indices = buffer.accessor(corners, None)
    buffer.accessors[indices]["bufferView"] = packed(corners, "TRIANGLES")
    buffer.data += bytes(-len(buffer.data) % 4)
    node = {"scale": [step] * 3, "translation": low.tolist()}
    return {"attributes": accessors, "indices": indices}, node, end


def _padded(values: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Three values to a row of eight bytes, for alignment."""
    return np.pad(values, ((0, 0), (0, 1)))


def encode(coloured: ColouredMesh, name: str, packing: Packing | None = None) -> bytes:
    """Make a GLB: Y up, centred, in the scale of what it was made from.

    With a texture the colours are in it; without, they are vertex colours, linear as glTF wants.
    Rough and not metallic, unless the texture's material says otherwise.
    A normal map comes with the tangents that it was made for.

    Parameters
    ----------
    coloured : ColouredMesh
    name : str
        Of the object, shown by viewers.
    packing : str, optional
        Of the geometry, by Draco or by meshoptimizer; readers then need its decoder.

    Raises
    ------
    ImportError
        The package meshopt is asked for and not installed.
    """
    buffer = _Buffer()
    texture = coloured.texture
    pick = slice(None) if texture is None else texture.vertices
    faces = coloured.mesh.faces if texture is None else texture.faces
    positions = y_up(coloured.positions)[pick]
    attributes = {"POSITION": positions, "NORMAL": y_up(coloured.normals)[pick]}
    material: dict[str, Any] = {
        "name": "surface",
        "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0},
    }
    physical = material["pbrMetallicRoughness"]
    document: dict[str, Any] = {}
    if texture is None:
        linear = np.round(srgb_to_linear(coloured.colors) * 65535).astype(np.uint16)
        opaque = np.full((len(linear), 1), 65535, np.uint16)
        rgba = np.concatenate([linear, opaque], axis=1)  # four, for alignment
        attributes["COLOR_0"] = rgba
    else:
        attributes["TEXCOORD_0"] = texture.uv
        physical["baseColorTexture"] = {"index": 0}
        physical["metallicFactor"] = texture.material.metallic
        physical["roughnessFactor"] = texture.material.roughness
        images = [texture.image]
        if texture.material.picture is not None:
            physical["metallicRoughnessTexture"] = {"index": len(images)}
            images.append(texture.material.picture)
        if texture.normal_map is not None:
            material["normalTexture"] = {"index": len(images)}
            images.append(texture.normal_map)
            # Without them three.js takes frames that are not upright, not glTF's default.
            found = tangents(coloured.mesh.vertices, coloured.normals, texture)
            attributes["TANGENT"] = np.concatenate([y_up(found[:, :3]), found[:, 3:]], axis=1)
        document = _pictures(buffer, images)
    node: dict[str, Any] = {"mesh": 0, "name": name}
    buffers: list[dict[str, Any]] = [{}]
    match packing:
        case "draco":
            primitive = _draco(buffer, attributes, faces)
            document["extensionsUsed"] = document["extensionsRequired"] = [DRACO]
        case "meshopt":
            primitive, scale, size = _meshopt(buffer, attributes, faces)
            node |= scale
            # What readers without the extension would read: nothing is there.
            buffers.append({"byteLength": size, "extensions": {MESHOPT: {"fallback": True}}})
            document["extensionsUsed"] = document["extensionsRequired"] = [MESHOPT, QUANTIZED]
        case None:
            primitive = _plain(buffer, attributes, faces)
    buffers[0]["byteLength"] = len(buffer.data)
    document |= {
        "asset": {
            "version": "2.0",
            "generator": "Gen3D",
            "extras": _way_back(coloured),
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [node],
        "meshes": [{"name": name, "primitives": [{**primitive, "material": 0}]}],
        "materials": [material],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": buffers,
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


def _way_back(coloured: ColouredMesh) -> dict[str, Any]:
    """What a GLB says of the frame of the splat or mesh that it was made from."""
    what, unit = "splat", "the splat's; its canonical frame is 1 on the longest side"
    if coloured.source == "mesh":
        what, unit = "source", "the source's"
    back = {
        "unit": unit,
        "scale": coloured.scale,
        f"{what}Center": [float(f"{c:.9g}") for c in coloured.frame.center],
    }
    if coloured.up in _TURNED:
        back[f"{what}Turned"] = f"{_TURNED[coloured.up]}, before all that follows"
    return {**back, f"{what}ToMesh": f"scale · ((x, y, z) - {what}Center) → (x, z, -y)"}
