"""Which kind of mesh a file is, told by its first bytes alone."""

import re
import struct
from pathlib import Path
from typing import Literal, TypeAlias

from gen3d_mesh.splat_gltf import is_gltf_splat

Kind: TypeAlias = Literal["GLB", "glTF", "OBJ", "PLY", "STL"]

HEAD = 64 * 1024
"""Bytes of a file by which it is known."""


def kind_of(path: Path) -> Kind | None:
    """Which kind of mesh a file is, by its first bytes; None where it is none, or a splat."""
    with path.open("rb") as file:
        start = file.read(HEAD)
    size = path.stat().st_size
    if start.startswith(b"glTF"):
        return None if is_gltf_splat(path) else "GLB"
    if start.startswith(b"ply"):
        header = start.partition(b"end_header")[0]
        faces = re.search(rb"\n\s*element\s+face\s+(\d+)", header)
        splat = re.search(rb"\n\s*property\s+\S+\s+(scale_0|f_dc_0|packed_position)\b", header)
        return "PLY" if faces and faces[1].strip(b"0") and not splat else None
    if size >= 84 and struct.unpack_from("<I", start, 80)[0] * 50 + 84 == size:
        return "STL"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"solid") and b"facet" in text:
        return "STL"
    if text.startswith(b"{") and b'"asset"' in text:
        # A SOG's meta.json may name its tool as a glTF does.
        return None if b'"means"' in text or is_gltf_splat(path) else "glTF"
    if not start.count(b"\0") and re.search(rb"(?m)^v[ \t]+\S+[ \t]+\S+[ \t]+\S+", start):
        return "OBJ"
    return None
