"""``python -m bench.mesh.public [FOLDER]``: meshes of three splats that others published.

Their truth is not known: what is measured is how much of what they show the mesh explains, and how
many of their opaque pixels, well inside the outline, have no mesh behind. The files are fetched
into the folder; where there is no network, those that lie there are measured, the rest skipped.
"""

import hashlib
import resource
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from scipy import ndimage

from bench.mesh.clouds import scene_of, tensor
from gen3d_mesh import view_kernels
from gen3d_mesh.clean import Frame
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.coverage import VIEWS, in_unit_frame
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.read import read
from gen3d_mesh.splat import Splat

PIXELS, INSIDE, OPAQUE = 512, 6, 0.1
"""Along a picture's edge; inside the outline from there on; light that passes, at most."""

HEAD = (
    "| file | gaussians | coverage | opaque pixels without a mesh | parts | CPU s |\n|" + 6 * "---|"
)

SECONDS, MOST_BYTES = 30, 50 * 2**20


@dataclass(frozen=True)
class Public:
    """A file of a repository on GitHub, as of a commit."""

    repository: str
    commit: str
    path: str
    sha256: str

    @property
    def name(self) -> str:
        """Of the file."""
        return Path(self.path).name

    @property
    def url(self) -> str:
        """Where it is read."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"


_ENGINE = "playcanvas/engine"
_TOOLBOX = (
    "aws-solutions-library-samples/"
    "guidance-for-open-source-3d-reconstruction-toolbox-for-gaussian-splats-on-aws"
)
FILES = (
    Public(
        _ENGINE,
        "0aaef5e432c4797ed23c1f966e2cc43232ec0613",
        "examples/assets/splats/guitar.compressed.ply",
        "04f61b72166394fdfb393dd589b0cb5a8b1b018820c73722278ddcdc2ffedc0f",
    ),
    Public(
        _ENGINE,
        "0aaef5e432c4797ed23c1f966e2cc43232ec0613",
        "examples/assets/splats/biker.compressed.ply",
        "ad906646017096ef6613cdbd1e575104e90403dc79116a9c6af749433ca1e8a1",
    ),
    Public(
        _TOOLBOX,
        "2863ae1647eb32e621da6ff44fd28cb11a477a71",
        "source/Gradio/favorites/wolf.spz",
        "749f1aa118cd9c5939d39918f20f1c13a035fabced44234afde314f8049ebc56",
    ),
)


def download(url: str) -> bytes:
    """Read a URL, at most `MOST_BYTES` of it."""
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        data: bytes = answer.read(MOST_BYTES)
    return data


def obtain(
    file: Public, folder: Path, fetch: Callable[[str], bytes] = download
) -> tuple[Path | None, str]:
    """Find a file in a folder, or fetch it.

    Returns
    -------
    path : Path or None
        None where it cannot be had.
    reason : str
        Why not.
    """
    path = folder / file.name
    if not path.exists():
        try:
            data = fetch(file.url)
        except OSError as error:
            return None, f"not fetched: {error}"
        path.write_bytes(data)
    if hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
        return None, f"{path} is not the file that was published: delete it"
    return path, ""


def missing(splat: Splat, coloured: ColouredMesh) -> float:
    """Share of the splat's opaque pixels well inside its outline that have no mesh behind."""
    shape = trimesh.Trimesh(coloured.mesh.vertices, coloured.mesh.faces, process=False)
    half = np.float32(1.05 * np.linalg.norm(shape.vertices, axis=1).max())
    across = (np.arange(PIXELS, dtype=np.float32) + 0.5) * (2 * half / PIXELS) - half
    y, x = np.meshgrid(across, across, indexing="ij")
    scene = scene_of(shape)
    bare = counted = 0
    for axes in VIEWS:
        rows, boxes, keys = view_kernels.project(
            splat.centers, splat.scales, splat.rotations, splat.opacities, axes, half, PIXELS
        )
        order = np.argsort(keys, kind="stable")
        clear, _, _ = view_kernels.composite(rows, boxes, order, PIXELS, np.float32(OPAQUE))
        inside = ndimage.binary_erosion(clear[0] < OPAQUE, iterations=INSIDE)
        starts = np.stack([x[inside], y[inside], np.full(inside.sum(), 3 * half)], axis=1) @ axes
        ahead = np.broadcast_to(-axes[2], starts.shape)
        hit = scene.cast_rays(tensor(np.concatenate([starts, ahead], axis=1)))["t_hit"].numpy()
        bare += int(np.isinf(hit).sum())
        counted += len(hit)
    return bare / max(1, counted)


def measure(path: Path) -> str:
    """One line of the table."""
    source = read(path)
    splat = source.splat.upright(source.up)
    before = resource.getrusage(resource.RUSAGE_SELF)
    coloured, figures = build(splat, QUALITIES["standard"])
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    center = coloured.frame.center - np.array(splat.origin)
    here = in_unit_frame(splat, Frame(center, coloured.frame.size), most=len(splat))
    share = "–" if figures.coverage is None else f"{figures.coverage:.3f}"
    return (
        f"| {path.name} | {figures.gaussians:,} | {share} | {missing(here, coloured):.2%} "
        f"| {figures.components} | {cpu:.1f} |"
    )


def main() -> None:
    """Measure what can be had of the three."""
    print(HEAD)
    with tempfile.TemporaryDirectory() as other:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(other)
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            path, reason = obtain(file, folder)
            line = f"| {file.name} | skipped: {reason} |" if path is None else measure(path)
            print(line, flush=True)


if __name__ == "__main__":
    main()
