"""Ways from a splat to a mesh: ours, and the usual ones of two libraries by themselves."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import open3d as o3d
import trimesh
from scipy.spatial import cKDTree

from bench.mesh.clouds import Array
from gen3d_mesh import glb
from gen3d_mesh.coloured_mesh import Texture
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.splat import Splat

MIN_OPACITY = 0.1


@dataclass(frozen=True)
class Result:
    """A mesh in the splat's frame, colours and normals of its vertices, and figures."""

    mesh: trimesh.Trimesh
    colors: Array
    normals: Array
    texture: Texture | None
    glb_bytes: int
    coverage: float | None = None


def ours(
    quality: str, texels: bool = True, faces: int | None = None, *, mapped: bool = False
) -> Callable[[Path], Result]:
    """The pipeline, to the finished GLB; with a normal map where it shows, or always."""
    make = partial(build, normal_map=True) if mapped else build  # an older build has no option

    def method(path: Path) -> Result:
        level = QUALITIES[quality]
        coloured, figures = make(path, level if texels else replace(level, texels=0), faces)
        size = len(glb.encode(coloured, "bench"))
        vertices = coloured.positions + coloured.frame.center
        mesh = trimesh.Trimesh(vertices, coloured.mesh.faces, process=False)
        coverage = getattr(figures, "coverage", None)  # an older build's has none
        colors, normals = coloured.colors.astype(float), coloured.normals.astype(float)
        return Result(mesh, colors, normals, coloured.texture, size, coverage)

    return method


def open3d_alone(path: Path) -> Result:
    """Outliers removed, normals oriented by tangent planes, Poisson at depth 9."""
    splat = _visible(path)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(splat.centers.astype(float)))
    cloud, kept = cloud.remove_statistical_outlier(20, 2.0)
    cloud.estimate_normals(o3d.geometry.KDTreeSearchParamKNN(30))
    cloud.orient_normals_consistent_tangent_plane(15)
    mesh, _ = o3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, 9, n_threads=2)
    return _coloured(
        np.asarray(mesh.vertices), np.asarray(mesh.triangles), splat.take(np.array(kept))
    )


def pymeshlab_alone(path: Path) -> Result:
    """Its normals for point clouds and its screened Poisson at depth 9."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pymeshlab

    splat = _visible(path)
    meshes = pymeshlab.MeshSet(verbose=False)
    meshes.add_mesh(pymeshlab.Mesh(vertex_matrix=splat.centers.astype(float)))
    meshes.compute_normal_for_point_clouds(k=16, smoothiter=2)
    meshes.generate_surface_reconstruction_screened_poisson(depth=9, preclean=True, threads=2)
    mesh = meshes.current_mesh()
    return _coloured(mesh.vertex_matrix(), mesh.face_matrix(), splat)


def _visible(path: Path) -> Splat:
    from gen3d_mesh.read import read_splat  # which an older build lacks

    splat = read_splat(path)
    return splat.take(splat.opacities >= MIN_OPACITY)


def _coloured(vertices: Array, faces: Array, splat: Splat) -> Result:
    _, nearest = cKDTree(splat.centers).query(vertices, k=8, workers=2)
    weights = splat.opacities[nearest][:, :, None]
    colors = (splat.colors[nearest] * weights).sum(axis=1) / weights.sum(axis=1)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    mesh.visual.vertex_colors = np.round(colors * 255).astype(np.uint8)
    file = io.BytesIO()
    mesh.export(file, file_type="glb")
    return Result(mesh, colors, np.array(mesh.vertex_normals), None, file.tell())


METHODS: dict[str, Callable[[Path], Result]] = {
    "preview": ours("preview"),
    "standard": ours("standard"),
    "standard, 5,000 faces": ours("standard", faces=5000),
    "standard, 5,000 faces, normal map": ours("standard", faces=5000, mapped=True),
    "standard, normal map": ours("standard", mapped=True),
    "standard, no texture": ours("standard", texels=False),
    "fine": ours("fine"),
    "open3d alone": open3d_alone,
    "pymeshlab alone": pymeshlab_alone,
}
