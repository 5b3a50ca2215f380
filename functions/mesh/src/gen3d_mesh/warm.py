"""Compile the kernels ahead of time, and find them again where nothing can be written.

``python -m gen3d_mesh.warm`` runs in the image's build with ``NUMBA_CACHE_DIR`` set. numba reads a
cache only from a directory that it could write to, which Lambda's image is not: `unpack` copies
the compiled kernels to one that is.
"""

import importlib
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

BUILT = "GEN3D_KERNELS"
"""Environment variable that names the directory of the kernels compiled in the build."""


def unpack() -> None:
    """Copy the compiled kernels to ``NUMBA_CACHE_DIR``; to be called before numba is imported."""
    built, cache = os.environ.get(BUILT), os.environ.get("NUMBA_CACHE_DIR")
    if built and cache and Path(built).is_dir() and not Path(cache).exists():
        shutil.copytree(built, cache)


def without_blas() -> None:
    """Keep numba from loading SciPy's linear algebra, which no kernel asks for.

    That is .15 s and 16 MB of a process. To be called before the first kernel, in a process of our
    own: where this package is a library, someone else's kernels may want it.
    """
    if {"numba.np.arraymath", "scipy.linalg"} & sys.modules.keys():
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules["scipy.linalg"]


def find_cache() -> None:
    """Give numba a folder for its kernels where it finds none, and would raise for it.

    So it is where neither this package's folder nor the home can be written to: a service, a
    read-only image. The folder is this user's alone: what lies there is run. To be called before
    the first kernel, in a process of our own.
    """
    try:
        importlib.import_module("gen3d_mesh.grid_kernels")
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    else:
        return
    import numba

    folder = Path(tempfile.gettempdir()) / f"gen3d-kernels-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    there = folder.lstat()
    ours = stat.S_ISDIR(there.st_mode) and there.st_uid == os.getuid()
    if not ours or there.st_mode & 0o077:
        folder = Path(tempfile.mkdtemp(prefix="gen3d-kernels-"))
    numba.config.CACHE_DIR = str(folder)


def compiled() -> bool:
    """Whether numba's cache holds kernels; a first run waits for them."""
    from gen3d_mesh import view_kernels

    stats = getattr(view_kernels.project, "stats", None)  # None where numba was told not to compile
    return stats is None or any(Path(stats.cache_path).glob("*.nbi"))


def compile_kernels() -> None:
    """Go the whole way on a small ball, and on a flat one, dense enough to look for gaps in.

    An engine's open mesh asks two kernels more, and a hollow object another one.
    """
    import numpy as np

    from gen3d_mesh import mask_kernels, mesh_kernels
    from gen3d_mesh.pipeline import QUALITIES, build
    from gen3d_mesh.preview import render
    from gen3d_mesh.sample import ball, write_splat
    from gen3d_mesh.simplify import simplify
    from gen3d_mesh.surface import Triangles

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ball.ply"
        write_splat(path, ball(20_000))
        coloured, _ = build(path, QUALITIES["standard"], faces=2000, normal_map=True)
        render(coloured, size=64)
    open_mesh = Triangles(coloured.mesh.vertices, coloured.mesh.faces[1:])
    simplify(open_mesh, 1000, closed=False)
    mesh_kernels.border(open_mesh.faces, len(open_mesh.vertices))
    mask_kernels.nearest(np.ones((2, 2, 2), np.int32))
    dense = ball(150_000)
    flat = dense.centers * np.array([1, 1, 0.3], np.float32)
    build(replace(dense, centers=flat), QUALITIES["fine"], faces=2000)


if __name__ == "__main__":
    compile_kernels()
