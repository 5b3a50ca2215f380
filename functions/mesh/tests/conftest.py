"""Small clouds of known shapes, and the models made from them once."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.pipeline import QUALITIES, Figures, build
from gen3d_mesh.sample import on_surface, write_splat
from gen3d_mesh.splat import Splat
from gen3d_mesh.surface import Triangles

RED, BLUE = (0.85, 0.2, 0.2), (0.2, 0.25, 0.85)

THINNEST = 0.013
"""Of a sheet, as `standard` makes it."""


def cloud(shape: trimesh.Trimesh, count: int = 40_000, noise: float = 0.001) -> Splat:
    """Gaussians on a shape whose upper half (Z up) is red and whose lower half is blue."""
    points, _ = trimesh.sample.sample_surface(shape, count, seed=1)
    points = points + np.random.default_rng(1).normal(0, noise, points.shape)
    colors = np.where(points[:, 2:] > 0, RED, BLUE)
    return on_surface(points, colors, size=0.9 * float(np.sqrt(shape.area / count)))


def sphere() -> trimesh.Trimesh:
    return trimesh.creation.icosphere(4, radius=0.5)


def torus() -> trimesh.Trimesh:
    return trimesh.creation.torus(0.35, 0.13, major_sections=96, minor_sections=48)


def two_parts() -> trimesh.Trimesh:
    ball = trimesh.creation.icosphere(3, radius=0.2)
    box = trimesh.creation.box([0.3, 0.3, 0.3])
    return trimesh.util.concatenate(
        [ball.apply_translation([0, 0, 0.3]), box.apply_translation([0, 0, -0.3])]
    )


def bowl() -> trimesh.Trimesh:
    """An open half sphere of no thickness."""
    ball = sphere()
    return trimesh.Trimesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0])


def bumpy(height: float) -> trimesh.Trimesh:
    """A ball with bumps a seventh of its diameter apart."""
    ball = trimesh.creation.icosphere(6, radius=0.5)
    waves = np.sin(22 * ball.vertices).prod(axis=1)
    return trimesh.Trimesh(ball.vertices * (1 + height * waves)[:, None], ball.faces)


def triangles(shape: trimesh.Trimesh) -> Triangles:
    return Triangles(shape.vertices.astype(np.float32), shape.faces.astype(np.int32))


def made(folder: Path, splat: Splat, faces: int = 12_000) -> tuple[ColouredMesh, Figures]:
    path = folder / "splat.ply"
    write_splat(path, splat)
    return build(path, QUALITIES["preview"], faces)


@pytest.fixture(scope="session")
def ball(tmp_path_factory: pytest.TempPathFactory) -> tuple[ColouredMesh, Figures]:
    return made(tmp_path_factory.mktemp("ball"), cloud(sphere()))


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory) -> tuple[ColouredMesh, Figures]:
    return made(tmp_path_factory.mktemp("ring"), cloud(torus()))
