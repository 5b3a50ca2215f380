"""Read a splat, whatever wrote it, or say what a file is in its place.

Which format a file has is told by its first bytes, and by its ending where it has no mark of its
own. PLYs are read by `gen3d_mesh.splat_ply`, .ksplats by `gen3d_mesh.ksplat`, splats of glTF's by
`gen3d_mesh.splat_gltf`. All others are unpacked by GaussForge, in a process whose time and memory
are bounded; it is neither imported nor started for those three.
"""

import json
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # noqa: TID251  a document is whatever its JSON holds

import numpy as np

from gen3d.errors import InvalidSplat, SplatTooLarge
from gen3d.ply import PROPERTIES
from gen3d_mesh.ksplat import VERSION, count_of, read_ksplat
from gen3d_mesh.splat import MAX_GAUSSIANS, Splat, Up, sample
from gen3d_mesh.splat_gltf import EXTENSION, is_gltf_splat, read_gltf
from gen3d_mesh.splat_ply import HINT, activate, check_count, read_header, read_ply

SECONDS = 50
"""Of processor time to unpack a splat; two million gaussians with all harmonics need 1.1."""

MEMORY = 4 * 2**30
"""Of address space; two million gaussians with all harmonics need 1.5 GB."""

_NAMES = [*PROPERTIES[:3], *PROPERTIES[6:]]
_MOST_PACKED = 8
"""Gaussians in a byte of a compressed file: of real ones each takes seven bytes and more."""

_HEAD = 4096
"""Bytes of a file by which it is known."""

_CONVERT = "Make it a PLY, for instance by `npx @playcanvas/splat-transform IN out.ply`."
_FORMATS = "PLY, compressed PLY, SPZ, SOG, .splat, .ksplat and GLB are read."

_META = 2**20
"""Bytes of a SOG's meta.json, at most."""


@dataclass(frozen=True)
class Source:
    """A splat as it was read.

    Attributes
    ----------
    splat : Splat
        In the file's own frame.
    format : str
        What the file is, in words.
    total : int
        Gaussians in the file; `splat` is a sample of them where it holds fewer.
    up : Up
        The axis that splats of this kind mostly stand on, which the file itself does not say.
    notes : tuple of str
        What was left out, in sentences.
    """

    splat: Splat
    format: str
    total: int
    up: Up
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Packed:
    """A format that GaussForge unpacks, and the gaussians that the file says it holds.

    `beside` names the pictures of a SOG that is no archive.
    """

    name: str
    gaussforge: str
    count: int
    up: Up = "-y"
    beside: tuple[str, ...] = ()


def read_splat(path: Path) -> Splat:
    """Read a splat, in its own frame: `read` says from what."""
    return read(path).splat


def read(path: Path) -> Source:
    """Read a splat.

    Parameters
    ----------
    path : pathlib.Path
        A PLY as `gen3d_mesh.splat_ply.read_ply` takes it, SuperSplat's compressed PLY, SPZ of
        version 2 to 4, SOG or the meta.json of one that lies in a folder, .splat, .ksplat, or a
        GLB or glTF with KHR_gaussian_splatting.

    Returns
    -------
    Source

    Raises
    ------
    InvalidSplat
        Something else, which is named, or damaged.
    SplatTooLarge
        More gaussians than can be read here.
    EmptySurface
        No gaussians, or none that can be seen.
    """
    with path.open("rb") as file:
        start = file.read(_HEAD)
    if start.startswith(b"ply"):
        header = read_header(path)
        if not header.compressed:
            splat, total = read_ply(path, header)
            vertices = header.element("vertex")
            # Engines that make an object from one photo store no harmonics, and have Z up; what is
            # trained on photos stands as COLMAP's cameras do.
            engine = vertices is not None and vertices.names == PROPERTIES
            return Source(splat, "PLY", total, "z" if engine else "-y")
        packed = _Packed("compressed PLY", "compressed.ply", _vertices(path))
    elif start.startswith(VERSION) or path.suffix.lower() == ".ksplat":
        return _ksplat(path, start)
    elif _is_gltf(start) and is_gltf_splat(path):
        return _gltf(path, "GLB" if start.startswith(b"glTF") else "glTF")
    else:
        marked = _marked(path, start)
        if marked is None:
            _refuse_others(start)
        packed = marked or _by_ending(path)
    check_count(packed.count)
    return Source(_unpacked(path, packed), packed.name, packed.count, packed.up)


def _ksplat(path: Path, start: bytes) -> Source:
    if not start.startswith(VERSION):
        _refuse_others(start)
    count = count_of(path)
    check_count(count)
    return Source(activate(read_ksplat(path), count), ".ksplat", count, "-y")


def _is_gltf(start: bytes) -> bool:
    document = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"glTF") or (document.startswith(b"{") and not _is_meta(document))


def _is_meta(document: bytes) -> bool:
    """Whether a document of JSON is a SOG's; it may name its tool as a glTF does."""
    return b'"means"' in document


def _gltf(path: Path, kind: str) -> Source:
    try:
        columns, count, notes = read_gltf(path)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError,
            OverflowError, struct.error, np.linalg.LinAlgError):  # fmt: skip
        raise InvalidSplat(_damaged(kind)) from None
    return Source(activate(columns, count), f"{kind} with {EXTENSION}", count, "y", notes)


def _vertices(path: Path) -> int:
    vertices = read_header(path).element("vertex")
    assert vertices is not None
    assert vertices.count is not None
    if path.stat().st_size < 16 * vertices.count:
        check_count(vertices.count)
        raise InvalidSplat(_damaged("compressed PLY"))
    return vertices.count


def _marked(path: Path, start: bytes) -> _Packed | None:
    """What a file that is no PLY says of itself, where it is a splat."""
    size = path.stat().st_size
    if start.startswith(b"\x1f\x8b"):
        start = _inflated(start)
    if start.startswith(b"NGSP"):
        return _plausible(_spz(start), size)
    if start.startswith(b"PK\3\4"):
        return _plausible(_sog(path), size)
    document = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if document.startswith(b"{") and _is_meta(document):
        return _folder_of(path)
    return None


def _by_ending(path: Path) -> _Packed:
    """What a file without a mark is called."""
    size = path.stat().st_size
    ending = path.suffix.lower()
    if ending == ".splat" and size % 32 == 0:
        return _Packed(".splat", "splat", size // 32)
    if ending in (".splat", ".spz", ".sog"):
        raise InvalidSplat(_damaged(ending))
    raise InvalidSplat(f"The file is not a PLY, nor any other splat that is known. {_FORMATS}")


def _inflated(start: bytes) -> bytes:
    """The first bytes of what gzip has packed."""
    try:
        return zlib.decompressobj(31).decompress(start, 64)
    except zlib.error:
        return b""


def _plausible(packed: _Packed, size: int) -> _Packed:
    """Refuse a file of so few bytes that it cannot hold what it promises."""
    check_count(packed.count)
    if packed.count > _MOST_PACKED * size:
        raise InvalidSplat(_damaged(packed.name))
    return packed


def _spz(start: bytes) -> _Packed:
    """Of a header: mark, version, count (Niantic's SPZ, versions 1 to 4)."""
    if len(start) < 16:
        raise InvalidSplat(_damaged("SPZ"))
    version, count = struct.unpack_from("<II", start, 4)
    if version not in (2, 3, 4):
        raise InvalidSplat(f"The SPZ is of version {version}; 2, 3 and 4 are read. {_CONVERT}")
    return _Packed(f"SPZ {version}", "spz", count, "y")


def _sog(path: Path) -> _Packed:
    import zipfile

    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
            info = next((i for i in file.infolist() if i.filename == "meta.json"), None)
            if info is None:
                _refuse_packages(names)
                splats = [name for name in names if name.endswith((".ply", ".spz", ".splat"))]
                inside = f", {splats[0][:60]} for one" if splats else ""
                raise InvalidSplat(
                    f"The file is a ZIP of {len(names)} files{inside}, and no SOG. Unpack it first."
                )
            if info.file_size > _META:
                raise InvalidSplat(_damaged("SOG"))
            return _Packed("SOG", "sog", _counted(json.loads(file.read(info))))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise InvalidSplat(_damaged("SOG or ZIP")) from None
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        raise InvalidSplat(_damaged("SOG")) from None


def _counted(meta: Any) -> int:
    """The gaussians that a SOG's meta.json says there are."""
    if "count" not in meta and meta["means"]["shape"]:
        raise InvalidSplat(f"The SOG is of version 1; 2 is read. {_CONVERT}")
    count = meta["count"]
    if type(count) is not int or count < 0:
        raise InvalidSplat(_damaged("SOG"))
    return count


def _folder_of(path: Path) -> _Packed:
    """A SOG that is no archive: its meta.json names the pictures that lie beside it."""
    if path.stat().st_size > _META:
        raise InvalidSplat(_damaged("SOG"))
    try:
        meta = json.loads(path.read_bytes())
        count = _counted(meta)
        names = [name for part in meta.values() if isinstance(part, dict)
                 for name in part.get("files", [])]  # fmt: skip
        if any(name != Path(name).name for name in names):
            raise ValueError("a name that is none of a file's")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise InvalidSplat(_damaged("SOG")) from None
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise InvalidSplat(
            f"The file is the meta.json of a SOG, whose pictures have to lie beside it, and "
            f"{missing[0][:60]} does not. Give it with them, or the SOG as one file."
        )
    size = sum((path.parent / name).stat().st_size for name in names)
    packed = _Packed("SOG", "sog", count, beside=("meta.json", *names))
    return _plausible(packed, size)


def _refuse_packages(names: list[str]) -> None:
    """Say what a ZIP is that somebody knows by another name."""
    if any(name.endswith((".usdc", ".usda", ".usd")) for name in names):
        raise InvalidSplat(f"The file is a USDZ. {HINT}")
    if "3D/3dmodel.model" in names:
        raise InvalidSplat("The file is a 3MF: a mesh. Give it as a GLB, OBJ, PLY or STL.")


def _damaged(name: str) -> str:
    return f"The {name} is cut off or damaged: it cannot be read. Send it or save it again."


def _unpacked(path: Path, packed: _Packed) -> Splat:
    from importlib.util import find_spec

    from gen3d.bounded import Bounded, Crashed, Starved, TimeSpent
    from gen3d_mesh.unpacking import NO_MEMORY

    found = find_spec("gaussforge")
    if found is None or found.origin is None:
        raise InvalidSplat(
            f"The file is a {packed.name}, which the package gaussforge reads, and that is not "
            f"installed. Install it (`pip install gaussforge`). {_CONVERT}"
        )
    packages = [Path(__file__).parents[1], *_folder("gen3d"), Path(found.origin).parents[1]]
    request = {
        "path": str(path.resolve()), "format": packed.gaussforge, "names": _NAMES,
        "beside": list(packed.beside),
    }  # fmt: skip
    process = Bounded("gen3d_mesh.unpacking", packages, MEMORY)
    try:
        answer, data = process.ask(request, b"", SECONDS)
    except Crashed:
        raise InvalidSplat(_damaged(packed.name)) from None
    except (TimeSpent, Starved):
        answer, data = {"error": NO_MEMORY}, b""
    finally:
        process.close()
    if answer.get("error") == NO_MEMORY:
        raise SplatTooLarge(
            f"The {packed.name} takes more time or memory to unpack than it may have. {_CONVERT} "
            "A PLY is read piece by piece."
        )
    if "error" in answer or answer["count"] != packed.count:
        raise InvalidSplat(_damaged(packed.name))
    planes = np.frombuffer(data, np.float32).reshape(len(_NAMES), packed.count)
    if packed.count > MAX_GAUSSIANS:
        planes = planes[:, sample(packed.count, MAX_GAUSSIANS)]
    return activate(dict(zip(_NAMES, planes, strict=True)), packed.count)


def _folder(package: str) -> list[Path]:
    """The folder that a package is imported from."""
    from importlib.util import find_spec

    found = find_spec(package)
    return [Path(found.origin).parents[1]] if found is not None and found.origin else []


_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs.github.com/spec/",
     "is a Git LFS pointer: a note of where the splat lies, in its place. Fetch the splat itself "
     "with `git lfs pull`."),
    (b"glTF", "is a GLB without a splat: a mesh. {hint}"),
    (b"LASF", "is a LAS or LAZ: a point cloud, which has no gaussians. {hint}"),
    (b"\x1f\x8b", "is packed by gzip. Unpack it first: `gunzip FILE.gz`."),
    (b"\x28\xb5\x2f\xfd", "is packed by Zstandard. Unpack it first: `unzstd FILE`."),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive. Unpack it first."),
    (b"Rar!", "is a RAR archive. Unpack it first."),
    (b"\x89HDF", "is HDF5. {hint}"),
    (b"\x93NUMPY", "is an array of NumPy's. {hint}"),
    (b"\x89PNG", "is a picture. {hint}"),
    (b"\xff\xd8\xff", "is a picture. {hint}"),
    (b"RIFF", "is a picture or a film. {hint}"),
    (b"PXR-USDC", "is a USD. {hint}"),
    (b"#usda", "is a USD. {hint}"),
    (b"BLENDER", "is a scene of Blender's: export what is in it as a GLB."),
    (b"OFF", "is an OFF: a mesh. Give it as a GLB, OBJ, PLY or STL."),
    (b"Kaydara FBX", "is an FBX: a mesh. {hint}"),
    (b"solid ", "is an STL: a mesh already. {hint}"),
    (b"# .PCD", "is a PCD: a point cloud, which has no gaussians. {hint}"),
    (b"%PDF", "is a PDF. {hint}"),
)  # fmt: skip
"""How files begin that are handed over in a splat's place."""


def _refuse_others(start: bytes) -> None:
    """Say what else a file is, where its first bytes tell."""
    if not start:
        raise InvalidSplat(f"The file is empty. {HINT}")
    for mark, sentence in _OTHERS:
        if start.startswith(mark):
            raise InvalidSplat(f"The file {sentence.format(hint=HINT)}")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        raise InvalidSplat(
            "The file is a web page, as a download gives that asks for a login. "
            "Fetch the splat itself."
        )
    if text.startswith(b"{"):
        raise InvalidSplat(_json(start))
    if re.search(rb"(?m)^v +\S+ +\S+ +\S+", start) and not start.count(b"\0"):
        raise InvalidSplat(f"The file is an OBJ: a mesh already. {HINT}")


def _json(start: bytes) -> str:
    if b'"asset"' in start:
        return f"The file is a glTF without a splat: a mesh. {HINT}"
    return f"The file is JSON, and no splat that is known. {_FORMATS}"
