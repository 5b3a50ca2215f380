"""Write 3MF, for printers, by the consortium's own library (the extra ``3mf``).

The mesh is the one before texturing, whose corners are shared: cut along a texture's seams, slicers
would take it for open. Colours are the vertices'; most slicers take the shape alone.
"""

import locale
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gen3d.errors import InvalidMesh
from gen3d_mesh.coloured_mesh import ColouredMesh

LEVELS = 16
"""Of each colour: 4,096 shades at most, without which a file lists nearly every vertex's own."""


def encode(coloured: ColouredMesh, name: str) -> bytes:
    """Make a 3MF: Z up, on the plate, a unit of it a millimetre.

    Parameters
    ----------
    coloured : ColouredMesh
    name : str
        Of the object.

    Raises
    ------
    ImportError
        lib3mf is not installed.
    InvalidMesh
        The library finds the mesh open.
    """
    import lib3mf

    library = lib3mf.get_wrapper()
    model = library.CreateModel()
    model.SetUnit(lib3mf.ModelUnit.MilliMeter)
    mesh = model.AddMeshObject()
    mesh.SetName(name)
    positions = coloured.positions - np.array([0, 0, coloured.positions[:, 2].min()], np.float32)
    faces = coloured.mesh.faces.astype(np.uint32)
    mesh.SetGeometry(
        (lib3mf.Position * len(positions)).from_buffer_copy(np.ascontiguousarray(positions)),
        (lib3mf.Triangle * len(faces)).from_buffer_copy(np.ascontiguousarray(faces)),
    )
    if not mesh.IsManifoldAndOriented():
        raise InvalidMesh("A 3MF is closed, and the mesh is open: fill its holes (--holes 1000).")

    levels = np.round(coloured.colors * (LEVELS - 1)).astype(np.uint32)
    mixed = levels @ np.array([LEVELS**2, LEVELS, 1], np.uint32)
    shades, which = np.unique(mixed, return_inverse=True)
    group = model.AddColorGroup()
    step = 255 // (LEVELS - 1)
    ids = np.array(
        [
            group.AddColor(
                library.RGBAToColor(
                    *(int(shade) // LEVELS**k % LEVELS * step for k in (2, 1, 0)), 255
                )
            )
            for shade in shades
        ],
        np.uint32,
    )
    table = np.empty((len(faces), 4), np.uint32)
    table[:, 0] = group.GetResourceID()
    table[:, 1:] = ids[which][faces]
    corners = (lib3mf.TriangleProperties * len(faces)).from_buffer_copy(table)
    mesh.SetAllTriangleProperties(corners)
    mesh.SetObjectLevelProperty(group.GetResourceID(), int(table[0, 1]))
    model.AddBuildItem(mesh, library.GetIdentityTransform())
    with tempfile.TemporaryDirectory() as folder, _same_locale():
        path = Path(folder) / "mesh.3mf"
        model.QueryWriter("3mf").WriteToFile(str(path))
        return path.read_bytes()


@contextmanager
def _same_locale() -> Iterator[None]:
    """Keep the process's locale, which lib3mf 2.5.0 leaves at C: open() would read ASCII alone."""
    kept = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, kept)
