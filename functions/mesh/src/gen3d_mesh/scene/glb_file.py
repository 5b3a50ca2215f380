"""Read the GLBs that `gen3d_mesh.glb` writes, and join them to one, mesh by mesh as it is.

A library would decode and encode what is to stay as it is: trimesh drops tangents and compresses
pictures anew.
"""

import io
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any  # noqa: TID251  a document is whatever its JSON holds

import numpy as np
import numpy.typing as npt
from PIL import Image

from gen3d_mesh.scene.placing import Camera, Layout, Place
from gen3d_mesh.scene.similarity import Y_UP, Doubles, Similarity
from gen3d_mesh.splat import Floats

_COMPONENTS = {5126: np.float32, 5125: np.uint32, 5123: np.uint16}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}

PHOTO = "Photo"
"""The name of the photo's camera."""

_POINTS_AT = {
    "accessors": ("bufferView",),
    "images": ("bufferView",),
    "textures": ("source", "sampler"),
    "materials": (),
    "meshes": (),
    "samplers": (),
    "bufferViews": (),
}
"""The lists of a document that are joined, and what their entries point at by number."""

_LISTS = {"bufferView": "bufferViews", "source": "images", "sampler": "samplers"}


@dataclass(frozen=True)
class Surface:
    """A mesh as its GLB holds it: Y up.

    Attributes
    ----------
    positions, normals : (n, 3) float32
    faces : (m, 3) int64
    colors : (n, 3) float32 or None
        Linear; None where there is a picture.
    uv : (n, 2) float32 or None
    picture : (h, w, 3) uint8 or None
        sRGB.
    """

    positions: Floats
    normals: Floats
    faces: npt.NDArray[np.int64]
    colors: Floats | None
    uv: Floats | None
    picture: npt.NDArray[np.uint8] | None


@dataclass(frozen=True)
class Glb:
    """A GLB of one mesh, taken apart."""

    document: dict[str, Any]
    binary: bytes

    @classmethod
    def read(cls, data: bytes) -> "Glb":
        """Take a GLB of ours apart.

        Raises
        ------
        ValueError
            It is none, or compressed.
        """
        magic, version, _, length = struct.unpack_from("<4sIII", data)
        if magic != b"glTF" or version != 2:
            raise ValueError("This is no GLB.")
        document = json.loads(data[20 : 20 + length])
        if document.get("extensionsRequired") or len(document["meshes"]) != 1:
            raise ValueError("This is no plain GLB of one mesh.")
        return cls(document, data[28 + length :])

    def values(self, accessor: int) -> npt.NDArray[Any]:
        """An accessor's values: (n,) or (n, k)."""
        told = self.document["accessors"][accessor]
        view = self.document["bufferViews"][told["bufferView"]]
        kind, width = _COMPONENTS[told["componentType"]], _WIDTHS[told["type"]]
        start, count = view.get("byteOffset", 0), told["count"] * width
        flat = np.frombuffer(self.binary, kind, count, start)
        return flat if width == 1 else flat.reshape(-1, width)

    @property
    def canonical(self) -> Similarity:
        """From the mesh's frame to the canonical one of what it was made from."""
        told = self.document["asset"]["extras"]
        centre = told["splatCenter"] if "splatCenter" in told else told["sourceCenter"]
        back = Similarity.size(told["scale"]).then(Y_UP).inverse
        return back.then(Similarity.move(np.array(centre, np.float64)))

    @property
    def points_as_written(self) -> Floats:
        """The mesh's vertices in its own frame, (n, 3)."""
        return self.values(self._attributes["POSITION"])

    @property
    def points(self) -> Doubles:
        """The mesh's vertices in the canonical frame, (n, 3)."""
        return self.canonical(self.points_as_written)

    @property
    def surface(self) -> Surface:
        """What is to be drawn."""
        there = {name: self.values(number) for name, number in self._attributes.items()}
        colors = there.get("COLOR_0")
        return Surface(
            positions=there["POSITION"],
            normals=there["NORMAL"],
            faces=self.values(self._primitive["indices"]).astype(np.int64).reshape(-1, 3),
            colors=None if colors is None else (colors[:, :3] / 65535).astype(np.float32),
            uv=there.get("TEXCOORD_0"),
            picture=self._picture(),
        )

    @property
    def _primitive(self) -> dict[str, Any]:
        primitive: dict[str, Any] = self.document["meshes"][0]["primitives"][0]
        return primitive

    @property
    def _attributes(self) -> dict[str, int]:
        return dict(self._primitive["attributes"])

    def _picture(self) -> npt.NDArray[np.uint8] | None:
        colour = self.document["materials"][0]["pbrMetallicRoughness"].get("baseColorTexture")
        if colour is None:
            return None
        image = self.document["images"][self.document["textures"][colour["index"]]["source"]]
        view = self.document["bufferViews"][image["bufferView"]]
        data = self.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def join(glbs: Sequence[Glb], names: Sequence[str], layout: Layout) -> bytes:
    """Put the meshes of several GLBs into one, each a node where it stands, and the photo's camera.

    Accessors, pictures and materials are taken over byte for byte.

    Parameters
    ----------
    glbs : sequence of Glb
    names : sequence of str
        Of their objects, as the person named them.
    layout : Layout
        Places in the order of `glbs`.
    """
    document: dict[str, Any] = {name: [] for name in _POINTS_AT}
    binary = bytearray()
    nodes: list[dict[str, Any]] = []
    for glb, name, stands in zip(glbs, names, layout.places, strict=True):
        nodes.append({"name": name, "mesh": len(nodes), **_stood(glb, stands)})
        _append(document, binary, glb, name)
    camera = layout.camera
    nodes.append({"name": PHOTO, "camera": 0, **_node(camera.move)})
    document = {name: entries for name, entries in document.items() if entries} | {
        "asset": {
            "version": "2.0",
            "generator": "Gen3D",
            "extras": {"unit": "metre" if layout.metres else "of nobody's measure"},
        },
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "cameras": [_camera(camera, _near(layout))],
        "buffers": [{"byteLength": len(binary)}],
    }
    return _packed(document, bytes(binary))


def with_camera(glb: Glb, layout: Layout) -> bytes:
    """Put the photo's camera into the GLB of an object, whose mesh stays where it is.

    Parameters
    ----------
    glb : Glb
    layout : Layout
        Of this object alone.
    """
    camera, (place,) = layout.camera, layout.places
    seen = camera.move.then(glb.canonical.then(place.move).inverse)
    # What a camera sees does not change with its own size.
    node = {"name": PHOTO, "camera": 0, **_node(replace(seen, scale=1.0))}
    near = float(np.linalg.norm(seen.translation - glb.points_as_written.mean(axis=0))) / 100
    document = glb.document | {
        "nodes": [*glb.document["nodes"], node],
        "scenes": [{"nodes": [*glb.document["scenes"][0]["nodes"], len(glb.document["nodes"])]}],
        "cameras": [_camera(camera, max(near, 1e-6))],
    }
    return _packed(document, glb.binary)


def _camera(camera: Camera, near: float) -> dict[str, Any]:
    return {
        "name": PHOTO,
        "type": "perspective",
        "perspective": {
            "aspectRatio": camera.photo.width / camera.photo.height,
            "yfov": camera.vertical,
            "znear": near,
        },
    }


def _packed(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    return b"".join(
        [
            struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary)),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", len(binary), b"BIN\0"),
            binary,
        ]
    )


def _append(document: dict[str, Any], binary: bytearray, glb: Glb, name: str) -> None:
    before = {entry: len(document[entry]) for entry in _POINTS_AT}
    start = len(binary)
    binary += glb.binary[: glb.document["buffers"][0]["byteLength"]]
    binary += bytes(-len(binary) % 4)
    for entry, pointers in _POINTS_AT.items():
        for one in json.loads(json.dumps(glb.document.get(entry, []))):
            for pointer in pointers:
                one[pointer] += before[_LISTS[pointer]]
            document[entry].append(one)
    for view in document["bufferViews"][before["bufferViews"] :]:
        view["byteOffset"] = view.get("byteOffset", 0) + start
    for material in document["materials"][before["materials"] :]:
        for holder in (material["pbrMetallicRoughness"], material):
            for which, texture in holder.items():
                if which.endswith("Texture"):
                    texture["index"] += before["textures"]
    for mesh in document["meshes"][before["meshes"] :]:
        mesh["name"] = name
        for primitive in mesh["primitives"]:
            primitive["indices"] += before["accessors"]
            primitive["material"] += before["materials"]
            for attribute in primitive["attributes"]:
                primitive["attributes"][attribute] += before["accessors"]


def _stood(glb: Glb, stands: Place) -> dict[str, Any]:
    node = _node(glb.canonical.then(stands.move))
    return {**node, "extras": {"placed": stands.placed}}


def _node(move: Similarity) -> dict[str, Any]:
    node: dict[str, Any] = {
        "translation": move.translation.tolist(),
        "rotation": list(move.quaternion),
    }
    return node if move.scale == 1 else {**node, "scale": [move.scale] * 3}


def _near(layout: Layout) -> float:
    """A hundredth of how far the objects are: nothing of them is nearer."""
    eye = layout.camera.move.translation
    away = [float(np.linalg.norm(stands.move.translation - eye)) for stands in layout.places]
    return max(min(away), 1e-6) / 100
