"""The GLB of an engine's mesh, read back by its own bytes, and what is refused."""

import io
import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from gen3d.errors import ReconstructionFailed
from gen3d_inference import mesh_writer
from gen3d_inference.engines.interface import TexturedMesh

RED, BLUE = (220, 40, 30), (30, 60, 210)


@pytest.fixture
def mesh() -> TexturedMesh:
    """A square that faces -Y: red above, blue below, its left half of metal."""
    picture = np.full((8, 16, 3), RED, np.uint8)
    picture[4:] = BLUE
    shades = np.zeros((8, 16, 3), np.uint8)
    shades[:, :8, 2], shades[..., 1] = 255, 100
    return TexturedMesh(
        vertices=np.array(
            [[-0.5, 0, 0.5], [-0.5, 0, -0.5], [0.5, 0, -0.5], [0.5, 0, 0.5]], np.float32
        ),
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        uv=np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float32),
        color=picture,
        metallic=0.5,
        roughness=0.25,
        metallic_roughness=shades,
        normal_map=np.full((4, 4, 3), (128, 128, 255), np.uint8),
    )


def opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def picture_of(document: dict[str, Any], chunk: bytes, texture: dict[str, int]) -> np.ndarray:
    source = document["textures"][texture["index"]]["source"]
    view = document["bufferViews"][document["images"][source]["bufferView"]]
    start = view.get("byteOffset", 0)
    with Image.open(io.BytesIO(chunk[start : start + view["byteLength"]])) as image:
        return np.asarray(image)


def test_its_pictures_and_factors_are_those_of_the_mesh(mesh: TexturedMesh) -> None:
    document, chunk = opened(mesh_writer.pack(mesh))
    (material,) = document["materials"]
    physical = material["pbrMetallicRoughness"]
    assert (physical["metallicFactor"], physical["roughnessFactor"]) == (0.5, 0.25)
    for texture, expected in (
        (physical["baseColorTexture"], mesh.color),
        (physical["metallicRoughnessTexture"], mesh.metallic_roughness),
        (material["normalTexture"], mesh.normal_map),
    ):
        assert np.array_equal(picture_of(document, chunk, texture), np.asarray(expected))


def test_y_is_up_and_places_are_from_the_top(mesh: TexturedMesh) -> None:
    document, chunk = opened(mesh_writer.pack(mesh))
    attributes = document["meshes"][0]["primitives"][0]["attributes"]

    def values(name: str, columns: int) -> np.ndarray:
        accessor = document["accessors"][attributes[name]]
        start = document["bufferViews"][accessor["bufferView"]].get("byteOffset", 0)
        count = columns * accessor["count"]
        return np.frombuffer(chunk, "<f4", count, start).reshape(-1, columns)

    x, y, z = mesh.vertices.T
    assert np.allclose(values("POSITION", 3), np.stack([x, z, -y], axis=1))
    assert np.allclose(values("TEXCOORD_0", 2), mesh.uv)


def test_another_reader_takes_it(mesh: TexturedMesh) -> None:
    read = trimesh.load_mesh(io.BytesIO(mesh_writer.pack(mesh)), file_type="glb", process=False)
    assert np.array_equal(read.faces, mesh.faces)


def test_no_material_but_the_colour_is_needed(mesh: TexturedMesh) -> None:
    plain = replace(mesh, metallic=0.0, roughness=1.0, metallic_roughness=None, normal_map=None)
    (material,) = opened(mesh_writer.pack(plain))[0]["materials"]
    physical = material["pbrMetallicRoughness"]
    assert (physical["metallicFactor"], physical["roughnessFactor"]) == (0, 1)
    assert "metallicRoughnessTexture" not in physical
    assert "normalTexture" not in material


def spoiled(values: np.ndarray, place: Any, value: float) -> np.ndarray:
    changed = values.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: {"faces": m.faces[:0]}, "No surface came out"),
        (lambda m: {"vertices": m.vertices[:0], "uv": m.uv[:0]}, "lack their corners"),
        (lambda m: {"vertices": spoiled(m.vertices, (1, 2), np.nan)}, "1 of 4 vertices"),
        (lambda m: {"vertices": spoiled(m.vertices, 0, np.inf)}, "1 of 4 vertices"),
        (lambda m: {"uv": spoiled(m.uv, 3, np.nan)}, "1 of 4 vertices"),
        (lambda m: {"roughness": float("nan")}, "no numbers"),
        (lambda m: {"faces": spoiled(m.faces, (0, 0), 4)}, "lack their corners"),
        (lambda m: {"faces": spoiled(m.faces, (0, 0), -1)}, "lack their corners"),
        (lambda m: {"vertices": m.vertices * 100}, "4 of 4 vertices lie far out"),
        (lambda m: {"faces": np.zeros((2_000_001, 3), np.int32)}, "2,000,001 faces"),
        (lambda m: {"color": np.zeros((1, 5000, 3), np.uint8)}, "color .* 5,000 × 1 texels"),
        (lambda m: {"color": m.color[..., :1]}, "documented form: color"),
        (lambda m: {"color": m.color[:0]}, "documented form: color"),
        (lambda m: {"normal_map": m.normal_map / 255}, "documented form: normal_map"),
        (lambda m: {"uv": m.uv[:3]}, "documented form: uv"),
        (lambda m: {"vertices": m.vertices.astype(int)}, "documented form: vertices"),
        (lambda m: {"faces": m.faces.astype(float)}, "documented form: faces"),
        (lambda m: {"faces": m.faces.reshape(-1)}, "documented form: faces"),
    ],
)
def test_what_is_no_mesh_is_refused_by_name(mesh: TexturedMesh, change: Any, said: str) -> None:
    with pytest.raises(ReconstructionFailed, match=said):
        mesh_writer.pack(replace(mesh, **change(mesh)))
