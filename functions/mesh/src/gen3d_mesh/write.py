"""Write a coloured mesh as OBJ, STL and PLY, and in every other format by its ending.

GLB, USDZ and OBJ are Y up, as their readers expect; STL, PLY and 3MF are Z up, as printers,
scanners and the splat are.
"""

import io
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gen3d_mesh import glb
from gen3d_mesh.coloured_mesh import ROUGH, ColouredMesh, Texture, y_up
from gen3d_mesh.endings import FORMATS, ending_of, extra, needed
from gen3d_mesh.place import sized

PRINTED = 100.0
"""Millimetres along the longest side of a 3MF of which nobody said how large it is."""

_METRES = ("glb", "draco.glb", "meshopt.glb", "usdz")
"""Formats whose unit is the metre; a printer's, and OBJ's and PLY's here, is the millimetre."""

PRINTED_ENDINGS = ("stl", "3mf")
"""Formats that are printed, whose readers take a number without a unit for millimetres."""

_MODE = 0o100644
"""Of a file in a ZIP: everybody may read it."""


def obj(coloured: ColouredMesh) -> bytes:
    """Wavefront OBJ with sRGB colours behind the positions, a common extension."""
    vertices = np.concatenate([y_up(coloured.positions), coloured.colors], axis=1)
    corners = np.repeat(coloured.mesh.faces + 1, 2, axis=1)
    return b"".join(
        [
            b"# Gen3D; Y up; vertex colours are sRGB\n",
            _lines("v %.9g %.9g %.9g %.4f %.4f %.4f\n", vertices),
            _lines("vn %.4f %.4f %.4f\n", y_up(coloured.normals)),
            _lines("f %d//%d %d//%d %d//%d\n", corners),
        ]
    )


def archive(coloured: ColouredMesh) -> bytes:
    """ZIP of an OBJ with its material and, where there is one, its texture."""
    files = (
        {"mesh.obj": obj(coloured)}
        if coloured.texture is None
        else _textured(coloured, coloured.texture)
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for inner, data in files.items():
            entry = zipfile.ZipInfo(inner)
            entry.external_attr = _MODE << 16  # else nobody but its owner can read it
            file.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _textured(coloured: ColouredMesh, texture: Texture) -> dict[str, bytes]:
    # Corners name a position and normal, which charts share, and a place in the picture.
    corners = np.stack([texture.vertices[texture.faces], texture.faces], axis=2) + 1
    mesh = [
        b"# Gen3D; Y up\nmtllib mesh.mtl\nusemtl surface\n",
        _lines("v %.9g %.9g %.9g\n", y_up(coloured.positions)),
        _lines("vn %.4f %.4f %.4f\n", y_up(coloured.normals)),
        _lines("vt %.5f %.5f\n", texture.uv * (1, -1) + (0, 1)),
        _lines("f %d/%d/%d %d/%d/%d %d/%d/%d\n", corners[:, :, [0, 1, 0]]),
    ]
    material = b"newmtl surface\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd mesh.jpg\n"
    files = {"mesh.obj": b"".join(mesh), "mesh.jpg": glb.jpeg(texture.image)}
    if texture.normal_map is not None:
        # MTL knows heights alone: three.js and assimp read the one, Blender and Godot the other.
        material += b"norm mesh_normal.jpg\nmap_Bump mesh_normal.jpg\n"
        files["mesh_normal.jpg"] = glb.jpeg(texture.normal_map)
    if texture.material != ROUGH:
        # The extension of MTL that Blender and assimp know: a grey picture, or a number, for each.
        for name, value, channel in (
            ("r", texture.material.roughness, 1),
            ("m", texture.material.metallic, 2),
        ):
            if texture.material.picture is None:
                material += f"P{name} {value:.4g}\n".encode()
            else:
                file = f"mesh_{'roughness' if name == 'r' else 'metallic'}.jpg"
                material += f"P{name} 1\nmap_P{name} {file}\n".encode()
                files[file] = glb.jpeg(texture.material.shown(channel))
    return {**files, "mesh.mtl": material}


def _lines(line: str, rows: npt.NDArray[Any]) -> bytes:
    return ((line * len(rows)) % tuple(rows.ravel().tolist())).encode()


def stl(coloured: ColouredMesh) -> bytes:
    """Binary STL, Z up."""
    corners = coloured.positions[coloured.mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    row = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows = np.zeros(len(corners), row)
    rows["normal"], rows["corners"] = normals, corners
    header = b"Gen3D; Z up".ljust(80, b"\0")
    return header + np.uint32(len(rows)).tobytes() + rows.tobytes()


def ply(coloured: ColouredMesh) -> bytes:
    """Binary PLY, Z up, with normals and sRGB colours."""
    names = ("x", "y", "z", "nx", "ny", "nz")
    colors = ("red", "green", "blue")
    row = np.dtype([(n, "<f4") for n in names] + [(c, "u1") for c in colors])
    vertices = np.empty(len(coloured.positions), row)
    for k, n in enumerate(names):
        vertices[n] = (coloured.positions if k < 3 else coloured.normals)[:, k % 3]
    for k, c in enumerate(colors):
        vertices[c] = np.round(coloured.colors[:, k] * 255)
    faces = np.empty(len(coloured.mesh.faces), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    faces["count"], faces["corners"] = 3, coloured.mesh.faces
    header = [
        "ply",
        "format binary_little_endian 1.0",
        "comment Gen3D; Z up; colours are sRGB",
        f"element vertex {len(vertices)}",
        *(f"property float {n}" for n in names),
        *(f"property uchar {c}" for c in colors),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    return "\n".join(header).encode() + vertices.tobytes() + faces.tobytes()


def encode(coloured: ColouredMesh, ending: str, name: str) -> bytes:
    """Make the file of one of `FORMATS`.

    Raises
    ------
    NotInstalled
        Its library is an extra that is not there.
    """
    match ending:
        case "glb":
            return glb.encode(coloured, name)
        case "draco.glb":
            return glb.encode(coloured, name, "draco")
        case "meshopt.glb":
            with extra(*needed(ending)):
                return glb.encode(coloured, name, "meshopt")
        case "zip":
            return archive(coloured)
        case "obj":
            return obj(coloured)
        case "stl":
            return stl(coloured)
        case "ply":
            return ply(coloured)
        case "3mf":
            with extra(*needed(ending)):
                from gen3d_mesh import threemf

                return threemf.encode(coloured, name)
        case "usdz":
            with extra(*needed(ending)):
                from gen3d_mesh import usdz

                return usdz.encode(coloured, name)
    raise ValueError(f"{ending!r} is none of {', '.join(FORMATS)}")


def save(coloured: ColouredMesh, path: Path, name: str, millimetres: float | None = None) -> None:
    """Write one file, in the format of its ending.

    Parameters
    ----------
    coloured : ColouredMesh
    path : pathlib.Path
    name : str
        Of the object.
    millimetres : float, optional
        Its longest side. Without it a file has the splat's units, which GLB and USDZ call metres;
        only a 3MF, which has no other units than a printer's, is `PRINTED` then.
    """
    ending = ending_of(path) or path.suffix
    if ending == "3mf":
        millimetres = millimetres or PRINTED
    if millimetres is not None:
        coloured = sized(coloured, millimetres / (1000 if ending in _METRES else 1))
    put(path, encode(coloured, ending, name))


def put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: what was there before stays until the new one is.

    Raises
    ------
    OSError
        It cannot be written; `filename` is the file that was asked for.
    """
    there = path.resolve()  # or a link would become a file
    beside = there.with_name(f".{os.getpid()}.part")
    try:
        if there.exists() and not there.is_file():  # a device or pipe, which nothing can replace
            there.write_bytes(data)
            return
        try:
            beside.write_bytes(data)
            if there.exists():
                shutil.copymode(there, beside)
            beside.replace(there)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
