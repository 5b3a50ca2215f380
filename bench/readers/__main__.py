"""``python -m bench.readers``: gives a small mug to every program that reads what we write.

Each file is held against the mesh: how many faces a reader finds, whether they close where equal
places are one, how large it is in the format's unit, and whether it stands. Programs are Debian's
where they are no packages of ours; one that is not there has no row.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import trimesh

from bench.mesh import shapes
from bench.mesh.clouds import splat_of
from gen3d_mesh import usdz
from gen3d_mesh.pipeline import QUALITIES, Quality, build
from gen3d_mesh.tool import save

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "functions/mesh/tests"
RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = "| file | reader | faces | closed | longest side | stands | colour |\n|" + 7 * "---|"

MILLIMETRES = 120
FACES = 2000
TIMEOUT = 120

_NAMES = ("glb", "draco.glb", "meshopt.glb", "obj", "stl", "ply", "3mf", "usdz")
_METRES = ("glb", "draco.glb", "meshopt.glb", "usdz")
_Y_UP = (*_METRES, "obj")


@dataclass(frozen=True)
class Seen:
    """What a reader made of a file.

    Attributes
    ----------
    reader : str
        Its name and version.
    faces : int
    extents : tuple of float
        Of the box along x, y and z.
    up : str
        The axis that it, or the format, calls up.
    closed : bool or None
        None where it does not say.
    colour : str
    """

    reader: str
    faces: int
    extents: tuple[float, ...]
    up: str
    closed: bool | None
    colour: str


def of_arrays(
    reader: str, points: npt.ArrayLike, faces: npt.ArrayLike, up: str, colour: str
) -> Seen:
    """From vertices and faces, of which equal places are made one."""
    mesh = trimesh.Trimesh(np.asarray(points, np.float64), np.asarray(faces).reshape(-1, 3))
    extents = tuple(float(side) for side in mesh.extents)
    return Seen(reader, len(mesh.faces), extents, up, bool(mesh.is_watertight), colour)


def _up_of(name: str) -> str:
    return "y" if name in _Y_UP else "z"


def _ran(*words: str | Path) -> str:
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    return done.stdout + done.stderr


def by_three(path: Path, name: str) -> Seen:
    """three.js' loader, in Node, which has no workers for its Draco decoder."""
    said = json.loads(_ran("node", SCRIPTS / "load.mjs", path).splitlines()[-1])
    colour = "picture" if said["textured"] else "vertices" if said["colors"] else "none"
    module = json.loads((SCRIPTS / "node_modules/three/package.json").read_text())
    reader = f"three.js {module['version']}"
    return of_arrays(reader, said["points"], said["faces"], _up_of(name), colour)


def by_trimesh(path: Path, name: str) -> Seen:
    """trimesh, Draco's GLB by DracoPy."""
    kind = name.split(".")[-1]
    (mesh,) = trimesh.load_scene(path, file_type=kind, process=False).dump()
    colour = "none"
    if mesh.visual.kind == "texture":
        material = mesh.visual.material
        picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
        colour = "picture" if picture is not None else "none"
    elif mesh.visual.defined:
        colour = "vertices"
    reader = f"trimesh {trimesh.__version__}"
    return of_arrays(reader, mesh.vertices, mesh.faces, _up_of(name), colour)


def by_pymeshlab(path: Path, name: str) -> Seen:
    """PyMeshLab."""
    import pymeshlab

    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.load_new_mesh(str(path))
    mesh = meshes.current_mesh()
    colour = "vertices" if mesh.has_vertex_color() else "none"
    if mesh.has_wedge_tex_coord() and mesh.texture_number():
        colour = "picture"
    reader = f"PyMeshLab {version('pymeshlab')}"
    return of_arrays(reader, mesh.vertex_matrix(), mesh.face_matrix(), _up_of(name), colour)


def by_blender(path: Path, _: str) -> Seen:
    """Blender, which turns everything to its own Z, if it knows the format's axis.

    It takes an OBJ's Y for up, and asks nothing of the others.
    """
    script = Path(__file__).with_name("in_blender.py")
    found = _ran("blender", "-b", "--factory-startup", "-P", script, "--", path)
    said = json.loads(found.partition("SEEN:")[2].splitlines()[0])
    if "error" in said:
        raise ValueError(said["error"] if "rror" in said["error"] else found[-200:])
    reader = f"Blender {said['version']}"
    return of_arrays(reader, said["points"], said["faces"], "z", said["colour"])


def by_assimp(path: Path, name: str) -> Seen:
    """The command line of assimp, which writes what it read as an OBJ."""
    release = re.search(r"Version (\S+)", _ran("assimp", "version"))
    assert release is not None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.obj"
        told = _ran("assimp", "export", path, out, "-fobj")
        if not out.exists():
            raise ValueError((told.strip() or "it crashed").splitlines()[-1])
        coloured = re.search(r"(?m)^v([ \t]+\S+){6}", out.read_text()) is not None
        mesh = trimesh.load_mesh(out, process=False)
    materials = _ran("assimp", "info", path)
    colour = "picture" if "Textures (embed.):" in materials and _pictures(materials) else "none"
    if colour == "none" and coloured:
        colour = "vertices"
    reader = f"assimp {release[1]}"
    return of_arrays(reader, mesh.vertices, mesh.faces, _up_of(name), colour)


def _pictures(told: str) -> bool:
    embedded = re.search(r"Textures \(embed\.\):\s+(\d+)", told)
    return bool(embedded and int(embedded[1])) or "Texture Refs" in told


def by_prusa_slicer(path: Path, name: str) -> Seen:
    """PrusaSlicer, of whose figures only its own remain."""
    told = _ran("prusa-slicer", "--info", path)
    values = dict(re.findall(r"^(\w+) = +(\S+)", told, re.MULTILINE))
    extents = tuple(float(values[f"size_{axis}"]) for axis in "xyz")
    release = re.search(r"PrusaSlicer-([\d.]+)", _ran("prusa-slicer", "--help"))
    reader = f"PrusaSlicer {release[1] if release else ''}"
    closed = values["manifold"] == "yes"
    return Seen(reader, int(values["number_of_facets"]), extents, _up_of(name), closed, "none")


def by_lib3mf(path: Path, name: str) -> Seen:
    """The 3MF consortium's library, strictly."""
    import lib3mf

    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    meshes = model.GetMeshObjects()
    meshes.MoveNext()
    mesh = meshes.GetCurrentMeshObject()
    points = [list(vertex.Coordinates) for vertex in mesh.GetVertices()]
    faces = [list(triangle.Indices) for triangle in mesh.GetTriangleIndices()]
    colour = "vertices" if model.GetColorGroups().MoveNext() else "none"
    return of_arrays(f"lib3mf {version('lib3mf')}", points, faces, _up_of(name), colour)


def by_usd(path: Path, _: str) -> Seen:
    """usd-core, whose validators have to be silent."""
    from pxr import Usd, UsdGeom, UsdShade

    assert not usdz.validate(path)
    stage = Usd.Stage.Open(str(path))
    (mesh,) = (UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    points = np.array(mesh.GetPointsAttr().Get()) * UsdGeom.GetStageMetersPerUnit(stage)
    faces = np.array(mesh.GetFaceVertexIndicesAttr().Get())
    shaders = [UsdShade.Shader(prim) for prim in stage.Traverse() if prim.IsA(UsdShade.Shader)]
    picture = any(each.GetIdAttr().Get() == "UsdUVTexture" for each in shaders)
    up = str(UsdGeom.GetStageUpAxis(stage)).lower()
    reader = f"usd-core {version('usd-core')}"
    return of_arrays(reader, points, faces, up, "picture" if picture else "vertices")


def faults(path: Path) -> str:
    """What the Khronos validator says of a GLB."""
    issues = json.loads(_ran("node", SCRIPTS / "validate.cjs", path))["issues"]
    return f"{issues['numErrors']} errors, {issues['numWarnings']} warnings"


_GLBS = ("glb", "draco.glb", "meshopt.glb")
_PLAIN = ("glb", "draco.glb", "meshopt.glb", "obj", "stl", "ply")
_BY: dict[str, Callable[[Path, str], Seen]] = {
    "three.js": by_three,
    "trimesh": by_trimesh,
    "PyMeshLab": by_pymeshlab,
    "Blender": by_blender,
    "assimp": by_assimp,
    "PrusaSlicer": by_prusa_slicer,
    "lib3mf": by_lib3mf,
    "usd-core": by_usd,
}
READERS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "three.js": (("glb", "meshopt.glb"), "node"),
    "trimesh": (_PLAIN, None),
    "PyMeshLab": ((*_PLAIN, "3mf"), None),
    "Blender": (_PLAIN, "blender"),
    "assimp": ((*_PLAIN, "3mf"), "assimp"),
    "PrusaSlicer": (("obj", "stl", "3mf"), "prusa-slicer"),
    "lib3mf": (("3mf",), None),
    "usd-core": (("usdz",), None),
}
"""The files that each is given, and the program that it needs."""


def make(folder: Path) -> npt.NDArray[np.float64]:
    """Write the mug in every format; its extents in metres, Z up, are returned."""
    splat = splat_of(shapes.build("mug"), 60_000)
    level: Quality = QUALITIES["preview"]
    quality = Quality(level.solid_voxels, level.surface_voxels, FACES, 256, level.gaussians)
    coloured, _ = build(splat, quality)
    for name in _NAMES:
        save(coloured, folder / f"mug.{name}", "mug", millimetres=MILLIMETRES)
    save(coloured, folder / "mug.zip", "mug", millimetres=MILLIMETRES)
    with zipfile.ZipFile(folder / "mug.zip") as archive:
        archive.extractall(folder / "obj")
    extents = np.ptp(coloured.mesh.vertices.astype(np.float64), axis=0)
    scaled: npt.NDArray[np.float64] = extents / extents.max() * MILLIMETRES / 1000
    return scaled


def row(seen: Seen, name: str, extents: npt.NDArray[np.float64]) -> str:
    """A line of the table, in which what is wrong is bold."""
    unit = 1.0 if name in _METRES else 1000.0
    x, y, z = extents * unit
    wanted = (x, y, z) if seen.up == "z" else (x, z, y)
    side = max(seen.extents)
    stands = np.allclose(seen.extents, wanted, rtol=0.01)
    cells = [
        _bold(f"{seen.faces:,}", seen.faces == FACES),
        "–" if seen.closed is None else _bold("yes" if seen.closed else "no", seen.closed),
        _bold(f"{side:.4g} {'m' if unit == 1 else 'mm'}", abs(side / (0.12 * unit) - 1) < 1e-3),
        _bold("yes" if stands else "no", stands),
        seen.colour,
    ]
    return f"| {name} | {seen.reader} | {' | '.join(cells)} |"


def _bold(text: str, right: bool) -> str:
    return text if right else f"**{text}**"


def _asked(reader: str, path: Path, name: str, extents: npt.NDArray[np.float64]) -> str:
    """A line, from a process of its own: some readers end with it."""
    words = (sys.executable, "-m", "bench.readers", "--one", reader, path, name)
    done = subprocess.run(
        [*map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    if done.returncode == 0:
        seen = json.loads(done.stdout.splitlines()[-1])
        return row(Seen(**{**seen, "extents": tuple(seen["extents"])}), name, extents)
    said = (done.stderr.strip().splitlines() or [f"ended by signal {-done.returncode}"])[-1]
    return f"| {name} | {reader} | **refused**: {said[-80:].replace('|', '/')} | | | | |"


def main() -> None:
    """Write the table, or say what one reader makes of one file."""
    parser = argparse.ArgumentParser(prog="python -m bench.readers", description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("READER", "FILE", "FORMAT"))
    one = parser.parse_args().one
    if one:
        print(json.dumps(asdict(_BY[one[0]](Path(one[1]), one[2]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        extents = make(Path(folder))
        lines = [HEAD]
        for reader, (names, program) in READERS.items():
            if program is not None and shutil.which(program) is None:
                continue
            for name in names:
                path = Path(folder) / f"mug.{name}"
                if name == "obj" and reader != "PrusaSlicer":
                    path = Path(folder) / "obj/mesh.obj"
                lines.append(_asked(reader, path, name, extents))
                print(lines[-1], flush=True)
        valid = [f"{name}: {faults(Path(folder) / f'mug.{name}')}" for name in _GLBS]
    text = f"The Khronos validator: {'; '.join(valid)}.\n"
    RESULTS.write_text("\n".join(lines) + f"\n\n{text}")
    print(text)


if __name__ == "__main__":
    main()
