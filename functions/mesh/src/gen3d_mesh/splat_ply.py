"""Read the PLY that 3D Gaussian Splatting defined, and its relatives.

The file is hostile until read: sizes are checked before anything is allocated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gen3d.errors import EmptySurface, InvalidSplat, SplatTooLarge
from gen3d.ply import SH_C0
from gen3d_mesh.splat import ANOTHER, MAX_GAUSSIANS, Floats, Splat, every, sample

MAX_READ = 50_000_000
"""Gaussians of a file, of which `MAX_GAUSSIANS` are taken."""

MAX_WORDS = 20_000_000
"""Of a file in ASCII, whose values take ten times as much memory while they are read."""

MAX_HEADER_BYTES = 64 * 1024

LEAST_OPACITY = 1 / 255
"""What is fainter is drawn by no renderer (Kerbl et al. 2023, the reference code)."""

THIN = 0.01
"""Thickness of a flat gaussian, as a share of its smaller width."""

FAR = 1000
"""An origin that lies so many times the splat's size away is taken off before float32."""

HINT = "Give a 3D Gaussian Splatting PLY."

_SCALARS = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1",
    "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_FORMATS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_DIGITS = re.compile("[0-9]{1,40}")
"""Of a count, however absurd: Python reads no integer of thousands of digits."""

_PLACE = ("x", "y", "z")
_SH, _RGB = ("f_dc_0", "f_dc_1", "f_dc_2"), ("red", "green", "blue")
_SCALES = ("scale_0", "scale_1", "scale_2")
_ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")

Columns = Mapping[str, npt.NDArray[Any]]
"""Properties of the gaussians by their names in a PLY, each (n,)."""


@dataclass
class Element:
    """One kind of rows in a PLY; `fields` pairs names with NumPy's types."""

    name: str
    count: int | None
    fields: list[tuple[str, str]] = field(default_factory=list)
    lists: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of its properties, in their order."""
        return tuple(name for name, _ in self.fields)


@dataclass(frozen=True)
class Header:
    """What a PLY says of itself.

    Attributes
    ----------
    order : str
        Of bytes, as NumPy spells it; "=" for ASCII.
    elements : list of Element
    body : int
        Bytes before the first row.
    """

    order: str
    elements: list[Element]
    body: int

    def element(self, name: str) -> Element | None:
        """The first element of a name."""
        return next((each for each in self.elements if each.name == name), None)

    @property
    def compressed(self) -> bool:
        """Whether it is SuperSplat's, which packs a gaussian in four integers."""
        vertices = self.element("vertex")
        return vertices is not None and "packed_position" in vertices.names


def read_header(path: Path) -> Header:
    """Read a PLY's header, as far as the vertices.

    Raises
    ------
    InvalidSplat
        It has no end, or is none.
    """
    with path.open("rb") as file:
        start = file.read(MAX_HEADER_BYTES)
    end = re.search(rb"\nend_header[ \t]*\r?\n", start)
    if end is None:
        raise InvalidSplat(f"The PLY's header has no end: the file is damaged. {HINT}")
    order, elements = "", list[Element]()
    for line in start[: end.start()].decode("ascii", "replace").splitlines()[1:]:
        match line.split():
            case ["format", name, *_]:
                order = _FORMATS.get(name, "")
            case ["element", name, *rest]:
                known = bool(rest) and _DIGITS.fullmatch(rest[0])
                elements.append(Element(name, int(rest[0]) if known else None))
            case ["comment" | "obj_info", *_] | []:
                pass
            case ["property", kind, name] if elements and kind in _SCALARS:
                elements[-1].fields.append((name, _SCALARS[kind]))
            case ["property", "list", _, _, _] if elements and elements[-1].name != "vertex":
                elements[-1].lists = True
            case _ if not any(each.name == "vertex" for each in elements[:-1]):
                raise InvalidSplat(f"The PLY's header has a line {line[:60]!r}. {HINT}")
            case _:
                pass  # of what follows the vertices
    vertices = Header(order, elements, 0).element("vertex")
    if vertices is None:
        raise InvalidSplat(f"The PLY has no vertices. {HINT}")
    if vertices.count is None:
        raise InvalidSplat(f"The PLY does not say how many vertices it has. {HINT}")
    if not order or len(dict(vertices.fields)) != len(vertices.fields):
        raise InvalidSplat(f"The PLY's header lacks a format or names a property twice. {HINT}")
    return Header(order, elements, end.end())


def read_ply(path: Path, header: Header) -> tuple[Splat, int]:
    """Read a splat's PLY and apply its activations.

    Taken are the reference code's layout with harmonics of any degree, flat gaussians of two
    scales (Huang et al. 2024, 2DGS), round ones of one, and RGB in the place of harmonics; other
    properties and elements are skipped. Opacities may be infinite; quaternions need not be
    normalised.

    Parameters
    ----------
    path : pathlib.Path
        Binary of either byte order, or ASCII.
    header : Header

    Returns
    -------
    splat : Splat
        Of at most `MAX_GAUSSIANS`: of more a sample is read, each larger for it.
    total : int
        Gaussians in the file.

    Raises
    ------
    InvalidSplat
        Cut off, without an attribute that a gaussian needs, or of something else than gaussians.
    SplatTooLarge
        More than `MAX_READ`.
    EmptySurface
        No gaussians at all, or all of them transparent.
    """
    vertices = header.element("vertex")
    assert vertices is not None
    assert vertices.count is not None
    count = vertices.count
    check_count(count)
    names = _needed(header, vertices)
    read = _read_ascii if header.order == "=" else _read_binary
    columns = read(path, header, vertices, names)
    return activate(columns, count), count


def check_count(count: int) -> None:
    """Refuse what nobody could take, before anything is allocated.

    Raises
    ------
    SplatTooLarge, EmptySurface
    """
    if count > MAX_READ:
        raise SplatTooLarge(
            f"The splat says that it holds {count:,} gaussians; at most {MAX_READ:,} are taken. "
            "Prune it before you send it."
        )
    if count == 0:
        raise EmptySurface(f"The splat holds no gaussians. {ANOTHER}")


def _needed(header: Header, vertices: Element) -> list[str]:
    """Names of the properties to read."""
    names = set(vertices.names)
    if not names & {*_SH, "opacity", "scale", *_SCALES, *_ROTATION}:
        faces = header.element("face")
        if faces is not None and faces.count:
            raise InvalidSplat(f"The PLY is a mesh already, of {faces.count:,} faces. {HINT}")
        if names >= set(_PLACE):
            raise InvalidSplat(
                "The PLY is a point cloud: its points have no scale, rotation and opacity. Give "
                "the splat that was trained on it."
            )
    color = _RGB if not names & set(_SH) and names >= set(_RGB) else _SH
    if "scale" in names and not names & set(_SCALES):
        scales: tuple[str, ...] = ("scale",)
    elif "scale_0" in names and not names & {"scale_1", "scale_2"}:
        scales = ("scale_0",)
    else:
        scales = _SCALES[:2] if "scale_2" not in names else _SCALES
    round_ones = len(scales) == 1 and not names & set(_ROTATION)
    needed = [*_PLACE, *color, "opacity", *scales, *(() if round_ones else _ROTATION)]
    missing = [name for name in needed if name not in names]
    if missing:
        raise InvalidSplat(f"The PLY has no attribute {', '.join(missing)}. {HINT}")
    return needed


_CUT_OFF = "The PLY is cut off or damaged: fewer values than announced."


def _before(header: Header, vertices: Element) -> list[Element]:
    """Elements that lie before the vertices, which have to be of a known length."""
    before = header.elements[: header.elements.index(vertices)]
    if any(each.lists or each.count is None for each in before):
        raise InvalidSplat(
            f"The PLY has lists before its vertices, {before[0].name!r} for one. "
            "Save it anew with the vertices as the first element."
        )
    return before


def _taken(count: int) -> Any:
    """Index of the rows that are taken."""
    return sample(count, MAX_GAUSSIANS) if count > MAX_GAUSSIANS else slice(None)


def _read_ascii(path: Path, header: Header, vertices: Element, names: list[str]) -> Columns:
    width, count = len(vertices.fields), vertices.count or 0
    skipped = sum((each.count or 0) * len(each.fields) for each in _before(header, vertices))
    values = count * width
    if skipped + values > MAX_WORDS:
        raise SplatTooLarge(
            f"The splat holds {skipped + values:,} values in ASCII; at most {MAX_WORDS:,} are "
            "taken. Save it as a binary PLY."
        )
    room = path.stat().st_size - header.body
    if room < 2 * (skipped + values) - 1:  # a digit and a blank a value
        raise InvalidSplat(_CUT_OFF)
    words = path.read_bytes()[header.body :].split(maxsplit=skipped + values)
    try:
        table = np.array(words[skipped : skipped + values], dtype=np.float64)
        table = table.reshape(count, width)
    except ValueError:
        raise InvalidSplat(_CUT_OFF) from None
    kinds, index = dict(vertices.fields), _taken(count)
    with np.errstate(over="ignore", invalid="ignore"):
        return {
            name: table[index, vertices.names.index(name)].astype(kinds[name]) for name in names
        }


def _read_binary(path: Path, header: Header, vertices: Element, names: list[str]) -> Columns:
    def row(element: Element) -> np.dtype[Any]:
        return np.dtype([(name, header.order + kind) for name, kind in element.fields])

    count = vertices.count or 0
    before = _before(header, vertices)
    start = header.body + sum((each.count or 0) * row(each).itemsize for each in before)
    if path.stat().st_size < start + count * row(vertices).itemsize:
        raise InvalidSplat(_CUT_OFF)
    rows = np.memmap(path, row(vertices), "r", start, (count,))
    kinds, index = dict(vertices.fields), _taken(count)
    return {name: rows[name][index].astype(kinds[name]) for name in names}


def activate(columns: Columns, count: int) -> Splat:
    """Gaussians from the properties of a PLY, which are logits and logarithms.

    Parameters
    ----------
    columns : Columns
        Of all gaussians, or of a sample.
    count : int
        Gaussians in the file.

    Raises
    ------
    EmptySurface
        All are transparent.
    InvalidSplat
        Nothing is finite, or the values are activated already.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        _check_logits(columns)
        centers, origin = _centers(columns)
        rotations = _stack(columns, _ROTATION)
        if rotations is None:
            rotations = np.zeros((len(centers), 4), np.float32)
        norm = np.linalg.norm(rotations, axis=1, keepdims=True)
        usable = np.isfinite(norm) & (norm > 0)
        identity = np.array([1, 0, 0, 0], np.float32)
        logits = columns["opacity"].astype(np.float32)
        splat = Splat(
            centers=centers,
            colors=_colors(columns),
            opacities=(1 / (1 + np.exp(-logits))).astype(np.float32),
            scales=_scales(columns),
            rotations=np.where(usable, rotations / np.where(usable, norm, 1), identity),
            origin=origin,
        )
    _check_visible(splat, count)
    return splat.grown(count / len(splat)) if len(splat) < count else splat


def _stack(columns: Columns, names: tuple[str, ...]) -> Floats | None:
    """Properties side by side, (n, k) float32, where they are there."""
    there = [columns[name] for name in names if name in columns]
    if not there:
        return None
    side_by_side: Floats = np.stack(there, axis=1).astype(np.float32)
    return side_by_side


def _centers(columns: Columns) -> tuple[Floats, tuple[float, float, float]]:
    """Centres as float32 holds them, and the origin that they are seen from."""
    places = np.stack([columns[name] for name in _PLACE], axis=1)
    if places.dtype.itemsize > 4 or places.dtype.kind in "iu":
        finite = places[np.isfinite(places).all(axis=1)].astype(np.float64)
        if len(finite):
            middle = np.median(finite, axis=0)
            size = float(np.median(np.abs(finite - middle).max(axis=1)))
            if np.abs(middle).max() > FAR * size:
                x, y, z = map(float, middle)
                return (places - middle).astype(np.float32), (x, y, z)
    return places.astype(np.float32), (0.0, 0.0, 0.0)


def _colors(columns: Columns) -> Floats:
    harmonics, rgb = _stack(columns, _SH), _stack(columns, _RGB)
    colors: Floats
    if harmonics is not None:
        colors = 0.5 + SH_C0 * harmonics
    else:
        assert rgb is not None
        kind = columns[_RGB[0]].dtype
        if kind.kind in "iu":
            most = 65535 if kind.itemsize == 2 else 255
        else:
            most = 255 if np.nanmax(rgb, initial=0) > 1 else 1
        colors = rgb / np.float32(most)
    return np.clip(colors, 0, 1).astype(np.float32)


def _scales(columns: Columns) -> Floats:
    logs = _stack(columns, ("scale", *_SCALES))
    assert logs is not None
    scales = np.exp(logs)
    if scales.shape[1] == 1:
        scales = np.repeat(scales, 3, axis=1)
    elif scales.shape[1] == 2:
        scales = np.concatenate([scales, np.zeros_like(scales[:, :1])], axis=1)
    flat = (scales == 0).sum(axis=1) == 1  # two scales, or a third of minus infinity
    if flat.any():
        thin = THIN * np.sort(scales[flat], axis=1)[:, 1:2]
        scales[flat] = np.where(scales[flat] == 0, thin, scales[flat])
    return scales


def _check_logits(columns: Columns) -> None:
    opacity = columns["opacity"]
    logs = [columns[name] for name in ("scale", *_SCALES) if name in columns]
    linear = all((each > 0).all() for each in logs) and any((each < 1).any() for each in logs)
    if linear and ((opacity >= 0) & (opacity <= 1)).all():
        raise InvalidSplat(
            "The splat's values are activated already: opacities between 0 and 1, and scales "
            "above 0. A 3D Gaussian Splatting PLY holds their logits, log(p / (1 - p)), and "
            "natural logarithms: save it so."
        )


def _check_visible(splat: Splat, count: int) -> None:
    finite = every(np.isfinite(splat.centers)) & every(np.isfinite(splat.scales))
    if not finite.any():
        raise InvalidSplat(
            f"None of the {count:,} gaussians has a place and a size that are numbers: the file "
            "is damaged."
        )
    if not (splat.opacities >= LEAST_OPACITY).any():
        raise EmptySurface(
            f"All {count:,} gaussians are transparent: there is nothing to make a mesh of."
        )
