"""How much of what a splat, or an engine's mesh, shows from outside the finished mesh explains.

A mesh may be closed and still lack half of the object. The splat is looked at from six sides, along
parallel rays. Where it is opaque, and the ray's light comes from one depth, it shows a surface; the
mesh must be near it. What is smaller than a few rays is let off, since most floaters are. Of an
engine's mesh each ray meets a surface or none (`gen3d_mesh.engine_mesh`): nothing is let off.

Distances are exact, as those of open3d's RaycastingScene are, by a kernel of our own: importing
open3d costs three times what all of this does (bench/mesh/RESULTS.md).
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gen3d_mesh import view_kernels
from gen3d_mesh.cells import Cells
from gen3d_mesh.clean import Frame
from gen3d_mesh.splat import Floats, Splat
from gen3d_mesh.surface import Triangles

LEAST = 0.97
"""Coverage below which a person sees that something is missing. True meshes have .983 or more on
the bench's clouds, lace .956 or less."""

NEAR = 0.02
"""Of the longest side, between what the splat shows and the mesh."""

MOST_GAUSSIANS = 120_000
"""Are looked at; of more, a sample."""

RAYS = 64
"""Along an edge of each picture."""

MARGIN = 1.03
"""Of a picture, around what it shows."""

CLEAR = 0.1
"""Light that passes an opaque splat, at most."""

DEEP = 0.015
"""Standard deviation of the depths that a ray's light comes from; more is haze, or an edge."""

PATCH, ALIKE, STEEP = 2, 13, 2.0
"""A surface is seen where so many of the rays up to `PATCH` steps away, itself included, meet one
at most `STEEP` times as much deeper or nearer as they are beside it."""

FEWEST = 50
"""Rays that meet a surface; fewer tell nothing."""

_AXES = np.array([[6, 2, 3], [-3, 6, 2], [-2, -3, 6]], np.float32) / np.float32(7)
VIEWS = tuple(np.roll(_AXES, -k, axis=0) for k in range(3))
"""Right, up and depth of three pictures, each seen from either end of its depth; at right angles,
askew to the axes that objects like to stand along."""


def coverage(splat: Splat, mesh: Triangles) -> float | None:
    """Share of the surface that a splat shows from outside that has the mesh within `NEAR`.

    Parameters
    ----------
    splat : Splat
        As it was read, before anything was dropped, in the unit frame (see `in_unit_frame`).
    mesh : Triangles
        In the unit frame.

    Returns
    -------
    float or None
        In [0, 1]; None where the splat shows hardly any surface.
    """
    return explained(surface_shown(splat, reach_of(mesh)), mesh)


def explained(shown: Floats, mesh: Triangles) -> float | None:
    """Share of the points that a source shows that have the mesh within `NEAR`; None of too few.

    Parameters
    ----------
    shown : (n, 3) float32
        In the unit frame.
    mesh : Triangles
        In the unit frame.
    """
    if len(shown) < FEWEST:
        return None
    return float(are_near(shown, mesh, NEAR).mean())


def reach_of(mesh: Triangles) -> float:
    """Radius of the ball around the origin that a mesh's faces are in."""
    of_face = np.zeros(len(mesh.vertices), bool)
    of_face[mesh.faces] = True
    return float(np.linalg.norm(mesh.vertices[of_face], axis=1).max())


def is_low(share: float | None) -> bool:
    """Whether a person has to be told that something is missing."""
    return share is not None and share < LEAST


def warning(
    share: float | None, *, dense: float | None = None, of_mesh: bool = False
) -> str | None:
    """Say what a low coverage of a splat, or of an engine's mesh, means, and what to do.

    Parameters
    ----------
    share : float or None
        The finished mesh's.
    dense : float, optional
        The same mesh's before its faces were made fewer: tells whether that is the cause.
    of_mesh : bool
        Of an engine's mesh.
    """
    if share is None or not is_low(share):
        return None
    if of_mesh:
        return (
            f"The mesh has {100 * share:.0f} % of the surface that the engine's mesh shows. Look "
            "at both before you use it: small pieces that lie apart are left out, and few faces "
            "lose what is thin. More faces, or another seed, may help."
        )
    if dense is not None and dense - share > 1 - dense:
        return (
            f"The mesh explains {100 * share:.0f} % of the surface that the splat shows, and had "
            f"{100 * dense:.0f} % before its faces were made so few. Ask for more of them "
            "(--faces, or mesh.faces of a job)."
        )
    return (
        f"The mesh explains {100 * share:.0f} % of the surface that the splat shows. Look at both "
        "before you use it: what is faint, or lies apart from the rest, is missing mostly. Another "
        "photo, or a splat with more gaussians there, helps."
    )


def in_unit_frame(splat: Splat, frame: Frame, most: int = MOST_GAUSSIANS) -> Splat:
    """About `most` of a splat's gaussians at most, in the unit frame, broken ones too."""
    share = most / max(1, len(splat))
    if share < 1:
        chance = np.random.default_rng(0).random(len(splat), np.float32)
        splat = splat.take(np.flatnonzero(chance < share)).grown(1 / share)
    size = np.float32(frame.size)
    with np.errstate(over="ignore", invalid="ignore"):
        centers = (splat.centers - frame.center.astype(np.float32)) / size
        return replace(splat, centers=centers, scales=splat.scales / size)


def surface_shown(splat: Splat, reach: float) -> Floats:
    """Points of the surface that a splat shows from outside.

    Parameters
    ----------
    splat : Splat
        In the unit frame.
    reach : float
        Radius of a ball around the origin that is looked at, at least.

    Returns
    -------
    (n, 3) float32
    """
    # What lies farther out than nearly all of it would make the object small in its picture.
    inside = (np.abs(splat.centers).max(axis=1) <= 1) & (splat.opacities > 0.5)
    away = np.linalg.norm(splat.centers[inside], axis=1)
    half = MARGIN * max(reach, float(np.quantile(away, 0.98)) if len(away) else 0.0)
    step, across = rays_across(half)
    shown = []
    for axes in VIEWS:
        rows, boxes, keys = view_kernels.project(
            splat.centers, splat.scales, splat.rotations, splat.opacities, axes,
            np.float32(half), RAYS,
        )  # fmt: skip
        order = np.argsort(keys, kind="stable")  # of 16 bits: a radix sort
        clear, first, second = view_kernels.composite(rows, boxes, order, RAYS, np.float32(CLEAR))
        light = np.maximum(1 - clear, 1e-6)
        depth = first / light
        one = (clear < CLEAR) & (second / light - depth * depth < DEEP * DEEP)
        for side in range(2):
            y, x = np.nonzero(_patches(depth[side], one[side], STEEP * step))
            at = np.stack([across[x], across[y], depth[side, y, x]], axis=1)
            shown.append(at @ axes)
    return np.concatenate(shown)


def rays_across(half: float) -> tuple[float, Floats]:
    """Steps between the rays of a picture, and where they lie along its edges: (n,)."""
    step = 2 * half / RAYS
    return step, ((np.arange(RAYS) + 0.5) * step - half).astype(np.float32)


def _patches(depth: Floats, there: npt.NDArray[np.bool_], steep: float) -> npt.NDArray[np.bool_]:
    """Where enough of the rays around meet a surface of about the same depth: (n, n)."""
    size = 2 * PATCH + 1
    wide = np.pad(np.where(there, depth, np.inf), PATCH, constant_values=np.inf)
    alike = np.zeros(depth.shape, np.int32)
    for y in range(size):
        for x in range(size):
            away = max(abs(y - PATCH), abs(x - PATCH), 1)
            beside = wide[y : y + len(depth), x : x + len(depth)]
            alike += np.abs(beside - depth) < away * steep
    return there & (alike >= ALIKE)


def are_near(points: Floats, mesh: Triangles, distance: float) -> npt.NDArray[np.bool_]:
    """Whether each point has the mesh within a distance: (n,).

    Parameters
    ----------
    points : (n, 3) float32
        In the unit frame.
    mesh : Triangles
    distance : float
    """
    cells, order = Cells.sort(points, distance)
    near = np.empty(len(points), bool)
    near[order] = view_kernels.are_near(
        np.ascontiguousarray(points[order]), cells.start, cells.origin, cells.size, mesh.vertices,
        mesh.faces, np.float32(distance),
    )  # fmt: skip
    return near
