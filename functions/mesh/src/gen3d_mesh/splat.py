"""Read a gaussian splat from the PLY that 3D Gaussian Splatting defined.

The file is hostile until read: sizes are checked before anything is allocated.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gen3d.errors import EmptySurface, InvalidSplat, SplatTooLarge
from gen3d.ply import SH_C0

Floats = npt.NDArray[np.float32]

MAX_GAUSSIANS = 2_000_000
"""A third more than the largest that SAM 3D Objects can write (32 in each of 42,000 voxels)."""

MAX_BYTES = MAX_GAUSSIANS * 62 * 4
"""Of a file: with all harmonics of the third degree, as the reference code writes them."""

MAX_WORDS = 20_000_000
"""Of a file in ASCII, whose values take ten times as much memory while they are read."""

MAX_HEADER_BYTES = 64 * 1024

_SCALARS = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1",
    "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_FORMATS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_ESSENTIAL = (
    "x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity",
    "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3",
)  # fmt: skip
_DIGITS = re.compile("[0-9]{1,40}")
"""Of a count, however absurd: Python reads no integer of thousands of digits."""

_HINT = "Give a 3D Gaussian Splatting PLY."


@dataclass(frozen=True)
class Splat:
    """Gaussians with their activations applied.

    Attributes
    ----------
    centers : (n, 3) float32
    colors : (n, 3) float32
        sRGB in [0, 1].
    opacities : (n,) float32
        In [0, 1].
    scales : (n, 3) float32
        Standard deviations along the gaussian's own axes, in units of `centers`.
    rotations : (n, 4) float32
        Unit quaternions, wxyz; they take the gaussian's axes to the splat's frame.
    """

    centers: Floats
    colors: Floats
    opacities: Floats
    scales: Floats
    rotations: Floats

    def __len__(self) -> int:
        return len(self.centers)

    def take(self, index: npt.NDArray[Any]) -> "Splat":
        """Pick gaussians by a boolean mask or by indices."""
        return Splat(
            self.centers[index],
            self.colors[index],
            self.opacities[index],
            self.scales[index],
            self.rotations[index],
        )

    def thinned(self, most: int) -> "Splat":
        """A random sample of at most so many, each larger by what keeps the surface covered."""
        if len(self) <= most:
            return self
        sample = np.sort(np.random.default_rng(0).permutation(len(self))[:most])
        picked = self.take(sample)
        return replace(picked, scales=picked.scales * np.float32((len(self) / most) ** 0.5))


@dataclass(frozen=True)
class _Header:
    order: str
    count: int
    fields: list[tuple[str, str]]
    body: int


def read_splat(path: Path) -> Splat:
    """Read a splat and apply its activations.

    Attributes that are not needed (normals, higher spherical harmonics) are skipped. Opacities may
    be infinite; quaternions need not be normalised.

    Parameters
    ----------
    path : pathlib.Path
        A PLY, binary of either byte order or ASCII.

    Returns
    -------
    Splat

    Raises
    ------
    InvalidSplat
        Not a PLY, cut off, or without an attribute that a gaussian needs.
    SplatTooLarge
        More than `MAX_GAUSSIANS`.
    EmptySurface
        No gaussians at all.
    """
    header = _read_header(path)
    if header.count > MAX_GAUSSIANS:
        raise SplatTooLarge(
            f"The splat holds {header.count:,} gaussians; at most {MAX_GAUSSIANS:,} are taken. "
            "Prune it before you send it."
        )
    if header.count == 0:
        raise EmptySurface("The splat holds no gaussians. Try another photo or mask.")
    missing = [name for name in _ESSENTIAL if name not in dict(header.fields)]
    if missing:
        raise InvalidSplat(f"The PLY has no attribute {', '.join(missing)}. {_HINT}")
    return _activate(_read_body(path, header))


def _read_header(path: Path) -> _Header:
    with path.open("rb") as file:
        start = file.read(MAX_HEADER_BYTES)
    if not start.startswith(b"ply"):
        raise InvalidSplat(f"The file is not a PLY. {_HINT}")
    end = re.search(rb"\nend_header[ \t]*\r?\n", start)
    if end is None:
        raise InvalidSplat(f"The PLY's header has no end: the file is damaged. {_HINT}")

    order, count, fields = "", -1, list[tuple[str, str]]()
    for line in start[: end.start()].decode("ascii", "replace").splitlines()[1:]:
        match line.split():
            case ["format", name, *_]:
                order = _FORMATS.get(name, "")
            case ["element", "vertex", number] if count < 0 and _DIGITS.fullmatch(number):
                count = int(number)
            case ["element", *_] if count < 0:
                raise InvalidSplat(f"The PLY's first element is not its vertices. {_HINT}")
            case ["element", *_]:
                break  # whatever follows the gaussians is not read
            case ["property", kind, name] if kind in _SCALARS:
                fields.append((name, _SCALARS[kind]))
            case ["comment" | "obj_info", *_] | []:
                pass
            case _:
                raise InvalidSplat(f"The PLY's header has a line {line[:60]!r}. {_HINT}")
    if not order or count < 0 or len(dict(fields)) != len(fields):
        raise InvalidSplat(f"The PLY's header lacks a format or names a property twice. {_HINT}")
    return _Header(order, count, fields, end.end())


def _read_body(path: Path, header: _Header) -> dict[str, Floats]:
    names = [name for name, _ in header.fields]
    cut_off = InvalidSplat("The PLY is cut off or damaged: fewer values than announced.")
    if header.order == "=":
        if header.count * len(names) > MAX_WORDS:
            raise SplatTooLarge(
                f"The splat holds {header.count * len(names):,} values in ASCII; at most "
                f"{MAX_WORDS:,} are taken. Save it as a binary PLY."
            )
        room = path.stat().st_size - header.body
        if room < 2 * header.count * len(names) - 1:  # a digit and a blank a value
            raise cut_off
        words = path.read_bytes()[header.body :].split(maxsplit=header.count * len(names))
        try:
            table = np.array(words[: header.count * len(names)], dtype=np.float32)
            table = table.reshape(header.count, len(names))
        except ValueError:
            raise cut_off from None
        return {name: table[:, names.index(name)] for name in _ESSENTIAL}

    row = np.dtype([(name, header.order + kind) for name, kind in header.fields])
    if path.stat().st_size < header.body + header.count * row.itemsize:
        raise cut_off
    rows = np.memmap(path, row, "r", header.body, (header.count,))
    with np.errstate(over="ignore"):
        return {name: rows[name].astype(np.float32) for name in _ESSENTIAL}


def _activate(raw: dict[str, Floats]) -> Splat:
    def stack(stem: str, n: int) -> Floats:
        return np.stack([raw[f"{stem}_{k}"] for k in range(n)], axis=1)

    with np.errstate(over="ignore", invalid="ignore"):
        rotations = stack("rot", 4)
        norm = np.linalg.norm(rotations, axis=1, keepdims=True)
        usable = np.isfinite(norm) & (norm > 0)
        identity = np.array([1, 0, 0, 0], np.float32)
        return Splat(
            centers=np.stack([raw["x"], raw["y"], raw["z"]], axis=1),
            colors=np.clip(0.5 + SH_C0 * stack("f_dc", 3), 0, 1).astype(np.float32),
            opacities=(1 / (1 + np.exp(-raw["opacity"]))).astype(np.float32),
            scales=np.exp(stack("scale", 3)),
            rotations=np.where(usable, rotations / np.where(usable, norm, 1), identity),
        )
