"""Read a .ksplat, the packed splat of GaussianSplats3D.

By ourselves: GaussForge 0.6.0, which unpacks the other formats, reads a compressed one rightly
only where it is smaller than one block (five units), and not at all one with harmonics of the first
degree. The layout is that of GaussianSplats3D 0.4.7, `SplatBuffer`. The file is hostile until read:
every section is held against the file's size before anything is allocated.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # noqa: TID251  the rows of a structured array

import numpy as np
import numpy.typing as npt

from gen3d.errors import InvalidSplat
from gen3d.ply import SH_C0
from gen3d_mesh.splat import MAX_GAUSSIANS, sample
from gen3d_mesh.splat_ply import Columns

VERSION = b"\0\1"
"""0.1, as the file begins; of another one nothing is known."""

DAMAGED = "The .ksplat is cut off or damaged: it cannot be read. Send it or save it again."

_HEADER, _SECTION = 4096, 1024
_BUCKET = 12
"""Bytes of a bucket: its centre."""

_RANGE = 32767
"""Of a packed coordinate, either side of the bucket's centre, where a section does not say."""

_FLOATS = [("center", "<f4", 3), ("scale", "<f4", 3), ("rotation", "<f4", 4), ("color", "u1", 4)]
_HALVES = [("center", "<u2", 3), ("scale", "<f2", 3), ("rotation", "<f2", 4), ("color", "u1", 4)]
_ROWS = {0: (_FLOATS, 4), 1: (_HALVES, 2), 2: (_HALVES, 1)}
"""By the level of compression: a gaussian's fields, and bytes of each number of its harmonics."""

_HARMONICS = {0: 0, 1: 9, 2: 24, 3: 45}
"""Numbers of a gaussian's harmonics, by their degree; the third is GaussForge's."""


@dataclass(frozen=True)
class _Section:
    """Gaussians of one degree, in buckets around whose centres they are packed.

    Attributes
    ----------
    rows : (n,) structured array
        On the file.
    ends : (b,) int64
        Of each bucket, counted in gaussians.
    centers : (b, 3) float32
        Of the buckets.
    step : float
        Of a packed coordinate.
    range : int
        What is packed as 0 lies so many steps before the centre.
    """

    rows: npt.NDArray[Any]
    ends: npt.NDArray[np.int64]
    centers: npt.NDArray[np.float32]
    step: float
    range: int


def count_of(path: Path) -> int:
    """How many gaussians a file says that it holds.

    Raises
    ------
    InvalidSplat
        It is cut off, or of another version.
    """
    with path.open("rb") as file:
        start = file.read(20)
    if len(start) < 20 or not start.startswith(VERSION):
        raise InvalidSplat(DAMAGED)
    return int(struct.unpack_from("<I", start, 16)[0])


def read_ksplat(path: Path) -> Columns:
    """Read a file's gaussians, or a sample of `MAX_GAUSSIANS`.

    Parameters
    ----------
    path : pathlib.Path
        Of any level of compression, whose number of gaussians was checked.

    Returns
    -------
    Columns
        As a PLY has them.

    Raises
    ------
    InvalidSplat
        It is cut off, or its parts do not fit each other.
    """
    count = count_of(path)
    data = np.memmap(path, np.uint8, "r")
    sections = list(_sections(data))
    if sum(len(section.rows) for section in sections) != count:
        raise InvalidSplat(DAMAGED)
    taken = sample(count, MAX_GAUSSIANS) if count > MAX_GAUSSIANS else np.arange(count)
    parts, first = list[Columns](), 0
    for section in sections:
        low, high = np.searchsorted(taken, [first, first + len(section.rows)])
        parts.append(_columns(section, taken[low:high] - first))
        first += len(section.rows)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _sections(data: npt.NDArray[np.uint8]) -> Iterator[_Section]:
    if len(data) < _HEADER:
        raise InvalidSplat(DAMAGED)
    most = int(data[4:8].view("<u4")[0])
    level = int(data[20:22].view("<u2")[0])
    place = _HEADER + _SECTION * most
    if level not in _ROWS or place > len(data):
        raise InvalidSplat(DAMAGED)
    for start in range(_HEADER, place, _SECTION):
        numbers = [int(number) for number in data[start : start + 40].view("<u4")]
        count, room, size, buckets, _, _, span, _, full, partial = numbers
        block = float(data[start + 16 : start + 20].view("<f4")[0])
        degree = int(data[start + 40 : start + 42].view("<u2")[0])
        stored = int(data[start + 20 : start + 22].view("<u2")[0])
        fields, each = _ROWS[level]
        harmonics = each * _HARMONICS.get(degree, 0)
        row = np.dtype([*fields, *([("harmonics", "u1", harmonics)] if harmonics else [])])
        lengths = place + 4 * partial
        rows = lengths + stored * buckets
        end = rows + row.itemsize * room
        fits = degree in _HARMONICS and count <= room and end <= len(data)
        if level > 0:
            fits = fits and stored == _BUCKET and full + partial == buckets
        if not fits:
            raise InvalidSplat(DAMAGED)
        ends, centers = np.zeros(0, np.int64), np.zeros((0, 3), np.float32)
        if level > 0:
            each_full = size * np.arange(1, full + 1, dtype=np.int64)
            others = data[place:lengths].view("<u4").astype(np.int64)
            ends = np.concatenate([each_full, size * full + np.cumsum(others)])
            centers = data[lengths:rows].view("<f4").reshape(-1, 3)
            if count > (ends[-1] if buckets else 0):
                raise InvalidSplat(DAMAGED)
        span = span or _RANGE
        whole = data[rows : rows + row.itemsize * count].view(row)
        yield _Section(whole, ends, centers, block / 2 / span, span)
        place = end


def _columns(section: _Section, taken: npt.NDArray[np.int64]) -> Columns:
    rows = section.rows[taken]
    share = rows["color"].astype(np.float32) / np.float32(255)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # whatever the file holds
        places = rows["center"].astype(np.float32)
        if len(section.ends):
            buckets = np.searchsorted(section.ends, taken, side="right")
            offsets = (places - np.float32(section.range)) * np.float32(section.step)
            places = section.centers[buckets] + offsets
        scales = np.log(rows["scale"].astype(np.float32))
        opacity = np.log(share[:, 3]) - np.log1p(-share[:, 3])
    harmonics = (share[:, :3] - np.float32(0.5)) / np.float32(SH_C0)
    rotations = rows["rotation"].astype(np.float32)
    columns = {name: places[:, k] for k, name in enumerate("xyz")}
    columns |= {f"f_dc_{k}": harmonics[:, k] for k in range(3)}
    columns |= {f"scale_{k}": scales[:, k] for k in range(3)}
    columns |= {f"rot_{k}": rotations[:, k] for k in range(4)}
    return {**columns, "opacity": opacity}
