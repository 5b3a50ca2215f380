"""Read a splat of glTF's: a GLB or glTF with Khronos' extension KHR_gaussian_splatting.

Its gaussians are points of meshes that nodes place, several of them maybe; their values are
activated and may be integers. Packed ones (SPZ in a GLB, meshoptimizer's) are refused by name. The
file is hostile until read: every accessor is held against the bytes there are before it is taken.
"""

import base64
import json
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any  # noqa: TID251  a document is whatever its JSON holds
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from gen3d.errors import InvalidSplat
from gen3d.ply import SH_C0
from gen3d_mesh.splat import MAX_GAUSSIANS, Floats, sample
from gen3d_mesh.splat_ply import Columns, check_count

EXTENSION = "KHR_gaussian_splatting"

_FAMILY = re.compile(rb'"[A-Z]+_[a-z_]*gaussian_splat')
"""How the names begin of this extension, of those that pack it, and of its drafts."""

_ATTRIBUTES = {
    "POSITION": 3,
    f"{EXTENSION}:ROTATION": 4,
    f"{EXTENSION}:SCALE": 3,
    f"{EXTENSION}:OPACITY": 1,
    f"{EXTENSION}:SH_DEGREE_0_COEF_0": 3,
}
"""What each gaussian has, and of how many numbers."""

_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
_KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5126: "<f4"}
_WAY = "Give the PLY, SPZ or SOG that it was made of, or write it anew without."

_SIMILAR = 1e-5
"""A node whose matrix is a turn, up to so much and a factor, leaves a gaussian's axes at right
angles."""

Doubles = npt.NDArray[np.float64]


def is_gltf_splat(path: Path) -> bool:
    """Whether a GLB's or glTF's document names an extension for splats."""
    size = path.stat().st_size
    if size < 20:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        end = size
        if text[:4] == b"glTF":
            end = min(size, 20 + int(struct.unpack_from("<I", text, 12)[0]))
        return _FAMILY.search(text, 0, end) is not None


def read_gltf(path: Path) -> tuple[Columns, int, tuple[str, ...]]:
    """Read the gaussians of all nodes of the scene, in its own frame.

    Parameters
    ----------
    path : pathlib.Path
        A GLB, or a glTF with what lies beside it.

    Returns
    -------
    columns : Columns
        As a PLY holds them, logits and logarithms, of `MAX_GAUSSIANS` at most.
    count : int
        Gaussians in the file.
    notes : tuple of str
        What was left out, in sentences.

    Raises
    ------
    InvalidSplat
        Packed, of a draft of the extension, or without what a gaussian needs.
    SplatTooLarge, EmptySurface
        See `check_count`.
    ValueError, and what else a document that is none of glTF's gives rise to
        Damaged.
    """
    file = _File.open(path)
    notes: list[str] = []
    splats = [_Gaussians.of(file, each, moves, notes) for each, moves in file.splats(notes)]
    if not splats:
        raise InvalidSplat(f"The {file.kind} names {EXTENSION}, and its scene has no splat.")
    count = sum(each.count for each in splats)
    check_count(count)
    rows = sample(count, MAX_GAUSSIANS) if count > MAX_GAUSSIANS else None
    parts, start = list[Columns](), 0
    for each in splats:
        of_it: npt.NDArray[np.int64] | slice = slice(None)
        if rows is not None:
            of_it = rows[(rows >= start) & (rows < start + each.count)] - start
        parts.append(each.columns(of_it))
        start += each.count
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return joined, count, tuple(dict.fromkeys(notes))


@dataclass(frozen=True)
class _File:
    """A document, and the bytes that its accessors lie in."""

    path: Path
    kind: str
    document: dict[str, Any]
    binary: int | None
    """Where the bytes of a GLB begin that are its first buffer's."""
    buffers: dict[int, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> "_File":
        """Read the document.

        Raises
        ------
        ValueError
            It is none, or cut off.
        """
        with path.open("rb") as file:
            if file.read(4) != b"glTF":
                file.seek(0)
                return cls(path, "glTF", dict(json.load(file)), None)
            version, total, length, chunk = struct.unpack("<III4s", file.read(16))
            if version != 2 or chunk != b"JSON" or max(total, length) > path.stat().st_size:
                raise ValueError("no whole GLB")
            document = dict(json.loads(file.read(length)))
            binary = file.read(8)[4:] == b"BIN\0"
            return cls(path, "GLB", document, 28 + length if binary else None)

    def splats(self, notes: list[str]) -> Iterator[tuple[dict[str, Any], Doubles]]:
        """The scene's primitives that are splats, and the matrices that place them, (4, 4)."""
        nodes = self.document.get("nodes", [])
        scenes = self.document.get("scenes", [])
        if scenes:
            roots = scenes[self.document.get("scene", 0)].get("nodes", [])
        else:
            children = {child for node in nodes for child in node.get("children", [])}
            roots = [n for n in range(len(nodes)) if n not in children]
        waiting, seen = [(n, np.eye(4)) for n in reversed(roots)], set[int]()
        while waiting:
            number, above = waiting.pop()
            if number in seen:
                raise ValueError("a node in two places")
            seen.add(number)
            node = nodes[number]
            matrix = above @ _matrix(node)
            waiting += [(n, matrix) for n in reversed(node.get("children", []))]
            if "mesh" not in node:
                continue
            for primitive in self.document["meshes"][node["mesh"]]["primitives"]:
                if any("gaussian_splat" in name for name in primitive.get("extensions", {})):
                    yield primitive, matrix
                else:
                    notes.append("What else its scene has beside the splat was left out.")

    def bytes_of(self, number: int) -> Any:
        """A buffer, mapped where it lies in a file."""
        if number not in self.buffers:
            uri = self.document["buffers"][number].get("uri")
            self.buffers[number] = self._buffer(number, uri)
        return self.buffers[number]

    def _buffer(self, number: int, uri: str | None) -> Any:
        if uri is None:
            if number or self.binary is None:
                raise ValueError("no bytes")
            return np.memmap(self.path, np.uint8, "r", self.binary)
        if uri.startswith("data:"):
            return np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
        folder = self.path.parent.resolve()
        there = (folder / unquote(uri)).resolve()
        if not there.is_relative_to(folder) or not there.is_file():
            raise InvalidSplat(
                f"The {self.kind}'s numbers lie in {uri[:60]!r}, which is not beside it. Put it "
                "there, or give a GLB, which holds all."
            )
        return np.memmap(there, np.uint8, "r")

    def values(self, number: int, width: int) -> npt.NDArray[Any]:
        """An accessor's values on the file, (n, width), not yet normalised.

        Raises
        ------
        InvalidSplat
            Packed, which is named.
        ValueError
            More than there is.
        """
        told = self.document["accessors"][number]
        if "sparse" in told:
            raise InvalidSplat(f"The {self.kind} has sparse accessors, which are not read. {_WAY}")
        if "bufferView" not in told:
            raise ValueError("no values")
        view = self.document["bufferViews"][told["bufferView"]]
        _refuse_packed(self.kind, view)
        kind = np.dtype(_KINDS[told["componentType"]])
        size = width * kind.itemsize
        data = self.bytes_of(view["buffer"])
        start, inside = view.get("byteOffset", 0), told.get("byteOffset", 0)
        length, step, count = view["byteLength"], view.get("byteStride", size), told["count"]
        whole = all(type(each) is int and each >= 0 for each in (start, inside, length, count))
        if (
            not whole
            or _WIDTHS[told["type"]] != width
            or not size <= step <= 252
            or start + length > len(data)
            or (count and inside + (count - 1) * step + size > length)
        ):
            raise ValueError("more than there is")
        return np.ndarray((count, width), kind, data, start + inside, (step, kind.itemsize))

    def is_normalised(self, number: int) -> bool:
        """Whether an accessor's integers are shares of the largest."""
        return bool(self.document["accessors"][number].get("normalized"))


def _refuse_packed(kind: str, holder: dict[str, Any]) -> None:
    for name in holder.get("extensions", {}):
        if "compression" in name:
            raise InvalidSplat(f"The {kind}'s splat is packed by {name}, which is not read. {_WAY}")


@dataclass(frozen=True)
class _Gaussians:
    """The gaussians of one primitive: their accessors, and the matrix that places them."""

    file: _File
    accessors: dict[str, int]
    matrix: Doubles
    linear: bool

    @classmethod
    def of(
        cls, file: _File, primitive: dict[str, Any], matrix: Doubles, notes: list[str]
    ) -> "_Gaussians":
        """Look at a primitive, and refuse what is not read."""
        _refuse_packed(file.kind, primitive)
        told = primitive["extensions"].get(EXTENSION, {})
        _refuse_packed(file.kind, told)
        attributes = primitive["attributes"]
        missing = [name for name in _ATTRIBUTES if name not in attributes]
        if missing:
            raise InvalidSplat(
                f"The {file.kind}'s splat has no attribute {', '.join(missing)}: it is of a draft "
                f"of {EXTENSION}, or packed. {_WAY}"
            )
        space = told.get("colorSpace", "srgb_rec709_display")
        if space not in ("srgb_rec709_display", "lin_rec709_display"):
            notes.append(f"Its colours are in {space[:40]!r}, and were taken for sRGB.")
        accessors = {name: attributes[name] for name in _ATTRIBUTES}
        made = cls(file, accessors, matrix, space == "lin_rec709_display")
        if len({len(file.values(n, _ATTRIBUTES[name])) for name, n in accessors.items()}) != 1:
            raise ValueError("attributes of several lengths")
        return made

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return len(self.file.values(self.accessors["POSITION"], 3))

    def columns(self, rows: npt.NDArray[np.int64] | slice) -> Columns:
        """Those `rows`, in the scene's frame, as a PLY has them."""
        places, rotations, scales, opacities, harmonics = (
            self._taken(name, rows) for name in _ATTRIBUTES
        )
        if self.linear:
            harmonics = _as_srgb(harmonics)
        centers: npt.NDArray[Any] = places
        if not np.array_equal(self.matrix, np.eye(4)):
            # In double precision: a scene of a globe's lies six million metres from its origin.
            centers = places.astype(np.float64) @ self.matrix[:3, :3].T + self.matrix[:3, 3]
            rotations, scales = _moved(rotations, scales, self.matrix[:3, :3])
        with np.errstate(divide="ignore", invalid="ignore"):
            logits = np.log(opacities / (1 - opacities))
            logs = np.log(scales)
        x, y, z, w = rotations.T
        return {
            **dict(zip("xyz", centers.T, strict=True)),
            **{f"f_dc_{k}": harmonics[:, k] for k in range(3)},
            "opacity": logits[:, 0],
            **{f"scale_{k}": logs[:, k] for k in range(3)},
            **{f"rot_{k}": each for k, each in enumerate((w, x, y, z))},
        }

    def _taken(self, name: str, rows: npt.NDArray[np.int64] | slice) -> Floats:
        number = self.accessors[name]
        stored = self.file.values(number, _ATTRIBUTES[name])[rows]
        values: Floats = stored.astype(np.float32)
        if stored.dtype.kind in "iu" and self.file.is_normalised(number):
            values = np.maximum(values / np.float32(np.iinfo(stored.dtype).max), np.float32(-1))
        return values


def _as_srgb(harmonics: Floats) -> Floats:
    """The first harmonics of a splat whose colours are linear, as if they were sRGB."""
    from gen3d_mesh.coloured_mesh import linear_to_srgb

    colors = np.clip(np.float32(0.5) + np.float32(SH_C0) * harmonics, 0, 1)
    moved: Floats = (linear_to_srgb(colors) - np.float32(0.5)) / np.float32(SH_C0)
    return moved


def _matrix(node: dict[str, Any]) -> Doubles:
    """A node's own transformation."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    if "rotation" in node:
        from scipy.spatial.transform import Rotation

        matrix[:3, :3] = Rotation.from_quat(node["rotation"]).as_matrix()
    matrix[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), np.float64).reshape(3)
    matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float64).reshape(3)
    return matrix


def _moved(quaternions: Floats, scales: Floats, matrix: Doubles) -> tuple[Floats, Floats]:
    """Quaternions, xyzw, and scales of gaussians that a node turns and stretches.

    A gaussian's covariance goes from ``C`` to ``M C Mᵀ`` (the extension, "Splat Reconstruction").
    """
    from scipy.spatial.transform import Rotation  # a fifth of a second, which few files need

    if not np.isfinite(matrix).all():
        raise ValueError("a place that is no number")
    length = np.linalg.norm(quaternions, axis=1, keepdims=True)
    usable = np.isfinite(length) & (length > 0)
    turns = Rotation.from_quat(np.where(usable, quaternions, (0, 0, 0, 1)))
    factor = float(np.cbrt(np.linalg.det(matrix)))
    if factor and np.abs(matrix.T @ matrix / factor**2 - np.eye(3)).max() < _SIMILAR:
        turns = Rotation.from_matrix(matrix / factor) * turns  # what it mirrors it turns
        scales = scales * np.float32(abs(factor))
    else:
        axes = matrix @ turns.as_matrix() * scales[:, None, :].astype(np.float64)
        spread, turned = np.linalg.eigh(np.nan_to_num(axes @ axes.transpose(0, 2, 1)))
        turned[np.linalg.det(turned) < 0, :, 0] *= -1
        turns = Rotation.from_matrix(turned)
        scales = np.sqrt(np.maximum(spread, 0)).astype(np.float32)
    return turns.as_quat().astype(np.float32), scales
