"""Read a mesh that somebody else made, by trimesh (the extra ``meshes``).

Of the libraries that read GLB, trimesh alone keeps the corners of Draco's and those of a textured
mesh as they are; what it takes wrongly or for zeros is known by the GLB's JSON, and refused by name
(README, "Meshes from elsewhere"). All materials become one picture.
"""

import io
import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from gen3d.errors import InvalidMesh
from gen3d_mesh.coloured_mesh import ROUGH, Material, linear_to_srgb, srgb_to_linear
from gen3d_mesh.kinds import HEAD, Kind
from gen3d_mesh.splat import Floats, Up

MAX_FACES = 5_000_000
"""Of a mesh that is read; decimating so many takes a minute and two gigabytes."""

MAX_SIDE = 8192
"""Texels along a picture's edge."""

PLAIN = 0.8
"""The grey, in sRGB, of what has no colour."""

MOST_TILES = 4
"""So often a picture is laid beside itself for faces that repeat it; beyond, its mean colour."""

BESIDE = 8
"""Texels between pictures that lie in one."""

Image8: TypeAlias = npt.NDArray[np.uint8]

_TYPES: dict[Kind, str] = {"GLB": "glb", "glTF": "gltf", "OBJ": "obj", "PLY": "ply", "STL": "stl"}
_UPS: dict[Kind, Up] = {"GLB": "y", "glTF": "y", "OBJ": "y", "PLY": "z", "STL": "z"}

_PACKINGS = {
    "EXT_meshopt_compression": "npx @gltf-transform/cli cp IN.glb out.glb",
    "KHR_meshopt_compression": "the tool that wrote it, or gltfpack without -c",
    "KHR_mesh_quantization": "npx @gltf-transform/cli dequantize IN.glb out.glb",
    "KHR_texture_basisu": "npx @gltf-transform/cli ktxdecompress IN.glb out.glb",
}
"""Extensions of glTF that trimesh 5.2 reads wrongly or not, and how a file goes without them."""

_MEANT = "GEN3D_meant"
"""Says, in a primitive that is handed to trimesh, what 5.2 passes over: which values of 0 to 1 are
stored as integers, of which it keeps colours' low byte and places raw, and how a picture lies."""

_FLOAT = 5126
_COMPONENTS = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, _FLOAT: 4}
_PARTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_PACKED_MOST = 8
"""Vertices in a byte of a file that is packed."""

_STAND_IN = (2, 2)
"""Texels of the white picture that trimesh takes where an OBJ's material is not there."""


@dataclass(frozen=True)
class SourceMesh:
    """A mesh as it was read; nothing is promised of how its faces meet.

    Attributes
    ----------
    vertices : (n, 3) float64
        In the file's own frame.
    faces : (m, 3) int32
    uv : (m, 3, 2) float32 or None
        Of each face's corners in `image`, v from the top as in glTF.
    image : (h, w, 3) uint8 or None
        sRGB.
    colors : (n, 3) float32
        sRGB in [0, 1], where there is no picture.
    material : Material
        Where `read_mesh` was asked for it.
    normal_map : (h, w, 3) uint8 or None
        Likewise.
    format : str
    up : Up
        The axis that points to the sky by the format's own custom.
    notes : tuple of str
        What was left out, in sentences.
    """

    vertices: npt.NDArray[np.float64]
    faces: npt.NDArray[np.int32]
    uv: Floats | None
    image: Image8 | None
    colors: Floats
    format: str
    up: Up
    notes: tuple[str, ...] = ()
    material: Material = ROUGH
    normal_map: Image8 | None = None


@dataclass(frozen=True)
class _Part:
    """Faces of one material."""

    vertices: npt.NDArray[np.float64]
    faces: npt.NDArray[np.int64]
    uv: Floats | None
    image: Image8 | None
    colors: Floats
    material: Material = ROUGH
    normal_map: Image8 | None = None


def read_mesh(path: Path, kind: Kind, *, maps: bool = False) -> SourceMesh:
    """Read a mesh.

    Parameters
    ----------
    path : pathlib.Path
        A GLB, a glTF or an OBJ with what lies beside it, a PLY with faces, or an STL.
    kind : Kind
        As `gen3d_mesh.kinds.kind_of` tells it.
    maps : bool
        Keep the material and the normal map of a mesh of one material, too, and not its colour
        alone.

    Raises
    ------
    ImportError
        trimesh is not installed.
    InvalidMesh
        Damaged, without triangles, packed in a way that is not read, or too large.
    """
    import trimesh
    from trimesh.exchange.gltf.extensions import register_handler

    look_before(path, kind)
    try:
        register_handler(_MEANT, scope="primitive_preprocess")(_as_meant)
        scene = trimesh.load_scene(
            _opened(path, kind),
            file_type=_TYPES[kind],
            resolver=trimesh.resolvers.FilePathResolver(path),
            process=False,
        )
        notes: list[str] = []
        linear = kind in ("GLB", "glTF")
        meshes = [mesh for mesh in _placed(scene) if len(mesh.faces)]
        kept = maps and len(meshes) == 1
        parts = [_part(mesh, notes, linear=linear, maps=kept) for mesh in meshes]
    except InvalidMesh:
        raise
    except MemoryError:
        raise InvalidMesh(f"The {kind} takes more memory to read than there is.") from None
    except Exception:  # a reader of strangers' files: it raises whatever comes to it
        raise InvalidMesh(_damaged(kind)) from None
    if not parts:
        raise InvalidMesh(f"The {kind} has no triangles: no mesh, or lines and points alone.")
    return _joined([_checked(part, kind) for part in parts], kind, notes)


def _damaged(kind: Kind) -> str:
    return f"The {kind} is cut off or damaged: it cannot be read. Send it or save it again."


def look_before(path: Path, kind: Kind) -> None:
    """Refuse what promises more than the file holds, or holds what is not read.

    No library of the extra ``meshes`` is asked.

    Raises
    ------
    InvalidMesh
    """
    size = path.stat().st_size
    if kind == "PLY":
        with path.open("rb") as file:
            header, end, _ = file.read(HEAD).partition(b"end_header")
        counts = [int(n[:12]) for n in re.findall(rb"\n\s*element\s+\S+\s+(\d+)", header)]
        if not end or sum(counts) > size:
            raise InvalidMesh(_damaged(kind))
    elif kind in ("GLB", "glTF"):
        try:
            document = _document(path, kind)
            if "KHR_gaussian_splatting" in document.get("extensionsUsed", []):
                raise InvalidMesh(
                    f"The {kind} holds a splat (KHR_gaussian_splatting) in a mesh's place."
                )
            for name, way in _PACKINGS.items():
                if name in document.get("extensionsRequired", []):
                    raise InvalidMesh(f"The {kind} is packed by {name}, which is not read. "
                                      f"Write it without: {way}")  # fmt: skip
            _check_accessors(document, size, beside=kind == "glTF")
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise InvalidMesh(_damaged(kind)) from None


def _document(path: Path, kind: Kind) -> dict[str, Any]:
    with path.open("rb") as file:
        if kind == "glTF":
            return dict(json.load(file))
        head = file.read(20)
        if len(head) < 20:
            raise ValueError("short")
        _, version, total, length, chunk = struct.unpack("<4sIII4s", head)
        if version != 2 or chunk != b"JSON" or max(total, length) > path.stat().st_size:
            raise ValueError("short")
        return dict(json.loads(file.read(length)))


def _opened(path: Path, kind: Kind) -> Path | io.BytesIO:
    """What trimesh is given: a glTF says what it means (`_MEANT`), where trimesh passes it over."""
    if kind not in ("GLB", "glTF"):
        return path
    document = _document(path, kind)
    said = False
    for mesh in document.get("meshes", []):
        for primitive in mesh["primitives"]:
            if meant := _meant(document, primitive):
                primitive.setdefault("extensions", {})[_MEANT] = meant
                said = True
    if not said:
        return path
    text = json.dumps(document).encode()
    if kind == "glTF":
        return io.BytesIO(text)
    text += b" " * (-len(text) % 4)
    with path.open("rb") as file:
        _, _, _, length = struct.unpack("<4sIII", file.read(16))
        file.seek(20 + length)
        rest = file.read()
    head = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(rest), len(text), b"JSON")
    return io.BytesIO(head + text + rest)


def _meant(document: dict[str, Any], primitive: dict[str, Any]) -> dict[str, Any]:
    material = document["materials"][primitive["material"]] if "material" in primitive else {}
    picture = material.get("pbrMetallicRoughness", {}).get("baseColorTexture", {})
    transform = picture.get("extensions", {}).get("KHR_texture_transform", {})
    name = f"TEXCOORD_{transform.get('texCoord', picture.get('texCoord', 0))}"
    attributes = primitive["attributes"]
    shares = [attributes[each] for each in ("COLOR_0", name) if each in attributes]
    stored = {document["accessors"][each]["componentType"] for each in shares}
    if stored <= {_FLOAT} and name == "TEXCOORD_0" and not transform:
        return {}
    return {"shares": shares, "places": name, "transform": transform}


def _as_meant(context: Any) -> None:
    """Give a primitive what it means, once trimesh has read its accessors."""
    accessors, attributes = context["accessors"], context["primitive"]["attributes"]
    meant = context["data"]
    for each in meant["shares"]:
        values = accessors[each]
        if values.dtype.kind == "u":
            accessors[each] = values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    if meant["places"] in attributes:
        uv = accessors[attributes[meant["places"]]]
        attributes["TEXCOORD_0"] = len(accessors)
        accessors.append(_laid(uv, meant["transform"]))


def _laid(uv: Floats, transform: dict[str, Any]) -> Floats:
    """Places in a picture that is moved by KHR_texture_transform, v from the top."""
    turn = float(transform.get("rotation", 0))
    cos, sin = np.cos(turn), np.sin(turn)
    scaled = uv * transform.get("scale", (1, 1))
    turned = scaled @ np.array([[cos, -sin], [sin, cos]])
    laid: Floats = (turned + transform.get("offset", (0, 0))).astype(np.float32)
    return laid


def _placed(scene: Any) -> Iterator[Any]:
    """A scene's meshes as its nodes have them, like trimesh's ``dump``, which forgets colours."""
    for mesh in scene.dump():
        if not hasattr(mesh, "faces"):
            continue
        visual = scene.geometry[mesh.metadata["name"]].visual
        if visual.kind == "texture" and "color" in visual.vertex_attributes:  # 5.2 copies no such
            mesh.visual.vertex_attributes["color"] = visual.vertex_attributes["color"]
        yield mesh


def _check_accessors(document: dict[str, Any], size: int, *, beside: bool) -> None:
    views = document.get("bufferViews", [])
    for accessor in document.get("accessors", []):
        count = int(accessor["count"])
        each = _COMPONENTS[accessor["componentType"]] * _PARTS[accessor["type"]]
        room = views[accessor["bufferView"]]["byteLength"] if "bufferView" in accessor else None
        if room is None:
            fits = beside or count <= _PACKED_MOST * size
        else:
            fits = count * each <= room and (beside or room <= size)
        if count < 0 or not fits:
            raise ValueError("more than there is")


def _part(mesh: Any, notes: list[str], *, linear: bool, maps: bool) -> _Part:
    """What is taken of one of trimesh's meshes, whose vertex colours glTF has linear."""
    visual = mesh.visual
    count = len(mesh.vertices)
    vertices = np.asarray(mesh.vertices, np.float64)
    faces = np.asarray(mesh.faces, np.int64)
    colors = np.full((count, 3), PLAIN, np.float32)
    if visual.kind != "texture":
        if visual.defined:
            colors = np.asarray(visual.vertex_colors, np.float32)[:, :3] / np.float32(255)
            colors = linear_to_srgb(colors) if linear else colors
        return _Part(vertices, faces, None, None, colors)
    material = visual.material
    physical = hasattr(material, "baseColorFactor")
    picture = material.baseColorTexture if physical else material.image
    shown = material.baseColorFactor if physical else material.diffuse
    if not physical and picture is not None and picture.size == _STAND_IN:
        picture, shown = None, None
    factor = np.ones(3, np.float32)
    if shown is not None:
        factor = np.asarray(shown, np.float32)[:3] / np.float32(255)
    if physical:
        for name in ("normalTexture", "metallicRoughnessTexture", "emissiveTexture"):
            left = not maps or name == "emissiveTexture"
            if left and getattr(material, name) is not None:
                _note(notes, f"Its {name} was left out: only the colour is kept.")
    if picture is not None and visual.uv is not None and len(visual.uv) == count:
        image = _pixels(picture)
        if physical and (factor < 1).any():  # a factor of glTF is linear
            light = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
            table = np.round(255 * linear_to_srgb(light[:, None] * factor)).astype(np.uint8)
            image = np.stack([table[image[..., k], k] for k in range(3)], axis=2)
        uv = np.asarray(visual.uv, np.float32) * (1, -1) + (0, 1)
        part = _Part(vertices, faces, uv.astype(np.float32), image, colors)
        return _whole(part, material) if physical and maps else part
    kept = getattr(visual, "vertex_attributes", {}).get("color")
    if kept is not None and len(kept) == count:
        return _Part(vertices, faces, None, None, linear_to_srgb(kept[:, :3] * factor))
    if not physical and visual.uv is not None and picture is None:
        _note(notes, "It has places in a picture, and no picture lies beside it.")
    if physical:
        factor = linear_to_srgb(factor)
    if shown is not None:
        colors = np.broadcast_to(factor, (count, 3)).astype(np.float32)
    return _Part(vertices, faces, None, None, colors)


def _whole(part: _Part, material: Any) -> _Part:
    """A part with what else its material says of the same places."""
    picture, relief = material.metallicRoughnessTexture, material.normalTexture
    metallic, rough = material.metallicFactor, material.roughnessFactor
    if picture is not None:  # what a factor is where a file names none
        metallic, rough = (1.0 if each is None else each for each in (metallic, rough))
    made = Material(
        metallic=ROUGH.metallic if metallic is None else float(np.clip(metallic, 0, 1)),
        roughness=ROUGH.roughness if rough is None else float(np.clip(rough, 0, 1)),
        picture=None if picture is None else _pixels(picture),
    )
    return replace(part, material=made, normal_map=None if relief is None else _pixels(relief))


def _note(notes: list[str], sentence: str) -> None:
    if sentence not in notes:
        notes.append(sentence)


def _pixels(picture: Any) -> Image8:
    if max(picture.size) > MAX_SIDE:
        raise InvalidMesh(
            f"A picture of the mesh has {picture.size[0]:,} × {picture.size[1]:,} texels; "
            f"{MAX_SIDE:,} along an edge are taken. Make it smaller."
        )
    return np.asarray(picture.convert("RGB"))


def _checked(part: _Part, kind: Kind) -> _Part:
    """Drop faces whose corners are nowhere, or not there."""
    faces = part.faces
    if len(faces) > MAX_FACES:
        raise InvalidMesh(
            f"The {kind} has {len(faces):,} faces; {MAX_FACES:,} are taken. Decimate it first."
        )
    if faces.min() < 0 or faces.max() >= len(part.vertices):
        raise InvalidMesh(_damaged(kind))
    finite = np.logical_and.reduce(np.isfinite(part.vertices), axis=1)
    if part.uv is not None:
        finite &= np.logical_and.reduce(np.isfinite(part.uv), axis=1)
    kept = faces[finite[faces].all(axis=1)]
    vertices = np.where(finite[:, None], part.vertices, 0)
    colors = np.clip(np.nan_to_num(part.colors), 0, 1)
    return replace(part, vertices=vertices, faces=kept, colors=colors)


def _joined(parts: list[_Part], kind: Kind, notes: list[str]) -> SourceMesh:
    """One mesh of several, and one picture of theirs."""
    start = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate([part.faces + n for part, n in zip(parts, start, strict=False)])
    if not len(faces):
        raise InvalidMesh(f"The {kind} has no faces whose places are numbers.")
    if len(faces) > MAX_FACES:
        raise InvalidMesh(
            f"The {kind} has {len(faces):,} faces; {MAX_FACES:,} are taken. Decimate it first."
        )
    image, uv = None, None
    if any(part.image is not None for part in parts):
        image, uv = _atlas(parts, notes)
    return SourceMesh(
        np.concatenate([part.vertices for part in parts]),
        faces.astype(np.int32),
        uv,
        image,
        np.concatenate([part.colors for part in parts]),
        kind,
        _UPS[kind],
        tuple(notes),
        parts[0].material,
        parts[0].normal_map,
    )


def _atlas(parts: list[_Part], notes: list[str]) -> tuple[Image8, Floats]:
    """All pictures in one, a plain one for what has none, and the corners' places in it."""
    pictures: list[Image8] = []
    known: dict[tuple[Any, ...], int] = {}
    which, corners = list[int](), list[Floats]()
    for part in parts:
        image, uv = _tiled(part, notes)
        key = (image.shape, hash(image.tobytes()))
        if key not in known:
            known[key] = len(pictures)
            pictures.append(image)
        which.append(known[key])
        corners.append(uv)
    if len(pictures) == 1:
        return pictures[0], np.concatenate(corners)
    image, place = _side_by_side(pictures)
    whole = np.array(image.shape[1::-1], np.float32)
    for n, (k, uv) in enumerate(zip(which, corners, strict=True)):
        corners[n] = ((place(k, uv)) / whole).astype(np.float32)
    return image, np.concatenate(corners)


def _tiled(part: _Part, notes: list[str]) -> tuple[Image8, Floats]:
    """A part's picture, as often beside itself as its faces repeat it, and their corners in it."""
    if part.image is None or part.uv is None:
        return _flat(part.colors.mean(axis=0)), np.full((len(part.faces), 3, 2), 0.5, np.float32)
    uv = part.uv[part.faces]
    if not len(uv) or (uv.min() >= -1e-3 and uv.max() <= 1 + 1e-3):
        return part.image, uv.clip(0, 1)
    uv = uv - np.floor(uv.min(axis=1, keepdims=True) + 1e-4)
    tiles = np.ceil(uv.reshape(-1, 2).max(axis=0) - 1e-3).clip(1).astype(int)
    if tiles.max() > MOST_TILES or (tiles * part.image.shape[1::-1]).max() > MAX_SIDE:
        _note(notes, "A picture repeats too often on a face to be kept: its mean colour is.")
        mean = part.image.reshape(-1, 3).mean(axis=0) / 255
        return _flat(mean), np.full(uv.shape, 0.5, np.float32)
    image = np.tile(part.image, (tiles[1], tiles[0], 1))
    return image, (uv / tiles).clip(0, 1).astype(np.float32)


def _flat(color: npt.NDArray[Any]) -> Image8:
    return np.full((BESIDE, BESIDE, 3), np.round(255 * color), np.uint8)


def _side_by_side(pictures: list[Image8]) -> tuple[Image8, Callable[[int, Floats], Floats]]:
    """Pictures on shelves, highest first, each with its edge drawn out around it.

    Returns
    -------
    image : (h, w, 3) uint8
    place : callable
        From a picture's number and places in [0, 1] to texels of `image`.
    """
    padded = [np.pad(each, ((BESIDE,) * 2, (BESIDE,) * 2, (0, 0)), "edge") for each in pictures]
    width = max(max(each.shape[1] for each in padded), int(sum(p.size // 3 for p in padded) ** 0.5))
    corner = np.zeros((len(padded), 2), int)
    x = y = shelf = 0
    for k in sorted(range(len(padded)), key=lambda k: -padded[k].shape[0]):
        height, across = padded[k].shape[:2]
        if x + across > width:
            x, y, shelf = 0, y + shelf, 0
        corner[k] = x, y
        x, shelf = x + across, max(shelf, height)
    image = np.zeros((y + shelf, width, 3), np.uint8)
    for k, each in enumerate(padded):
        left, top = corner[k]
        image[top : top + each.shape[0], left : left + each.shape[1]] = each
    if (most := max(image.shape)) > MAX_SIDE:
        share = MAX_SIDE / most
        size = (round(image.shape[1] * share), round(image.shape[0] * share))
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
    else:
        share = 1.0

    def place(k: int, uv: Floats) -> Floats:
        texels: Floats = (corner[k] + BESIDE + uv * pictures[k].shape[1::-1]) * share
        return texels

    return image, place
